/** Agents of a plan that cannot be started here, told before anything is. */
import type { Plan } from '../core/plan.ts';
import { which } from '../process/which.ts';

/** Which agents are not there and who needs them, in a sentence; null when all are. */
export function missingAgents(
  plan: Plan,
  { path, root }: { readonly path: string; readonly root: string },
): string | null {
  // Any program of the user's own may come to be while the run goes on: its worker tells when it did not.
  const agents = Object.values(plan.agents).filter(({ adapter }) => adapter !== 'command');
  const missing = agents.flatMap(({ name, command: [program = ''] }) => {
    const found = which({ program, path, cwd: root });
    return 'path' in found ? [] : [{ name, why: found.missing }];
  });
  const [first] = missing;
  if (first === undefined) return null;
  const names = new Set(missing.map(({ name }) => name));
  const ids = plan.workers.filter(({ agent }) => names.has(agent.name)).map(({ id }) => id);
  const more = missing.length === 1 ? '' : ` (nor can ${[...names].slice(1).join(', ')})`;
  const needed =
    ids.length > 5 ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more` : ids.join(', ');
  return `the agent ${first.name} cannot be started: ${first.why}${more}; needed by ${needed}`;
}
