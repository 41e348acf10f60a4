/**
 * A plan as it is stored, in its event and in its row: most workers of a large plan are alike, and so are their edges, so
 * each says only in what it differs from the first one. What they have in common they share when it is read.
 */
import { same } from '../core/limits.ts';
import type { Edge, Plan, WorkerDefinition } from '../core/plan.ts';

/** A plan whose workers leave out what is usual among them. */
export interface PackedPlan extends Omit<Plan, 'workers'> {
  /** With what every worker begins, as the first one has it. */
  readonly usual: Partial<WorkerDefinition>;
  /** The same of edges. */
  readonly usualEdge?: Partial<Edge>;
  readonly workers: readonly PackedWorker[];
}

type PackedWorker = Partial<Omit<WorkerDefinition, 'edges'>> & {
  readonly edges?: readonly Partial<Edge>[];
};

/** The plan as it is stored. */
export function packedPlan(plan: Plan): PackedPlan {
  const usual = beginningOf(plan.workers);
  const usualEdge = beginningOf(plan.workers.flatMap(({ edges }) => edges));
  const workers = plan.workers.map((worker) => {
    const told: PackedWorker = differing(worker, usual);
    if (told.edges === undefined) return told;
    return { ...told, edges: told.edges.map((edge) => differing(edge, usualEdge)) };
  });
  return {
    ...plan,
    workers,
    usual: Object.fromEntries(usual),
    usualEdge: Object.fromEntries(usualEdge),
  };
}

/** The plan that was stored, with everything in its order: it is written again as it was. */
export function unpackedPlan({ usual, usualEdge, ...plan }: PackedPlan): Plan {
  const workers = plan.workers.map((worker) => {
    const whole = { ...usual, ...worker } as WorkerDefinition;
    if (worker.edges === undefined) return whole;
    return { ...whole, edges: worker.edges.map((edge) => ({ ...usualEdge, ...edge }) as Edge) };
  });
  return { ...plan, workers };
}

/** The parts that all have first and in the same order, with the values of the first one. */
function beginningOf(all: readonly object[]): ReadonlyMap<string, unknown> {
  let common = Object.entries(all[0] ?? {});
  for (const one of all) {
    const parts = Object.keys(one);
    const end = common.findIndex(([part], index) => parts[index] !== part);
    if (end !== -1) common = common.slice(0, end);
  }
  return new Map<string, unknown>(common);
}

/** The parts that are not as is usual. */
function differing(one: object, usual: ReadonlyMap<string, unknown>) {
  const isUsual = ([part, value]: readonly [string, unknown]): boolean =>
    usual.has(part) && same(value, usual.get(part));
  return Object.fromEntries(Object.entries(one).filter((entry) => !isUsual(entry)));
}
