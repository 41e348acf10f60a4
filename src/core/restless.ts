/**
 * Which runs are not at rest, so that a turn costs what goes on and not what was ever run here. Derived from the runs
 * and kept beside their map: made at the first question, or told by whoever loads a state and knows; then told by the
 * fold of each change.
 *
 * Invariant: after each event the set says what `isAtRest` says of each run.
 */
import { unpublished } from './publish.ts';
import { unpushed } from './push.ts';
import { isRunLive, type RepositoryState, type RunState } from './state.ts';

type Runs = RepositoryState['runs'];

const known = new WeakMap<Runs, Set<string>>();

/** Whether nothing is to be done for the run, and nothing follows by itself, until an event names it. */
export function isAtRest(run: RunState): boolean {
  return (
    !isRunLive(run) &&
    run.landing === null &&
    run.reviewing.length === 0 &&
    run.tending.length === 0 &&
    Object.keys(run.diverged).length === 0 &&
    Object.keys(unpublished(run)).length === 0 &&
    Object.keys(unpushed(run)).length === 0
  );
}

/** The runs that are not at rest, in their order, and those of `asked`. */
export function restlessRuns(
  { runs }: Pick<RepositoryState, 'runs'>,
  asked: Iterable<string> = [],
): readonly RunState[] {
  const atRest = [...asked].filter((id) => !restlessIn(runs).has(id));
  const restless =
    atRest.length === 0 ? restlessIn(runs) : new Set([...restlessIn(runs), ...atRest]);
  const ids = restless.size < 2 ? restless : [...runs.keys()].filter((id) => restless.has(id));
  return [...ids].flatMap((id) => runs.get(id) ?? []);
}

/** Takes over which runs of a state are not at rest, from whoever put it together. */
export function tellRestless(runs: Runs, ids: readonly string[]): void {
  known.set(runs, new Set(ids));
}

/** Keeps the set true for a run that an event named. Only the fold calls it. */
export function noteRun(runs: Runs, id: string): void {
  const restless = known.get(runs);
  const run = runs.get(id);
  if (restless === undefined || run === undefined) return;
  if (isAtRest(run)) restless.delete(id);
  else restless.add(id);
}

/** The ids that are kept, and those that should be: for whoever checks the invariant. */
export function describeRestless({ runs }: Pick<RepositoryState, 'runs'>): {
  readonly kept: readonly string[];
  readonly fresh: readonly string[];
} {
  return { kept: [...restlessIn(runs)].toSorted(), fresh: [...made(runs)].toSorted() };
}

function restlessIn(runs: Runs): Set<string> {
  const found = known.get(runs);
  if (found !== undefined) return found;
  const restless = made(runs);
  known.set(runs, restless);
  return restless;
}

function made(runs: Runs): Set<string> {
  return new Set([...runs.values()].filter((run) => !isAtRest(run)).map((run) => run.id));
}
