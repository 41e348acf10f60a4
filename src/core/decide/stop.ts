/** Requests after which a worker does not go on: skip and cancel. */
import { accept, refuse, type Decision } from '../decision.ts';
import { of, why, type Asked } from './asked.ts';
import type { NewEvent, Principal } from '../events.ts';
import { isFinal, isLive } from '../lifecycle.ts';
import { mergeIsThrough } from '../schedule/merge-chain.ts';
import { isRunLive, type RunState, type WorkerState } from '../state.ts';

/** Skip: the run goes on without it. */
export function skip(run: RunState, worker: WorkerState, request: Asked<'skip'>): Decision {
  const { state } = worker;
  if (state === 'skipped') {
    if (!request.satisfy || worker.satisfies) return accept([]);
    return refuse(4, `${worker.id} is skipped already, without --satisfy.`, why(worker));
  }
  if (state === 'complete')
    return refuse(4, `${worker.id} is complete: there is nothing to skip.`, why(worker));
  if (!['pending', 'ready', 'failed', 'blocked', 'cancelled'].includes(state)) {
    return refuse(
      4,
      `${worker.id} is ${state} and cannot be skipped.`,
      `czar cancel ${worker.id} stops it first.`,
    );
  }
  return accept([
    of(run, worker, {
      type: 'worker.skipped',
      data: {
        from: state,
        reason: 'skipped by a person',
        by: request.by,
        satisfies: request.satisfy,
      },
    }),
  ]);
}

/** Cancel of one worker. */
export function cancel(run: RunState, worker: WorkerState, request: Asked<'cancel'>): Decision {
  if (worker.state === 'cancelled') return accept([], `${worker.id} is cancelled already.`);
  if (isFinal(worker.state)) {
    return refuse(4, `${worker.id} is ${worker.state} already.`, why(worker));
  }
  if (mergeIsThrough(run, worker)) {
    return refuse(4, `${worker.id} has passed its gates and is being merged.`, why(worker));
  }
  return accept(cancelling(run, worker, request.by));
}

/** Cancel of the run. */
export function cancelRun(run: RunState, request: Asked<'cancel'>): Decision {
  if (run.state === 'cancelled') return accept([], `Run ${run.id} is cancelled already.`);
  if (!isRunLive(run)) return refuse(4, `Run ${run.id} is ${run.state} already.`, null);
  const open = [...run.workers.values()].filter(
    (worker) => !isFinal(worker.state) && !mergeIsThrough(run, worker),
  );
  const asked: NewEvent[] = run.cancelling
    ? []
    : [{ type: 'run.cancel_requested', run: run.id, data: { by: request.by } }];
  return accept([...asked, ...open.flatMap((worker) => cancelling(run, worker, request.by))]);
}

/** What stops the worker for good, its work kept: now, or when its attempt has been stopped. */
export function cancelling(
  run: RunState,
  worker: WorkerState,
  by: Principal,
  reason = 'cancelled',
): NewEvent[] {
  if (isLive(worker.state)) {
    if (worker.stop?.to === 'cancelled') return [];
    return [
      of(run, worker, {
        type: 'worker.stop_requested',
        data: { to: 'cancelled', by, reason },
      }),
    ];
  }
  return [
    of(run, worker, {
      type: 'worker.cancelled',
      data: { from: worker.state, reason, by },
    }),
  ];
}
