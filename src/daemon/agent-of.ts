/** Which agent does a worker's work, and how it is spoken to. */
import type { Adapter } from '../agents/adapter.ts';
import { adapters } from '../agents/adapters.ts';
import type { AgentDefinition } from '../core/plan.ts';
import { definitionOf, type RunState } from '../core/state.ts';

/** The definition of the worker's agent; null when the plan has none by that name, which no run starts with. */
export function agentOf(run: RunState, worker: string): AgentDefinition | null {
  const { agents } = run.plan;
  const { name } = definitionOf(run, worker).agent;
  return Object.hasOwn(agents, name) ? (agents[name] ?? null) : null;
}

/** How the worker's agent is spoken to. */
export function adapterOf(run: RunState, worker: string): Adapter {
  return adapters[agentOf(run, worker)?.adapter ?? 'command'];
}
