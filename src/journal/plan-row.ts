/**
 * What the row of a plan holds: most workers of a large plan are alike, so each says only in what it differs from the
 * first one. What they have in common they share when it is read.
 */
import { same } from '../core/limits.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';

interface PlanBody extends Omit<Plan, 'workers'> {
  /** What every worker has that says nothing of it. */
  readonly usual: Partial<WorkerDefinition>;
  readonly workers: readonly Partial<WorkerDefinition>[];
}

/** The text of a plan's row. */
export function planText(plan: Plan): string {
  const { workers } = plan;
  const fields = Object.entries(workers[0] ?? {}).filter(([field]) =>
    workers.every((worker) => Object.hasOwn(worker, field)),
  );
  const usual = Object.fromEntries(fields);
  const told = workers.map((worker) =>
    Object.fromEntries(
      Object.entries(worker).filter(
        ([field, value]) => !(Object.hasOwn(usual, field) && same(value, usual[field])),
      ),
    ),
  );
  return JSON.stringify({ ...plan, usual, workers: told } satisfies PlanBody);
}

/** The plan that the text tells. */
export function planOf(text: string): Plan {
  const { usual, workers, ...rest } = JSON.parse(text) as PlanBody;
  return {
    ...rest,
    workers: workers.map((worker) => ({ ...usual, ...worker }) as WorkerDefinition),
  };
}
