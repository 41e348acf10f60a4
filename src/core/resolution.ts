/**
 * What follows from a resolution of a conflict that removed lines of the other side: the `verify` of those whose lines
 * they were judges the merge too, and the change is reviewed, by their agent where no review was asked for.
 */
import type { NewEvent, RemovedLines } from './events.ts';
import type { Review } from './plan.ts';
import { definitionOf, type RunState, type WorkerState } from './state.ts';
import { agentNameOf } from './schedule/which-agent.ts';

/** The event of a comparison: whose lines are gone, by the files that they changed. */
export function resolved(
  run: RunState,
  tip: string,
  { onto, removed }: { readonly onto: string; readonly removed: readonly RemovedLines[] },
): NewEvent {
  const paths = new Set(removed.map(({ path }) => path));
  const others = run.mergedOrder.filter((id) =>
    run.workers.get(id)?.work?.changed.some(({ path }) => paths.has(path)),
  );
  return { type: 'merge.resolved', data: { tip, onto, removed, others } };
}

/** Lines of others that are gone from the change as it stands now. */
export function removedLines({ resolution, work }: WorkerState): readonly RemovedLines[] {
  return resolution === null || resolution.tip !== work?.tip ? [] : resolution.removed;
}

/** Others whose `verify` judges the worker's merge, because lines of theirs are gone from it. */
export function othersConcerned(run: RunState, id: string): readonly string[] {
  const worker = run.workers.get(id);
  if (worker === undefined || removedLines(worker).length === 0) return [];
  return worker.resolution?.others ?? [];
}

/** Who must approve the change; undefined when nobody must. A person who resolved a conflict has looked at it. */
export function reviewOf(run: RunState, worker: WorkerState): Review | undefined {
  const { review } = definitionOf(run, worker.id);
  if (review !== undefined || worker.submitted || removedLines(worker).length === 0) return review;
  const other = run.workers.get(worker.resolution?.others[0] ?? '') ?? worker;
  return { agents: [agentNameOf(run, other)], person: false, quorum: 1 };
}
