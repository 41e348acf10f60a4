/**
 * When an edge is satisfied, and what a dependency that will not satisfy it means. Derived from the dependency's state
 * alone: a worker that has started does not ask again.
 */
import type { Edge } from './plan.ts';
import { definitionOf, type RunState, type WorkerState } from './state.ts';

export type EdgeState =
  | { readonly kind: 'satisfied' }
  | { readonly kind: 'open' }
  /** The dependency failed, was cancelled, or is blocked by failure; `root` is where it began. */
  | { readonly kind: 'failed'; readonly root: string }
  | { readonly kind: 'skipped' };

/** How the edge stands now. */
export function edgeState(run: RunState, edge: Edge): EdgeState {
  const dependency = run.workers.get(edge.on);
  if (dependency === undefined) return { kind: 'satisfied' };
  switch (dependency.state) {
    case 'complete':
      return { kind: 'satisfied' };
    case 'reviewing':
      return edge.requires === 'verified' ? { kind: 'satisfied' } : { kind: 'open' };
    case 'merging':
      return edge.requires === 'complete' ? { kind: 'open' } : { kind: 'satisfied' };
    case 'skipped':
      return edge.allowSkipped || dependency.satisfies
        ? { kind: 'satisfied' }
        : { kind: 'skipped' };
    case 'failed':
    case 'cancelled':
      return { kind: 'failed', root: dependency.id };
    case 'blocked': {
      // A root that was retried blocks nothing any more, also before everyone behind it is freed.
      const root = dependency.blockedBy === null ? null : run.workers.get(dependency.blockedBy);
      return root?.state === 'failed' || root?.state === 'cancelled'
        ? { kind: 'failed', root: root.id }
        : { kind: 'open' };
    }
    case 'pending':
    case 'ready':
    case 'starting':
    case 'active':
    case 'verifying':
    case 'paused':
      return { kind: 'open' };
  }
}

/** Edges of the worker that are not satisfied. */
export function unsatisfied(run: RunState, id: string): readonly Edge[] {
  return definitionOf(run, id).edges.filter((edge) => edgeState(run, edge).kind !== 'satisfied');
}

/** A dependency that was sent back after this worker started on less, and that it may not merge before. */
export function supersededBy(run: RunState, worker: WorkerState): WorkerState | null {
  for (const id of worker.superseded) {
    const dependency = run.workers.get(id);
    if (
      dependency !== undefined &&
      dependency.state !== 'complete' &&
      !(dependency.state === 'skipped')
    ) {
      return dependency;
    }
  }
  return null;
}

/** Who can never start once this worker is skipped without being let count as there, in plan order. */
export function skippedWith(run: RunState, id: string): readonly string[] {
  const gone = new Set([id]);
  for (let before = 0; before !== gone.size;) {
    before = gone.size;
    for (const { id: other, state, block } of run.workers.values()) {
      if (state !== 'pending' && block?.kind !== 'dependency') continue;
      const isLost = definitionOf(run, other).edges.some(
        (edge) =>
          gone.has(edge.on) && !edge.allowSkipped && edgeState(run, edge).kind !== 'satisfied',
      );
      if (isLost) gone.add(other);
    }
  }
  return [...gone].filter((one) => one !== id);
}
