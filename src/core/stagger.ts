/** Starts of agents of the same provider are a moment apart, so that they do not all ask it at once. */
import { restlessRuns } from './restless.ts';
import { workersIn } from './run-index.ts';
import { definitionOf, isRunLive, type RepositoryState, type RunState } from './state.ts';

/** Milliseconds between two such starts where the plan says nothing. */
const usualStaggerMs = 200;

/** Before when the worker must not start; null when nobody of its agent has just started. Any program is no provider. */
export function staggerEnd(state: RepositoryState, run: RunState, id: string): number | null {
  const { name } = definitionOf(run, id).agent;
  const spanMs = staggerOf(run, name);
  if (spanMs === 0) return null;
  let latest: number | null = null;
  for (const one of restlessRuns(state)) {
    if (!isRunLive(one)) continue;
    for (const { id: other, attempt } of workersIn(one, 'starting', 'active')) {
      if (attempt === null || definitionOf(one, other).agent.name !== name) continue;
      latest = Math.max(latest ?? 0, attempt.startedAt);
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
