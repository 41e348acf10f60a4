/** `czar plan diff|amend`: how the files differ from what a run has, and taking them into it. */
import { openLogState } from '../../daemon/hold-log.ts';
import { limitChange, limitTexts } from '../../core/limits.ts';
import type { RunState } from '../../core/state.ts';
import { invalid } from '../../daemon/choose-run.ts';
import { askLimits } from '../../daemon/limits-now.ts';
import { planNow } from '../../daemon/plan-changes.ts';
import { diffPlans } from '../../plan/diff.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { chosenRun } from '../reading.ts';
import { steer } from '../steering.ts';
import type { CliContext } from '../verb.ts';
import { sayRefusal } from '../wanted.ts';

/** How the files differ from the run's plan, line by line; null when there is no run, which has been said. */
function differences(context: CliContext): {
  readonly run: RunState;
  readonly lines: readonly string[];
  /** Limits that differ: they need no amendment. */
  readonly limits: readonly string[];
} | null {
  const place = findPlace(context);
  if (place === null) return null;
  const state = openLogState(place);
  if (state === null) {
    context.fail({
      exit: exits.nothing,
      what: 'there is no run in this repository',
      next: 'czar run starts one',
    });
    return null;
  }
  const run = chosenRun(context, state);
  if (run === null) return null;
  const now = planNow(place, run, configSources(context));
  if ('problem' in now) {
    sayRefusal(context, { ...invalid(now).refusal, next: 'czar validate shows every problem' });
    return null;
  }
  const asked = askLimits(place, run, configSources(context));
  const change = 'problem' in asked ? null : limitChange(run.plan.policies, asked.limits);
  const limits = change === null ? [] : limitTexts(change);
  return { run, lines: diffPlans(run.plan, now.plan), limits };
}

function isOver({ state }: RunState): boolean {
  return state === 'complete' || state === 'cancelled';
}

/** Shows the differences; none is no failure. */
export function showDifferences(context: CliContext): void {
  const found = differences(context);
  if (found === null) return;
  const { run, lines, limits } = found;
  if (context.options.json)
    return context.out.json({ v: 1, run: run.id, differences: lines, limits });
  for (const line of lines) context.out.line(line);
  if (limits.length > 0 && !isOver(run))
    context.out.note(
      `Limits hold without an amendment, as soon as the run goes on: ${limits.join(', ')}.`,
    );
  context.out.note(
    lines.length === 0
      ? `The files are as run ${run.id} has them.`
      : isOver(run)
        ? `Run ${run.id} is ${run.state}: czar run --new takes them into another one.`
        : `czar plan amend takes them into run ${run.id}, unless what is under way or complete would change.`,
  );
}

/** Takes the files into the run. */
export async function amendPlan(context: CliContext): Promise<void> {
  const found = differences(context);
  if (found === null) return;
  const { run, lines } = found;
  for (const line of lines) context.out.note(`  ${line}`);
  const sources = configSources(context);
  await steer(
    context,
    (id) => ({ kind: 'amend', run: id, sources }),
    lines.length === 0
      ? `The files are as run ${run.id} has them.`
      : `Run ${run.id} has the files now.`,
  );
}
