/** A run keeps its plan revision: a person says so when the files have changed since. */
import type { RunState } from '../core/state.ts';
import { openLogState } from '../daemon/hold-log.ts';
import type { Place } from '../daemon/place.ts';
import { diffPlans } from '../plan/diff.ts';
import type { ConfigSources } from '../plan/config-layers.ts';
import { loadPlan } from '../plan/load.ts';
import { scopeOf } from '../plan/scope.ts';
import { configSources } from './config-sources.ts';
import { chosenRun } from './reading.ts';
import { findPlace } from './find-place.ts';
import type { CliContext } from './verb.ts';

/** Whether the command may go on with the run's own revision; false when it was refused, which has been said. */
export async function withPinned(context: CliContext, pinned: boolean): Promise<boolean> {
  if (pinned) return true;
  const place = findPlace(context);
  if (place === null) return false;
  const state = openLogState(place);
  if (state === null) return true;
  const run = chosenRun(context, state);
  if (run === null) return false;
  const differences = differencesOf(place, run, configSources(context));
  if (differences.length === 0) return true;
  refuseChanged(context, { run: run.id, differences });
  return false;
}

/** How the plan files, as far as they are the run's, differ from its revision, in sentences; empty when they do not. */
export function differencesOf(
  place: Place,
  run: RunState,
  sources: ConfigSources,
): readonly string[] {
  const { plan } = loadPlan({ root: place.root, home: place.home, sources });
  if (plan === null) return ['the files are not a valid plan now'];
  const scoped = scopeOf(plan, run.scope ?? []);
  if ('unknown' in scoped) return [`worker ${scoped.unknown} is gone`];
  return diffPlans(run.plan, scoped.plan);
}

/** Says which files differ from the run's revision, and what to do. */
export function refuseChanged(
  context: CliContext,
  { run, differences }: { readonly run: string; readonly differences: readonly string[] },
): void {
  for (const one of differences) context.out.note(`  ${one}`);
  context.fail({
    exit: 4,
    what: `the plan has changed since run ${run} began`,
    where: differences[0] ?? null,
    next: '--pinned goes on with the plan of the run; czar run --new takes the files as they are',
  });
}
