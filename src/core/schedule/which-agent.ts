/**
 * Which agent makes an attempt: the worker's own, else the first of its fallbacks, unless it is not installed or its
 * provider has no more for now. A function of state and `now`; the event that starts the attempt holds the answer.
 */
import type { WorkerDefinition } from '../plan.ts';
import { quotaUntil } from './quota.ts';
import { definitionOf, type RepositoryState, type RunState, type WorkerState } from '../state.ts';

/** The agent of the next attempt. */
export interface AgentChoice {
  readonly name: string;
  /** Why it is another one than the worker's own; null when it is that. */
  readonly why: string | null;
  /** Until when it must wait, since none has quota, milliseconds since 1970; null when it may start. */
  readonly until: number | null;
}

/** The agent of the worker's next attempt: the first that may start, else the one that may do so first. */
export function nextAgent(
  state: RepositoryState,
  run: RunState,
  id: string,
  now: number,
): AgentChoice {
  const { agent, fallback = [] } = definitionOf(run, id);
  const all = [agent.name, ...fallback];
  const passed: string[] = [];
  let soonest: AgentChoice | null = null;
  for (const name of all) {
    if (run.missing.includes(name)) {
      passed.push(`${name} is not installed`);
      continue;
    }
    const until = quotaUntil(state, name, now);
    const why = passed.length === 0 ? null : passed.join(', ');
    if (until === null) return { name, why, until };
    if (soonest === null || until < (soonest.until ?? 0)) soonest = { name, why, until };
    passed.push(`${name} has no quota`);
  }
  // That none is installed is told by a start that fails; but not before it may.
  return soonest ?? { name: agent.name, why: null, until: quotaUntil(state, agent.name, now) };
}

/** Who makes the first attempt where these agents are not installed, with why when it is not the worker's own. */
export function firstAgent(
  { agent, fallback = [] }: Pick<WorkerDefinition, 'agent' | 'fallback'>,
  missing: readonly string[],
): { readonly name: string; readonly why: string | null } {
  const all = [agent.name, ...fallback];
  const place = all.findIndex((name) => !missing.includes(name));
  if (place < 1) return { name: agent.name, why: null };
  return {
    name: all[place] ?? agent.name,
    why: all
      .slice(0, place)
      .map((one) => `${one} is not installed`)
      .join(', '),
  };
}

/** Name of the agent of the worker's last attempt; before the first, of the one that it would be. */
export function agentNameOf(
  run: Pick<RunState, 'id' | 'plan' | 'missing'>,
  worker: WorkerState,
): string {
  return worker.attempt === null
    ? firstAgent(definitionOf(run, worker.id), run.missing).name
    : (worker.attempt.agent?.name ?? definitionOf(run, worker.id).agent.name);
}
