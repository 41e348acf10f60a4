/** What a run teaches, as far as its log shows it: no advice, only what happened more than it should. Pure. */
import { definitionOf, type RunState } from '../core/state.ts';
import type { CloseoutHistory } from './closeout-history.ts';
import { counted, grouped, percentText } from './figures.ts';
import type { MetricsDocument } from './metrics-schema.ts';

/** The sentences; none when everything went as planned. */
export function lessonsOf(of: {
  readonly run: RunState;
  readonly metrics: MetricsDocument;
  readonly history: CloseoutHistory;
}): readonly string[] {
  const { run, metrics, history } = of;
  return [
    ...conflicts(history),
    ...reworks(history),
    ...gates(history),
    ...attempts(history),
    ...estimates(metrics),
    ...unowned(run, history),
  ];
}

function conflicts({ conflicts: all }: CloseoutHistory): readonly string[] {
  const files = tally(all.flatMap((one) => one.files));
  return [...files].map(([file, times]) => {
    const workers = new Set(all.filter((one) => one.files.includes(file)).map((one) => one.worker));
    return `${file} was in conflict ${often(times)}, in the work of ${[...workers].join(', ')}.`;
  });
}

function reworks({ reworks: all }: CloseoutHistory): readonly string[] {
  return [...tally(all.map((one) => one.worker))].map(
    ([worker, times]) => `${worker} was sent back ${often(times)}.`,
  );
}

function gates({ gates: all }: CloseoutHistory): readonly string[] {
  return all
    .filter((gate) => gate.failed + gate.inconclusive > 0)
    .map(({ gate, command, passed, failed, inconclusive }) => {
      const name = command === null ? gate : `${gate} (${command})`;
      const total = passed + failed + inconclusive;
      const bad = [
        ...(failed > 0 ? [`failed ${often(failed)}`] : []),
        ...(inconclusive > 0 ? [`gave no verdict ${often(inconclusive)}`] : []),
      ];
      return `${name} ${bad.join(' and ')} in ${counted(total, 'verdict')}.`;
    });
}

function attempts({ failed_attempts: all }: CloseoutHistory): readonly string[] {
  return [...tally(all.map((one) => one.worker))].map(([worker, times]) => {
    const last = all.findLast((one) => one.worker === worker);
    return `${worker}: ${counted(times, 'failed attempt')}; the last: ${last?.error ?? ''}`;
  });
}

/** Estimates that were far from what was used. */
function estimates({ workers }: MetricsDocument): readonly string[] {
  return workers.flatMap(({ id, budget }) => {
    const { tokens, percent, variance } = budget;
    if (tokens === null || percent === null || variance === null || percent <= 100) return [];
    return [
      `${id} used ${percentText(percent)} of its estimate: ${grouped(variance)} tokens more than planned.`,
    ];
  });
}

/** Workers in conflict that did not say what they change: ownership would have put them one after the other. */
function unowned(run: RunState, history: CloseoutHistory): readonly string[] {
  const free = new Set(
    history.conflicts
      .map((one) => one.worker)
      .filter((worker) => definitionOf(run, worker).owns === null),
  );
  if (free.size === 0) return [];
  return [
    `${[...free].join(', ')} had conflicts and no claim (owns): what they change was not kept apart.`,
  ];
}

function tally(names: readonly string[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return counts;
}

function often(times: number): string {
  return times === 1 ? 'once' : times === 2 ? 'twice' : `${times} times`;
}
