/**
 * Approval mode: whether a launch waits for a person, and what was said. An approval is for one definition of a worker
 * and one attempt of it: another definition, or the next attempt, is asked about anew.
 */
import type { NewEvent } from './events.ts';
import { notDue } from './schedule/grant.ts';
import type { Plan } from './plan.ts';
import { workersIn } from './run-index.ts';
import { approvalOf, awaitsApproval, definitionOf, needsApproval, type RunState } from './state.ts';

/** Asks about every ready worker that nothing else of its own keeps from starting, once. */
export function askApprovals(run: RunState, now: number): readonly NewEvent[] {
  if (run.cancelling || run.state === 'paused' || !mayAsk(run)) return [];
  return workersIn(run, 'ready')
    .filter(
      (worker) =>
        needsApproval(run, worker.id) &&
        approvalOf(run, worker) === null &&
        notDue(run, worker, now) === null,
    )
    .map((worker) => ({
      type: 'approval.requested',
      run: run.id,
      worker: worker.id,
      data: { attempt: worker.attempts + 1, definition: definitionOf(run, worker.id).hash },
    }));
}

/** Ids of the workers that a person is asked about now, in plan order. */
export function awaited(run: RunState): readonly string[] {
  if (!mayAsk(run)) return [];
  return workersIn(run, 'ready')
    .filter((worker) => awaitsApproval(run, worker))
    .map((worker) => worker.id);
}

const asking = new WeakMap<Plan, boolean>();

/** Whether any worker of the run may need an approval: told once for each plan, so that other runs look at nobody. */
function mayAsk({ approve, plan }: RunState): boolean {
  if (approve) return true;
  const known = asking.get(plan) ?? plan.workers.some((worker) => worker.approve === true);
  asking.set(plan, known);
  return known;
}
