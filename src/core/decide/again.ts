/** Requests that take a worker up again: retry, and submit of what a person made of its tree. */
import { accept, refuse, type Decision } from '../decision.ts';
import { unsatisfied } from '../edges.ts';
import { of, refuseRoot, why, type Asked } from './asked.ts';
import { definitionOf, isRunLive, workersOf, type RunState, type WorkerState } from '../state.ts';

/** Retry of one worker. */
export function retry(run: RunState, worker: WorkerState, request: Asked<'retry'>): Decision {
  const { state } = worker;
  if (state !== 'failed' && state !== 'blocked' && state !== 'cancelled') {
    return refuse(
      4,
      `${worker.id} is ${state}: only what is failed, blocked or cancelled can be retried.`,
      why(worker),
    );
  }
  if (worker.blockedBy !== null && state === 'blocked') return refuseRoot(worker);
  const { retry: policy } = definitionOf(run, worker.id);
  const clean = request.clean || (state === 'failed' && policy.from === 'clean');
  return accept([
    of(run, worker, {
      type: 'worker.pending',
      data: { from: state, reason: 'retried', by: request.by, note: request.note, clean },
    }),
  ]);
}

/** Retry of everything that failed. */
export function retryFailed(run: RunState, request: Asked<'retry-failed'>): Decision {
  const failed = workersOf(run).filter((worker) => worker.state === 'failed');
  if (run.state === 'failed' && run.tip === null) {
    // It failed before anything could start: its repository is prepared again.
    return accept([{ type: 'run.running', run: run.id, data: { reason: 'tried again' } }]);
  }
  if (failed.length === 0) {
    return refuse(4, `Nothing has failed in run ${run.id}.`, 'czar status shows where it stands.');
  }
  const events = failed.flatMap((worker) => {
    const one = retry(run, worker, {
      ...request,
      kind: 'retry',
      worker: worker.id,
      note: null,
      clean: false,
    });
    return one.ok ? one.events : [];
  });
  return reviving(run, accept(events));
}

/** Submit: the tree as it stands is the work. */
export function submit(run: RunState, worker: WorkerState, request: Asked<'submit'>): Decision {
  const { state } = worker;
  if (state !== 'failed' && state !== 'blocked' && state !== 'paused') {
    return refuse(
      4,
      `${worker.id} is ${state}: only a failed, blocked or paused worker can be submitted.`,
      why(worker),
    );
  }
  if (!request.tree.exists || worker.attempts === 0) {
    const lack = worker.attempts === 0 ? 'had no attempt yet' : 'no working tree';
    return refuse(
      4,
      `${worker.id} has ${lack}: there is nothing to submit.`,
      `czar retry ${worker.id} gives it one.`,
    );
  }
  const open = unsatisfied(run, worker.id).map((edge) => edge.on);
  if (open.length > 0)
    return refuse(4, `${worker.id} still waits for ${open.join(', ')}.`, why(worker));
  if (request.tree.unfinished !== null) {
    return refuse(
      4,
      `The tree of ${worker.id} is not finished: ${request.tree.unfinished}.`,
      'Commit it first, then submit again.',
    );
  }
  return accept([
    of(run, worker, {
      type: 'worker.verifying',
      data: { from: state, reason: 'submitted', submitted: true },
    }),
  ]);
}

/** A run that was over goes on when one of its workers does. */
export function reviving(run: RunState, decision: Decision): Decision {
  if (!decision.ok || decision.events.length === 0 || isRunLive(run)) return decision;
  return accept([
    { type: 'run.running', run: run.id, data: { reason: 'taken up again' } },
    ...decision.events,
  ]);
}
