/** The agents that are known, defined or only named: which are here, what their programs say, and who needs them. */
import { capabilitiesOf } from '../../agents/adapters.ts';
import { askProgram } from '../../agents/ask-program.ts';
import { compare } from '../../core/graph.ts';
import type { AgentDefinition, Plan } from '../../core/plan.ts';
import type { Config } from '../../plan/config-file.ts';
import { isAsKnown } from '../../plan/known-agents.ts';
import { which } from '../../process/which.ts';
import type { AgentDocument, AgentsDocument } from '../../report/agents-schema.ts';

export interface ListOptions {
  /** Root of the user's repository. */
  readonly root: string;
  readonly env: NodeJS.ProcessEnv;
  readonly agents: Config['agents'];
  /** Null when there is none that is valid. */
  readonly plan: Plan | null;
  readonly signal?: AbortSignal;
}

/** All of them by name; their programs are asked at the same time. */
export async function listAgents(options: ListOptions): Promise<AgentsDocument> {
  const { agents, plan } = options;
  const names = new Set([
    ...Object.keys(agents.define),
    ...Object.values(agents.preferences),
    ...agents.rules.map(({ agent }) => agent),
    ...agents.fallback,
    agents.default.name,
    ...(plan?.workers ?? []).flatMap(({ agent, fallback = [] }) => [agent.name, ...fallback]),
  ]);
  const sorted = [...names].toSorted(compare);
  return { v: 1, agents: await Promise.all(sorted.map((name) => look(name, options))) };
}

async function look(name: string, options: ListOptions): Promise<AgentDocument> {
  const { root, env, agents, plan, signal } = options;
  const definition = agentNamed(name, agents);
  const workers = (plan?.workers ?? []).filter(({ agent }) => agent.name === name);
  const known = {
    name,
    default: agents.default.name === name,
    workers: workers.map(({ id }) => id),
  };
  if (definition === null)
    return {
      ...known,
      ...absent,
      adapter: null,
      source: null,
      problem: `it has no command: add agents.define.${name}.command to config.yaml`,
      capabilities: null,
    };
  const own = {
    ...known,
    adapter: definition.adapter,
    source: isAsKnown(definition) ? ('built_in' as const) : ('config' as const),
    capabilities: capabilitiesOf(definition),
  };
  const [program = ''] = definition.command;
  const found = which({ program, path: env['PATH'] ?? '', cwd: root });
  if ('missing' in found) return { ...own, ...absent, problem: found.missing };
  const { path } = found;
  const asked = { definition, path, cwd: root, baseEnv: env };
  const said = await askProgram(signal === undefined ? asked : { ...asked, signal });
  return {
    ...own,
    found: true,
    path,
    problem: said.silence,
    version: said.version,
    logged_in: said.loggedIn,
  };
}

const absent = { found: false, path: null, version: null, logged_in: null } as const;

/** The definition of that name; null without one. */
export function agentNamed(name: string, { define }: Config['agents']): AgentDefinition | null {
  return Object.hasOwn(define, name) ? (define[name] ?? null) : null;
}
