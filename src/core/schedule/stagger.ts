/** Starts of agents of the same provider are a moment apart, so that they do not all ask it at once. */
import { restlessRuns } from '../restless.ts';
import { workersIn } from '../run-index.ts';
import { agentNameOf } from './which-agent.ts';
import { isRunLive, type RepositoryState, type RunState } from '../state.ts';

/** Milliseconds between two such starts where the plan says nothing. */
const usualStaggerMs = 200;

/** Before when the agent must not start; null when it has not just been started. Any program is no provider. */
export function staggerEnd(state: RepositoryState, run: RunState, name: string): number | null {
  const spanMs = staggerOf(run, name);
  if (spanMs === 0) return null;
  let latest: number | null = null;
  for (const one of restlessRuns(state)) {
    if (!isRunLive(one)) continue;
    for (const worker of workersIn(one, 'starting', 'active')) {
      if (worker.attempt === null || agentNameOf(one, worker) !== name) continue;
      latest = Math.max(latest ?? 0, worker.attempt.startedAt);
    }
  }
  return latest === null ? null : latest + spanMs;
}

/** How far apart the starts of the agent are in this run, milliseconds. */
export function staggerOf({ plan }: RunState, agent: string): number {
  const definition = Object.hasOwn(plan.agents, agent) ? plan.agents[agent] : undefined;
  if (definition === undefined || definition.adapter === 'command') return 0;
  return plan.policies.staggerMs ?? usualStaggerMs;
}
