/** What providers have no more of for now: an agent that was turned away is not started for anybody until it is over. */
import { restlessRuns } from './restless.ts';
import { workersIn } from './run-index.ts';
import { definitionOf, isRunLive, type RepositoryState } from './state.ts';

/** Until when the agent is not started, since its provider turned somebody away; null when it may be. */
export function quotaUntil(state: RepositoryState, agent: string, now: number): number | null {
  let latest: number | null = null;
  for (const run of restlessRuns(state)) {
    if (!isRunLive(run)) continue;
    for (const { id, quotaInRow, notBefore } of workersIn(run, 'ready')) {
      if (quotaInRow === 0 || notBefore === null || notBefore <= now) continue;
      if (definitionOf(run, id).agent.name === agent) latest = Math.max(latest ?? 0, notBefore);
    }
  }
  return latest;
}
