/** Which agent does a worker's work, and how it is spoken to. */
import type { Adapter } from '../../agents/adapter.ts';
import { adapters } from '../../agents/adapters.ts';
import type { AgentDefinition } from '../../core/plan.ts';
import { definitionOf, type RunState } from '../../core/state.ts';
import { agentNameOf } from '../../core/schedule/which-agent.ts';

/** The definition of who makes the worker's last attempt; null when the plan has none by that name. */
export function agentOf(run: RunState, worker: string): AgentDefinition | null {
  const { agents } = run.plan;
  const state = run.workers.get(worker);
  const name = state === undefined ? definitionOf(run, worker).agent.name : agentNameOf(run, state);
  return Object.hasOwn(agents, name) ? (agents[name] ?? null) : null;
}

/** How the agent of this name is spoken to; null when the run has none. */
export function adapterNamed({ plan }: RunState, name: string): Adapter | null {
  const agent = Object.hasOwn(plan.agents, name) ? plan.agents[name] : undefined;
  return agent === undefined ? null : adapters[agent.adapter];
}

/** How who makes the worker's last attempt is spoken to. */
export function adapterOf(run: RunState, worker: string): Adapter {
  return adapters[agentOf(run, worker)?.adapter ?? 'command'];
}
