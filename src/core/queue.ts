/**
 * The merge queue: one order, one merge at a time for each run (A5). Topological, then priority, then arrival; a worker
 * that started on a dependency which was sent back waits for it.
 */
import { supersededBy } from './edges.ts';
import { priorityRank, waveOf } from './order.ts';
import { workersIn } from './run-index.ts';
import { definitionOf, type RunState, type WorkerState } from './state.ts';
import { mergeGates, openGates, verdictsOf } from './tree-gates.ts';

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

/** The worker whose merge is under way. */
export function merging(run: RunState): WorkerState | null {
  return workersIn(run, 'merging').find((worker) => worker.merge !== null) ?? null;
}

/** Whether all gates of the worker's merge have passed, so that it is carried through whatever is asked now. */
export function mergeIsThrough(run: RunState, worker: WorkerState): boolean {
  if (worker.state !== 'merging' || worker.merge?.built == null) return false;
  const gates = mergeGates(run, worker.id);
  const { tree } = worker.merge.built;
  return (
    openGates(run, gates, tree).length === 0 &&
    verdictsOf(run, gates, tree).every((verdict) => verdict.result === 'pass')
  );
}
