/** How many agents live, and how long they go on when no loop watches them. */
import { restlessRuns } from '../../core/restless.ts';
import { countIn } from '../../core/run-index.ts';
import { isRunLive, type RepositoryState } from '../../core/state.ts';

/** `until`, milliseconds since 1970, is when the first of them ends itself; null without one. */
export function liveAgents(
  state: RepositoryState,
  now: number,
): { readonly agents: number; readonly until: number | null } {
  let agents = 0;
  let alone: number | null = null;
  for (const run of restlessRuns(state)) {
    if (!isRunLive(run)) continue;
    const here = countIn(run, 'starting', 'active');
    agents += here;
    if (here > 0) alone = Math.min(alone ?? Infinity, run.plan.policies.unattendedMs);
  }
  return { agents, until: alone === null ? null : now + alone };
}
