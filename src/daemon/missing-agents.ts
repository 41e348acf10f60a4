/** Agents of a plan that cannot be started here: who takes their place, or that nobody does, told before anything is. */
import type { Plan } from '../core/plan.ts';
import { knownAgents } from '../plan/known-agents.ts';
import { which } from '../process/which.ts';

/** Where agents are looked for. */
interface Here {
  readonly path: string;
  /** Root of the user's repository. */
  readonly root: string;
}

/** What is to be done about an agent that is not here: those are named that are. */
export function notInstalled(plan: Plan, here: Here): { readonly next: string } {
  const agents = new Map([...knownAgents, ...Object.entries(plan.agents)]);
  const found = [...agents].flatMap(([name, { command }]) => (isHere(command, here) ? name : []));
  const others =
    found.length === 0 ? 'none that is known is here' : `here: ${found.sort().join(', ')}`;
  return { next: `install it, or name another agent (${others}); czar agents shows them` };
}

function isHere([program = '']: readonly string[], here: Here): boolean {
  return 'path' in which({ program, path: here.path, cwd: here.root });
}

/** Agents that are not here and whose place others may take, by name, with why; those without a command too. */
export function replaceable(plan: Plan, here: Here): ReadonlyMap<string, string> {
  const named = new Set(
    plan.workers.flatMap(({ agent, fallback }) =>
      fallback === undefined ? [] : [agent.name, ...fallback],
    ),
  );
  return new Map(
    [...named].sort().flatMap((name): readonly (readonly [string, string])[] => {
      const agent = Object.hasOwn(plan.agents, name) ? plan.agents[name] : undefined;
      if (agent === undefined) return [[name, 'it has no command']];
      const [program = ''] = agent.command;
      const found = which({ program, path: here.path, cwd: here.root });
      return 'path' in found ? [] : [[name, found.missing]];
    }),
  );
}

/** Who works in the place of agents that are not here, a sentence for each of these. */
export function replacedText(plan: Plan, missing: ReadonlyMap<string, string>): readonly string[] {
  return [...missing].flatMap(([name, why]) => {
    const places = plan.workers.flatMap(({ id, agent, fallback = [] }) => {
      const other = agent.name === name ? fallback.find((one) => !missing.has(one)) : undefined;
      return other === undefined ? [] : [{ id, other }];
    });
    const others = [...new Set(places.map(({ other }) => other))];
    return others.map((other) => {
      const ids = places.filter((one) => one.other === other).map(({ id }) => id);
      return `${name} is not installed (${why}): ${other} works for ${some(ids)} in its place.`;
    });
  });
}

/** Which agents are not there, nor anybody in their place, and who needs them, in a sentence; null when all are. */
export function missingAgents(plan: Plan, here: Here): string | null {
  const replaced = replaceable(plan, here);
  const alone = plan.workers.filter(({ fallback = [] }) =>
    fallback.every((name) => replaced.has(name)),
  );
  const reviewers = plan.workers.flatMap(({ review }) => review?.agents ?? []);
  const names = new Set([...alone.map(({ agent }) => agent.name), ...reviewers]);
  // A program of the user's own may come to be while the run goes on, at a place that is written out: its worker tells
  // when it did not.
  const agents = Object.values(plan.agents).filter(
    ({ name, adapter, command: [program = ''] }) =>
      names.has(name) && (adapter !== 'command' || !program.includes('/')),
  );
  const missing = agents.flatMap(({ name, command: [program = ''] }) => {
    const found = which({ program, path: here.path, cwd: here.root });
    return 'path' in found ? [] : [{ name, why: found.missing }];
  });
  const [first] = missing;
  if (first === undefined) return null;
  const gone = new Set(missing.map(({ name }) => name));
  const ids = plan.workers
    .filter(
      (worker) =>
        (alone.includes(worker) && gone.has(worker.agent.name)) ||
        worker.review?.agents.some((name) => gone.has(name)) === true,
    )
    .map(({ id }) => id);
  const more = missing.length === 1 ? '' : ` (nor can ${[...gone].slice(1).join(', ')})`;
  return `the agent ${first.name} cannot be started: ${first.why}${more}; needed by ${some(ids)}`;
}

function some(ids: readonly string[]): string {
  return ids.length > 5
    ? `${ids.slice(0, 5).join(', ')} and ${ids.length - 5} more`
    : ids.join(', ');
}
