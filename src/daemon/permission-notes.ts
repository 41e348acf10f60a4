/** What each agent of a plan may do, in words: said before the first of them is started. */
import { capabilitiesOf } from '../agents/adapters.ts';
import { compare } from '../core/graph.ts';
import { permissionsOf } from '../core/permissions.ts';
import type { AgentDefinition, Permissions, Plan } from '../core/plan.ts';
import { counted } from '../report/figures.ts';

/** One sentence for each agent that works. */
export function permissionNotes(plan: Plan): readonly string[] {
  const permissions = permissionsOf(plan);
  const names = new Set(plan.workers.map(({ agent }) => agent.name));
  return [...names].toSorted(compare).flatMap((name) => {
    const agent = Object.hasOwn(plan.agents, name) ? plan.agents[name] : undefined;
    return agent === undefined ? [] : [`${name} may ${whatOf(agent, permissions)}.`];
  });
}

function whatOf(agent: AgentDefinition, { policy, allow }: Permissions): string {
  const how = capabilitiesOf(agent).permissions;
  if (how === 'none')
    return 'do what you may: it is a program whose permissions czar does not know';
  if (policy === 'full') return 'do everything (permissions: full)';
  // Its sandbox cannot tell single commands apart.
  if (agent.adapter === 'codex' || (agent.adapter === 'acp' && how === 'flags'))
    return `run any command, and change files in its tree: its own sandbox holds it there (permissions: ${policy})`;
  const commands = `run ${counted(allow.length, 'kind')} of commands`;
  const free = `change files in its tree${policy === 'work' ? ` and ${commands}` : ''}`;
  const rest = how === 'ask' ? 'for all else it asks' : 'all else is denied';
  return `${free}; ${rest} (permissions: ${policy})`;
}
