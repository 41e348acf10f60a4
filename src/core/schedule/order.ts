/** Positions in the graph that scheduling sorts by, computed once for each plan. */
import { remainingPath, waveOf as wavesById, wavesFrom } from '../graph.ts';
import type { Plan } from '../plan.ts';

interface Order {
  readonly wave: () => ReadonlyMap<string, number>;
  /** Workers on the longest path that begins here and follows dependents. */
  readonly remaining: () => ReadonlyMap<string, number>;
  readonly position: () => ReadonlyMap<string, number>;
  readonly dependents: () => ReadonlyMap<string, readonly string[]>;
}

/** How a worker's priority sorts: the lower, the sooner. */
export const priorityRank = { critical: 0, high: 1, normal: 2, low: 3 } as const;

const known = new WeakMap<Plan, Order>();

/** Wave of the worker, counted from 1: the length of the longest path that ends at it. */
export function waveOf(plan: Plan, id: string): number {
  return orderOf(plan).wave().get(id) ?? 1;
}

/** The waves of the plan, ids sorted within each. */
export function wavesOf(plan: Plan): readonly (readonly string[])[] {
  return wavesFrom(orderOf(plan).wave());
}

/** Length of the longest path of dependents that begins at the worker, itself included. */
export function remainingOf(plan: Plan, id: string): number {
  return orderOf(plan).remaining().get(id) ?? 1;
}

/** Position in plan order, from 0. */
export function positionOf(plan: Plan, id: string): number {
  return positionsOf(plan).get(id) ?? 0;
}

/** Position of each worker in plan order, from 0. */
export function positionsOf(plan: Plan): ReadonlyMap<string, number> {
  return orderOf(plan).position();
}

/** Workers with an edge to this one, in plan order. */
export function dependentsOf(plan: Plan, id: string): readonly string[] {
  return orderOf(plan).dependents().get(id) ?? [];
}

function orderOf(plan: Plan): Order {
  const found = known.get(plan);
  if (found !== undefined) return found;
  const order: Order = {
    wave: once(() => wavesById(plan.workers)),
    remaining: once(() => remainingPath(plan.workers)),
    position: once(() => new Map(plan.workers.map((worker, index) => [worker.id, index]))),
    dependents: once(() => dependents(plan)),
  };
  known.set(plan, order);
  return order;
}

/** Each is made when it is first asked for: who only looks needs one of them. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | null = null;
  return () => (made ??= { value: make() }).value;
}

function dependents(plan: Plan): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { id, edges } of plan.workers) {
    for (const on of new Set(edges.map((edge) => edge.on))) {
      const known = found.get(on);
      if (known === undefined) found.set(on, [id]);
      else known.push(id);
    }
  }
  // What grew has room for more, which in a large plan is megabytes.
  for (const [on, ids] of found) found.set(on, ids.slice());
  return found;
}
