/** Positions in the graph that scheduling sorts by, computed once for each plan. */
import type { Plan } from './plan.ts';

interface Order {
  readonly wave: ReadonlyMap<string, number>;
  /** Workers on the longest path that begins here and follows dependents. */
  readonly remaining: ReadonlyMap<string, number>;
  readonly position: ReadonlyMap<string, number>;
}

const known = new WeakMap<Plan, Order>();

/** Wave of the worker, counted from 1: the length of the longest path that ends at it. */
export function waveOf(plan: Plan, id: string): number {
  return orderOf(plan).wave.get(id) ?? 1;
}

/** Length of the longest path of dependents that begins at the worker, itself included. */
export function remainingOf(plan: Plan, id: string): number {
  return orderOf(plan).remaining.get(id) ?? 1;
}

/** Position in plan order, from 0. */
export function positionOf(plan: Plan, id: string): number {
  return orderOf(plan).position.get(id) ?? 0;
}

function orderOf(plan: Plan): Order {
  const found = known.get(plan);
  if (found !== undefined) return found;
  const sorted = topological(plan);
  const edges = new Map(
    plan.workers.map((worker) => [worker.id, worker.edges.map((edge) => edge.on)]),
  );
  const wave = new Map<string, number>();
  for (const id of sorted) {
    const before = (edges.get(id) ?? []).map((on) => wave.get(on) ?? 0);
    wave.set(id, 1 + before.reduce((a, b) => Math.max(a, b), 0));
  }
  const remaining = new Map(sorted.map((id) => [id, 1]));
  for (const id of sorted.toReversed()) {
    const mine = remaining.get(id) ?? 1;
    for (const on of edges.get(id) ?? [])
      remaining.set(on, Math.max(remaining.get(on) ?? 1, mine + 1));
  }
  const position = new Map(plan.workers.map((worker, index) => [worker.id, index]));
  const order = { wave, remaining, position };
  known.set(plan, order);
  return order;
}

/** Ids so that each comes after its dependencies (Kahn's algorithm). A validated plan has no cycle. */
function topological(plan: Plan): readonly string[] {
  const missing = new Map<string, number>();
  const dependents = new Map<string, string[]>();
  const ids = new Set(plan.workers.map((worker) => worker.id));
  for (const worker of plan.workers) {
    const on = worker.edges.filter((edge) => ids.has(edge.on));
    missing.set(worker.id, on.length);
    for (const edge of on) dependents.set(edge.on, [...(dependents.get(edge.on) ?? []), worker.id]);
  }
  const sorted = plan.workers
    .filter((worker) => missing.get(worker.id) === 0)
    .map((worker) => worker.id);
  for (const id of sorted) {
    for (const dependent of dependents.get(id) ?? []) {
      const left = (missing.get(dependent) ?? 0) - 1;
      missing.set(dependent, left);
      if (left === 0) sorted.push(dependent);
    }
  }
  return sorted;
}
