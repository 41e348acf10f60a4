/** The agents as text. Pure. */
import type { AgentDocument, AgentsDocument } from './agents-schema.ts';
import { oneLine, wrap } from './cells.ts';

/** A block of lines for each. */
export function agentLines({ agents }: AgentsDocument, width: number): readonly string[] {
  return agents.flatMap((one) => [
    headOf(one),
    ...[
      one.path ?? one.problem,
      one.path === null ? null : one.problem,
      canDo(one),
      one.workers.length === 0 ? null : `works for ${workersText(one.workers)}`,
    ]
      .filter((line) => line !== null)
      .flatMap((line) => wrap(`  ${oneLine(line)}`, width)),
  ]);
}

/** `claude 2.1.330 (default): adapter claude, logged in`. */
function headOf({ name, version, adapter, found, logged_in: login, ...one }: AgentDocument) {
  const facts = [
    ...(found ? [] : ['not found']),
    ...(adapter === null ? [] : [`adapter ${adapter}`]),
    ...(login === null ? [] : [login ? 'logged in' : 'not logged in']),
  ];
  const what = version === null ? name : `${name} ${version}`;
  return `${oneLine(what)}${one.default ? ' (default)' : ''}: ${facts.join(', ')}`;
}

function canDo({ adapter, capabilities }: AgentDocument): string | null {
  if (capabilities === null) return null;
  const { usage, cost, resume, permissions, mcp } = capabilities;
  const told = [
    usage === 'none' ? 'tells no usage' : `tells usage (${usage})`,
    cost ? 'tells its cost' : 'tells no cost',
  ];
  const can = [
    // Of any program it is not known.
    ...(adapter === 'command' ? ['usage and cost as far as it reports them'] : told),
    resume ? 'goes on with a session' : 'begins anew each time',
    permissions === 'none' ? 'settles itself what it may do' : `permissions by ${permissions}`,
    mcp === 'none' ? 'no MCP' : `MCP by ${mcp}`,
  ];
  return can.join(', ');
}

function workersText(ids: readonly string[]): string {
  return ids.length > 8
    ? `${ids.slice(0, 8).join(', ')} and ${ids.length - 8} more`
    : ids.join(', ');
}
