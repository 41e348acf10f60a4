/** What differs between two plans, in sentences: shown when the files are no longer those of a run's revision. */
import { withoutLimits } from '../core/limits.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';
import { canonicalJson } from './canonical.ts';

/** One line for each worker, agent and policy that differs, first `before`, then `after`; empty when none does. */
export function diffPlans(before: Plan, after: Plan): readonly string[] {
  const lines: string[] = [];
  const old = new Map(before.workers.map((worker) => [worker.id, worker]));
  const now = new Map(after.workers.map((worker) => [worker.id, worker]));
  for (const id of old.keys()) if (!now.has(id)) lines.push(`worker ${id} is gone`);
  for (const [id, worker] of now) {
    const was = old.get(id);
    if (was === undefined) lines.push(`worker ${id} is new`);
    else if (was.hash !== worker.hash)
      lines.push(`worker ${id}: ${changed(fieldsOf(was), fieldsOf(worker))}`);
  }
  const names = new Set([...Object.keys(before.agents), ...Object.keys(after.agents)]);
  for (const name of [...names].sort()) {
    const of = ({ agents }: Plan) => (Object.hasOwn(agents, name) ? agents[name] : undefined);
    const [a, b] = [of(before), of(after)];
    if (a === undefined) lines.push(`agent ${name} is new`);
    else if (b === undefined) lines.push(`agent ${name} is not used any more`);
    else if (canonicalJson(a) !== canonicalJson(b))
      lines.push(`agent ${name}: ${changed({ ...a }, { ...b })}`);
  }
  const policies = changed(withoutLimits(before.policies), withoutLimits(after.policies));
  if (policies !== '') lines.push(`policies: ${policies}`);
  const order = (plan: Plan): string => plan.workers.map(({ id }) => id).join(' ');
  if (lines.length === 0 && order(before) !== order(after))
    lines.push('the order of the workers changed');
  return lines;
}

function fieldsOf(worker: WorkerDefinition): Readonly<Record<string, unknown>> {
  const { source: _source, hash: _hash, agent, edges, ...rest } = worker;
  return { ...rest, agent: agent.name, dependencies: edges };
}

/** The names of what differs; short values are shown. */
function changed(
  a: Readonly<Record<string, unknown>>,
  b: Readonly<Record<string, unknown>>,
): string {
  return Object.keys({ ...a, ...b })
    .filter((key) => canonicalJson(a[key]) !== canonicalJson(b[key]))
    .map((key) => {
      const [x, y] = [shown(a[key]), shown(b[key])];
      return x === null || y === null ? `${key} changed` : `${key} ${x} → ${y}`;
    })
    .join(', ');
}

function shown(value: unknown): string | null {
  const text = typeof value === 'string' ? value : canonicalJson(value);
  return text.length <= 40 && !text.includes('\n') ? text : null;
}
