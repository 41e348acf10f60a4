/**
 * A plan as it is stored, in its event and in its row: most workers of a large plan are alike, so each says only in what
 * it differs from the first one. What they have in common they share when it is read.
 */
import { same } from '../core/limits.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';

/** A plan whose workers leave out what is usual among them. */
export interface PackedPlan extends Omit<Plan, 'workers'> {
  /** With what every worker begins, as the first one has it. */
  readonly usual: Partial<WorkerDefinition>;
  readonly workers: readonly Partial<WorkerDefinition>[];
}

/** The plan as it is stored. */
export function packedPlan(plan: Plan): PackedPlan {
  const usual = beginningOf(plan.workers);
  const isUsual = ([part, value]: readonly [string, unknown]): boolean =>
    usual.has(part) && same(value, usual.get(part));
  const workers = plan.workers.map((worker) =>
    Object.fromEntries(Object.entries(worker).filter((one) => !isUsual(one))),
  );
  return { ...plan, workers, usual: Object.fromEntries(usual) };
}

/** The plan that was stored, with everything in its order: it is written again as it was. */
export function unpackedPlan({ usual, ...plan }: PackedPlan): Plan {
  const workers = plan.workers.map((worker) => ({ ...usual, ...worker }) as WorkerDefinition);
  return { ...plan, workers };
}

/** The parts that all have first and in the same order, with the values of the first worker. */
function beginningOf(workers: readonly WorkerDefinition[]): ReadonlyMap<string, unknown> {
  let common = Object.entries(workers[0] ?? {});
  for (const worker of workers) {
    const parts = Object.keys(worker);
    const end = common.findIndex(([part], index) => parts[index] !== part);
    if (end !== -1) common = common.slice(0, end);
  }
  return new Map<string, unknown>(common);
}
