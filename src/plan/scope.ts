/** A part of a plan: the workers that are named, with everything that they depend on. */
import type { Plan } from '../core/plan.ts';
import { hashOf } from './canonical.ts';

/** The plan of the named workers and their dependencies; all of it when none is named. */
export function scopeOf(
  plan: Plan,
  ids: readonly string[],
): { readonly plan: Plan } | { readonly unknown: string } {
  if (ids.length === 0) return { plan };
  const byId = new Map(plan.workers.map((worker) => [worker.id, worker]));
  const wanted = new Set<string>();
  const open = [...ids];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (wanted.has(id)) continue;
    const worker = byId.get(id);
    if (worker === undefined) return { unknown: id };
    wanted.add(id);
    open.push(...worker.edges.map((edge) => edge.on));
  }
  const workers = plan.workers.filter((worker) => wanted.has(worker.id));
  const overlaps = Object.fromEntries(
    Object.entries(plan.overlaps)
      .filter(([id]) => wanted.has(id))
      .map(([id, others]) => [id, others.filter((other) => wanted.has(other))]),
  );
  return {
    plan: { ...plan, workers, overlaps, revision: hashOf([plan.revision, [...wanted].sort()]) },
  };
}
