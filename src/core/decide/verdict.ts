/** What the outcomes of gates and merges mean. */
import type { Outcome } from '../commands.ts';
import type { MergedWorker } from '../event-values.ts';
import type { ChangeVerdict, NewEvent, TreeVerdict } from '../events.ts';
import { sentBack } from '../rework.ts';
import type { RunState, WorkerState } from '../state.ts';
import { commitKey } from '../intent-key.ts';

/** Events of a step of the worker's merge. */
export function mergeOutcome(
  run: RunState,
  worker: WorkerState,
  outcome: Extract<
    Outcome,
    { kind: 'merge-built' | 'merge-conflict' | 'merge-committed' | 'merge-lost' }
  >,
): readonly NewEvent[] {
  const { merge } = worker;
  if (worker.state !== 'merging' || merge === null) return [];
  const { built } = merge;
  switch (outcome.kind) {
    case 'merge-built':
      if (built !== null || merge.base !== outcome.base || merge.tip !== outcome.tip) return [];
      return [{ type: 'merge.built', data: { commit: outcome.commit, tree: outcome.tree } }];
    case 'merge-conflict': {
      if (merge.base !== outcome.base || merge.tip !== outcome.tip) return [];
      const { base, files, messages } = outcome;
      // What it conflicts with may never be merged.
      if (base !== run.tip) {
        const reason = `it ${whereText('conflicts with a candidate ahead of it', files, messages)}`;
        return [{ type: 'merge.abandoned', data: { reason, aside: true } }];
      }
      const text = `its work ${whereText('conflicts with the integration branch', files, messages)}`;
      const block = {
        kind: 'conflict' as const,
        step: 'merging' as const,
        text,
        findings: messages,
        files,
      };
      return [
        { type: 'merge.conflict', data: { base, files, messages } },
        sentBack(run, worker, block),
      ];
    }
    case 'merge-committed':
      if (built?.commit !== outcome.commit) return [];
      return outcome.merged.flatMap((one) => mergedOne(run, one, built));
    case 'merge-lost':
      return lost(run, `integration stood at ${outcome.found}`);
  }
}

/** In which files; where it is none of them that is in the way, what was said. */
function whereText(
  what: string,
  files: readonly string[],
  [message = 'git gave no reason']: readonly string[],
): string {
  return files.length === 0 ? `${what}: ${message}` : `${what} in ${files.join(', ')}`;
}

/** The merge is built anew; when that happens again, with a pause: somebody else moves the ref. */
function lost(run: RunState, error: string): readonly NewEvent[] {
  const key = commitKey(run);
  const tries = (run.troubles[key]?.tries ?? 0) + 1;
  return [
    { type: 'merge.abandoned', data: { reason: error } },
    { type: 'effect.failed', data: { key, effect: 'commit-merge', error, tries } },
  ];
}

/** A worker has entered integration, by itself or together with those behind it, whose tree was tested. */
function mergedOne(
  run: RunState,
  { worker: id, ...done }: MergedWorker,
  last: { readonly commit: string; readonly tree: string },
): readonly NewEvent[] {
  const worker = run.workers.get(id);
  if (worker?.merge == null) return [];
  const { base, tip } = worker.merge;
  const tested = done.commit === last.commit ? {} : { tested: last };
  return [
    at(run, worker, { type: 'worker.merged', data: { ...done, base, tip, ...tested } }),
    at(run, worker, {
      type: 'worker.complete',
      data: { from: 'merging', reason: 'merged', noChange: false },
    }),
  ];
}

/** Verdicts on a tree, of whoever still waits for them. */
export function checked(
  run: RunState,
  id: string | null,
  subject: 'branch' | 'merge' | 'land',
  verdicts: readonly TreeVerdict[],
): readonly NewEvent[] {
  if (id === null) {
    return run.landing === null
      ? []
      : verdicts.map((verdict) => ({ ...verdictEvent(verdict), run: run.id }));
  }
  const worker = run.workers.get(id);
  if (worker === undefined) return [];
  const waits =
    subject === 'branch'
      ? worker.state === 'verifying'
      : worker.state === 'merging' && worker.merge !== null;
  return waits ? verdicts.map((verdict) => at(run, worker, verdictEvent(verdict))) : [];
}

/** The event of a verdict. */
export function verdictEvent(verdict: ChangeVerdict | TreeVerdict): NewEvent {
  switch (verdict.result) {
    case 'pass':
      return { type: 'gate.passed', data: { verdict } };
    case 'fail':
      return { type: 'gate.failed', data: { verdict } };
    case 'inconclusive':
      return { type: 'gate.inconclusive', data: { verdict } };
  }
}

/** The event as one of the worker, and of its last attempt; one that names its worker is left as it is. */
export function at(run: RunState, worker: WorkerState, event: NewEvent): NewEvent {
  if (event.worker !== undefined) return event;
  const placed = { ...event, run: run.id, worker: worker.id };
  return worker.attempt === null ? placed : { ...placed, attempt: worker.attempt.n };
}
