/** Whether the plan of a run may become another one, worker by worker, and what follows for each. */
import type { Asked } from './asked.ts';
import { reviving } from './again.ts';
import { cancelling } from './stop.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { NewEvent, Principal } from '../events.ts';
import { limitsOf, underLimits } from '../limits.ts';
import { isFinal, type WorkerStateName } from '../lifecycle.ts';
import type { WorkerDefinition } from '../plan.ts';
import { definitions, isRunLive, type RunState, type WorkerState } from '../state.ts';

/** States in which a worker's definition may change, or go: nothing of it is under way, and it is not complete. */
const atRest: ReadonlySet<WorkerStateName> = new Set([
  'pending',
  'ready',
  'blocked',
  'paused',
  'failed',
  'skipped',
  'cancelled',
]);

/** A worker of the run whose definition changes; `now` is null when the plan has it no more. */
interface Touched {
  readonly worker: WorkerState;
  readonly was: WorkerDefinition;
  readonly now: WorkerDefinition | null;
}

/**
 * One event takes the whole amendment in, or nothing of it: what is under way or complete and would change is named.
 * A worker that has not started is looked at anew; one that failed or waits for a person waits for `retry`.
 */
export function amend(run: RunState, request: Asked<'amend'>): Decision {
  if (run.state === 'complete' || run.state === 'cancelled') {
    return refuse(
      4,
      `Run ${run.id} is ${run.state}: its plan stays as it is.`,
      'czar run --new starts another run with the files as they are.',
    );
  }
  const { scope, by } = request;
  // Limits change by themselves.
  const plan = underLimits(request.plan, limitsOf(run.plan.policies));
  if (plan.revision === run.plan.revision) return accept([]);
  if (plan.policies.isolation !== run.plan.policies.isolation) {
    return refuse(
      4,
      'How working trees are isolated cannot change within a run.',
      'czar run --new starts another run with the files as they are.',
    );
  }
  const touched = touchedBy(run, plan.workers);
  for (const one of touched) {
    const fixed = whyFixed(one);
    if (fixed !== null)
      return refuse(4, fixed, 'czar run --pinned goes on with the plan of the run.');
  }
  const removed = touched.filter(({ now }) => now === null).map(({ worker }) => worker);
  const changed = touched.filter(({ now }) => now !== null).map(({ worker }) => worker);
  const members = new Set(run.plan.workers.map(({ id }) => id));
  const added = plan.workers.map(({ id }) => id).filter((id) => !members.has(id));
  const followUps = [
    ...removed.flatMap((worker) =>
      isFinal(worker.state) ? [] : cancelling(run, worker, by, 'removed from the plan'),
    ),
    ...changed.flatMap((worker) => (startsAnew(worker) ? [pending(run, worker, by)] : [])),
    ...added.flatMap((id) => joins(run, id, by)),
  ];
  const amended: NewEvent = {
    type: 'plan.amended',
    run: run.id,
    data: {
      plan: { ...plan, removed: definitionsGone(run, plan.workers) },
      scope,
      by,
      added,
      changed: changed.map(({ id }) => id),
      removed: removed.map(({ id }) => id),
    },
  };
  const decision = accept([amended, ...followUps]);
  const goesOn = followUps.some(({ type }) => type === 'worker.pending');
  return goesOn && !isRunLive(run) ? reviving(run, decision) : decision;
}

function touchedBy(run: RunState, workers: readonly WorkerDefinition[]): readonly Touched[] {
  const after = new Map(workers.map((definition) => [definition.id, definition]));
  return run.plan.workers.flatMap((was) => {
    const worker = run.workers.get(was.id);
    const now = after.get(was.id) ?? null;
    return worker === undefined || now?.hash === was.hash ? [] : [{ worker, was, now }];
  });
}

/** Why this worker must stay as it is, in a sentence; null when it may change. */
function whyFixed({ worker, was, now }: Touched): string | null {
  const { id, state } = worker;
  if (!atRest.has(state)) return `${id} is ${state} and cannot change now.`;
  if (now === null) return null;
  if (worker.attempts > 0 && now.workspace !== was.workspace)
    return `${id} has been worked on, and its workspace cannot change.`;
  if (worker.branch !== null && now.branch !== was.branch)
    return `${id} has been worked on, and its branch cannot change.`;
  return null;
}

/** Whether what it waits for is asked again: its edges may have changed. */
function startsAnew({ state, blockedBy }: WorkerState): boolean {
  return state === 'ready' || (state === 'blocked' && blockedBy !== null);
}

/** A worker that the plan has now: a new one, or one that an earlier amendment took out. */
function joins(run: RunState, id: string, by: Principal): readonly NewEvent[] {
  const before = run.workers.get(id);
  if (before !== undefined) return before.state === 'cancelled' ? [pending(run, before, by)] : [];
  const data = { from: null, reason: 'planned', by, note: null, clean: true };
  return [{ type: 'worker.pending', run: run.id, worker: id, data }];
}

function pending(run: RunState, { id, state, nextClean }: WorkerState, by: Principal): NewEvent {
  const data = { from: state, reason: 'the plan was amended', by, note: null, clean: nextClean };
  return { type: 'worker.pending', run: run.id, worker: id, data };
}

/** Definitions of workers that the run has and the plan has no more, by this amendment or an earlier one. */
function definitionsGone(
  run: RunState,
  workers: readonly WorkerDefinition[],
): readonly WorkerDefinition[] {
  const after = new Set(workers.map(({ id }) => id));
  return [...definitions(run.plan).values()].filter(({ id }) => !after.has(id));
}
