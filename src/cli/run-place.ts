/** Where a run's trees are, for verbs that work on them: nowhere else may they be looked for, made or judged. */
import type { RunState } from '../core/state.ts';
import type { Place } from '../daemon/place.ts';
import { placeOfRun } from '../daemon/place-of-run.ts';
import { exits } from './exit.ts';
import type { CliContext } from './verb.ts';

/** The checkout that the run was started from; null when it is gone, which has been said. */
export function runPlace(context: CliContext, place: Place, run: RunState): Place | null {
  const there = placeOfRun(place, run);
  if (there !== null) return there;
  const { id, checkout } = run;
  context.fail({
    exit: exits.refused,
    what: `the trees of run ${id} are in another checkout of this repository, which is gone`,
    where: checkout === '' ? 'the main checkout' : checkout,
    next: `git worktree repair PATH, if it was moved; else czar kept list --run ${id} names what is kept`,
  });
  return null;
}
