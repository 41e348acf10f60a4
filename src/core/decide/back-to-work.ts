/** Where a worker goes whose block is settled. */
import { of } from './asked.ts';
import { unsatisfied } from '../edges.ts';
import type { NewEvent } from '../events.ts';
import type { RunState, WorkerState } from '../state.ts';

/**
 * Back to ready, to go on where the attempt ended; back to pending when an amendment gave it edges that are not satisfied
 * yet. One that was satisfied when it started, and whose dependency was sent back since, is not asked again.
 */
export function backToWork(
  run: RunState,
  worker: WorkerState,
  reason: string,
  counts: 'interrupted' | null = null,
): NewEvent {
  const from = worker.state;
  if (unsatisfied(run, worker.id).some((edge) => !worker.superseded.includes(edge.on))) {
    const data = { from, reason, by: 'policy', note: null, clean: worker.nextClean } as const;
    return of(run, worker, { type: 'worker.pending', data });
  }
  const tree = worker.attempts > 0 ? 'continue' : null;
  return of(run, worker, {
    type: 'worker.ready',
    data: { from, reason, notBefore: null, counts, tree },
  });
}
