/** Deleting what old runs hold: only of runs of which nothing goes on. */
import type { Prune } from '../commands.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { Principal } from '../events.ts';
import { isLive } from '../lifecycle.ts';
import { isPublishing } from '../publish.ts';
import { isRunLive, type RepositoryState, type RunState } from '../state.ts';

/** Whether nothing reads or writes what the run holds until a person asks for it. */
export function isPrunable(run: RunState): boolean {
  return (
    !isRunLive(run) &&
    run.landing === null &&
    run.tending.length === 0 &&
    !isPublishing(run) &&
    [...run.workers.values()].every(({ state }) => !isLive(state))
  );
}

/** What is deleted from here on; refused when one of the runs has come to life since it was looked at. */
export function decidePrune(
  state: RepositoryState,
  { by, runs, outputs, refs, aside }: Prune & { readonly by: Principal },
): Decision {
  const busy = runs.filter((id) => {
    const run = state.runs.get(id);
    return run === undefined || !isPrunable(run);
  });
  if (busy.length === 0)
    return accept([{ type: 'prune.started', data: { by, outputs, refs, aside } }]);
  const [what, next] = [`Run ${busy.join(', ')} goes on again.`, 'czar prune looks anew.'];
  return refuse(4, what, next);
}
