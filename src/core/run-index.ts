/**
 * Which workers of a run stand where, so that a turn costs what changes in it and not what the plan holds. Derived from
 * the run's workers alone and kept beside their map: made at the first question, then told by the fold of each change.
 *
 * Invariant: after each event the index says what a fresh one over the same workers would say.
 */
import type { WorkerStateName } from './lifecycle.ts';
import { dependentsOf, positionsOf } from './schedule/order.ts';
import { definitionOf, type RunState, type WorkerState } from './state.ts';

type Run = Pick<RunState, 'id' | 'plan' | 'workers'>;

interface Index {
  readonly byState: Map<WorkerStateName, Set<string>>;
  /** Pending workers whose edges may decide something now. */
  readonly frontier: Set<string>;
  /** Workers that hold refs for the user's repository. */
  readonly withRefs: Set<string>;
}

const known = new WeakMap<RunState['workers'], Index>();

/** Workers in any of these states, in plan order. */
export function workersIn(run: Run, ...states: readonly WorkerStateName[]): readonly WorkerState[] {
  const { byState } = indexOf(run);
  return inOrder(
    run,
    states.flatMap((state) => [...(byState.get(state) ?? [])]),
  );
}

/** How many workers are in any of these states. */
export function countIn(run: Run, ...states: readonly WorkerStateName[]): number {
  const { byState } = indexOf(run);
  return states.reduce((sum, state) => sum + (byState.get(state)?.size ?? 0), 0);
}

/**
 * Pending workers whose edges may decide something now, in plan order: each dependency has come as far as it can by
 * itself, or one of them stands in the way. Of all others some dependency is open and none has failed.
 */
export function frontier(run: Run): readonly WorkerState[] {
  return inOrder(run, indexOf(run).frontier);
}

/** Workers with a branch or kept work, in plan order. */
export function workersWithRefs(run: Run): readonly WorkerState[] {
  return inOrder(run, indexOf(run).withRefs);
}

/** Puts the worker into the map and keeps the index true. Only the fold calls it. */
export function replaceWorker(
  run: Run & { readonly workers: Map<string, WorkerState> },
  worker: WorkerState,
): void {
  const before = run.workers.get(worker.id);
  run.workers.set(worker.id, worker);
  const index = known.get(run.workers);
  if (index === undefined) return;
  place(index.withRefs, worker.id, holdsRefs(worker));
  if (before?.state === worker.state) return;
  if (before !== undefined) index.byState.get(before.state)?.delete(worker.id);
  enter(index, worker);
  place(index.frontier, worker.id, isFrontier(run, worker));
  for (const id of dependentsOf(run.plan, worker.id)) {
    const dependent = run.workers.get(id);
    if (dependent !== undefined) place(index.frontier, id, isFrontier(run, dependent));
  }
}

/** The states in which a worker that has begun can be, but for `ready` and what is final. */
export const underWay = [
  'starting',
  'active',
  'verifying',
  'reviewing',
  'merging',
  'blocked',
  'paused',
] as const satisfies readonly WorkerStateName[];

/** What the index of the run says, and what a fresh one would say: for whoever checks the invariant. */
export function describeIndex(run: Run): { readonly kept: unknown; readonly fresh: unknown } {
  const plain = ({ byState, frontier: front, withRefs }: Index): unknown => ({
    byState: [...byState]
      .filter(([, ids]) => ids.size > 0)
      .map(([state, ids]) => [state, [...ids].toSorted()] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    frontier: [...front].toSorted(),
    withRefs: [...withRefs].toSorted(),
  });
  return { kept: plain(indexOf(run)), fresh: plain(made(run)) };
}

function indexOf(run: Run): Index {
  const found = known.get(run.workers);
  if (found !== undefined) return found;
  const index = made(run);
  known.set(run.workers, index);
  return index;
}

function made(run: Run): Index {
  const index: Index = { byState: new Map(), frontier: new Set(), withRefs: new Set() };
  for (const worker of run.workers.values()) {
    enter(index, worker);
    place(index.frontier, worker.id, isFrontier(run, worker));
    place(index.withRefs, worker.id, holdsRefs(worker));
  }
  return index;
}

function enter({ byState }: Index, { id, state }: WorkerState): void {
  const ids = byState.get(state);
  if (ids === undefined) byState.set(state, new Set([id]));
  else ids.add(id);
}

function place(set: Set<string>, id: string, belongs: boolean): void {
  if (belongs) set.add(id);
  else set.delete(id);
}

function isFrontier(run: Run, { id, state }: WorkerState): boolean {
  if (state !== 'pending') return false;
  let open = false;
  for (const { on } of definitionOf(run, id).edges) {
    const dependency = run.workers.get(on)?.state;
    if (dependency === undefined) continue;
    if (inTheWay.has(dependency)) return true;
    open ||= stillOpen.has(dependency);
  }
  return !open;
}

const inTheWay: ReadonlySet<WorkerStateName> = new Set(['failed', 'cancelled', 'blocked']);

const stillOpen: ReadonlySet<WorkerStateName> = new Set([
  'pending',
  'ready',
  'starting',
  'active',
  'verifying',
  'paused',
]);

function holdsRefs({ work, branch, kept, dropped }: WorkerState): boolean {
  return (work !== null && branch !== null) || kept.length > 0 || dropped.length > 0;
}

function inOrder(run: Run, ids: Iterable<string>): readonly WorkerState[] {
  const workers: WorkerState[] = [];
  for (const id of ids) {
    const worker = run.workers.get(id);
    if (worker !== undefined) workers.push(worker);
  }
  if (workers.length < 2) return workers;
  const positions = positionsOf(run.plan);
  const at = ({ id }: WorkerState): number => positions.get(id) ?? 0;
  return workers.sort((a, b) => at(a) - at(b));
}
