/**
 * The merge queue: one order for each run (A5). Topological, then priority, then arrival; a worker that started on a
 * dependency which was sent back waits for it. Candidates stand on each other in one chain (`merge-chain.ts`).
 */
import { supersededBy } from '../edges.ts';
import { priorityRank, waveOf } from './order.ts';
import { workersIn } from '../run-index.ts';
import { definitionOf, type RunState, type WorkerState } from '../state.ts';

/** Workers that wait to be merged, the next one first. */
export function mergeQueue(run: RunState): readonly WorkerState[] {
  return workersIn(run, 'merging')
    .filter((worker) => worker.merge === null && supersededBy(run, worker) === null)
    .toSorted(
      (a, b) =>
        waveOf(run.plan, a.id) - waveOf(run.plan, b.id) ||
        priorityRank[definitionOf(run, a.id).priority] -
          priorityRank[definitionOf(run, b.id).priority] ||
        (a.queuedAt ?? 0) - (b.queuedAt ?? 0) ||
        (a.id < b.id ? -1 : 1),
    );
}

/** A worker whose merge is under way: the first of them where several are. */
export function merging(run: RunState): WorkerState | null {
  const begun = workersIn(run, 'merging').filter((worker) => worker.merge !== null);
  return begun.find((worker) => worker.merge?.base === run.tip) ?? begun[0] ?? null;
}
