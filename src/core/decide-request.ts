/** What a person may ask, in which state, and what follows: the person's half of the lifecycle table. */
import type { Request } from './commands.ts';
import { pathPatch, type NewEvent, type Principal } from './events.ts';
import { isFinal, isLive } from './lifecycle.ts';
import { mergeIsThrough } from './queue.ts';
import {
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from './state.ts';
import { decideLanding } from './decide-land.ts';
import { accept, refuse, type Decision } from './decision.ts';
import { unsatisfied } from './edges.ts';

type Asked<K extends Request['kind']> = Extract<Request, { kind: K }> & { readonly by: Principal };

/** Requests that would let a worker go on: not while its run is being cancelled, where nothing starts. */
const goesOn: ReadonlySet<Request['kind']> = new Set([
  'retry',
  'retry-failed',
  'submit',
  'answer',
  'unblock',
]);

/** Decides a person's request. */
export function decideRequest(
  state: RepositoryState,
  request: Request & { readonly by: Principal },
  now: number,
): Decision {
  if (request.kind === 'start-run') return startRun(state, request);
  const run = state.runs.get(request.run);
  if (run === undefined)
    return refuse(3, `There is no run ${request.run}.`, 'czar status lists the runs.');
  if (run.cancelling && isRunLive(run) && goesOn.has(request.kind)) {
    return refuse(
      4,
      `Run ${run.id} is being cancelled.`,
      'Once it is cancelled, czar retry takes a worker up again.',
    );
  }
  switch (request.kind) {
    case 'land':
      return decideLanding(run, request, now);
    case 'retry-failed':
      return retryFailed(run, request);
    case 'cancel':
      if (request.worker === null) return cancelRun(run, request);
      break;
    case 'retry':
    case 'submit':
    case 'skip':
    case 'answer':
    case 'unblock':
    case 'approve-path':
      break;
  }
  const worker = request.worker === null ? undefined : run.workers.get(request.worker);
  if (worker === undefined) {
    return refuse(
      3,
      `There is no worker ${request.worker} in run ${run.id}.`,
      'czar status lists the workers.',
    );
  }
  switch (request.kind) {
    case 'retry':
      return reviving(run, retry(run, worker, request));
    case 'submit':
      return reviving(run, submit(run, worker, request));
    case 'skip':
      return reviving(run, skip(run, worker, request));
    case 'cancel':
      return cancel(run, worker, request);
    case 'answer':
      return answer(run, worker, request);
    case 'unblock':
      return unblock(run, worker, request);
    case 'approve-path':
      return approvePath(run, worker, request);
  }
}

function startRun(state: RepositoryState, request: Asked<'start-run'>): Decision {
  if (state.runs.has(request.run)) return refuse(4, `Run ${request.run} exists already.`, null);
  const { run, checkout = '', plan, base, integration, target, scope } = request;
  return accept([
    { type: 'run.started', run, data: { checkout, plan, base, integration, target, scope } },
    ...plan.workers.map((worker): NewEvent => ({
      type: 'worker.pending',
      run,
      worker: worker.id,
      data: { from: null, reason: 'planned', by: 'user', note: null, clean: true },
    })),
  ]);
}

function retry(run: RunState, worker: WorkerState, request: Asked<'retry'>): Decision {
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

function retryFailed(run: RunState, request: Asked<'retry-failed'>): Decision {
  const failed = [...run.workers.values()].filter((worker) => worker.state === 'failed');
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

function submit(run: RunState, worker: WorkerState, request: Asked<'submit'>): Decision {
  const { state } = worker;
  if (state !== 'failed' && state !== 'blocked' && state !== 'paused') {
    return refuse(
      4,
      `${worker.id} is ${state}: only a failed, blocked or paused worker can be submitted.`,
      why(worker),
    );
  }
  if (!request.tree.exists || worker.attempts === 0) {
    return refuse(
      4,
      `${worker.id} has no working tree to submit.`,
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

function skip(run: RunState, worker: WorkerState, request: Asked<'skip'>): Decision {
  const { state } = worker;
  if (state === 'skipped') return accept([]);
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

function cancel(run: RunState, worker: WorkerState, request: Asked<'cancel'>): Decision {
  if (worker.state === 'cancelled') return accept([]);
  if (isFinal(worker.state)) {
    return refuse(4, `${worker.id} is ${worker.state} already.`, why(worker));
  }
  if (mergeIsThrough(run, worker)) {
    return refuse(4, `${worker.id} has passed its gates and is being merged.`, why(worker));
  }
  return accept(cancelling(run, worker, request.by));
}

function cancelling(run: RunState, worker: WorkerState, by: Principal): NewEvent[] {
  if (isLive(worker.state)) {
    if (worker.stop?.to === 'cancelled') return [];
    return [
      of(run, worker, {
        type: 'worker.stop_requested',
        data: { to: 'cancelled', by, reason: 'cancelled' },
      }),
    ];
  }
  return [
    of(run, worker, {
      type: 'worker.cancelled',
      data: { from: worker.state, reason: 'cancelled', by },
    }),
  ];
}

function cancelRun(run: RunState, request: Asked<'cancel'>): Decision {
  if (run.state === 'cancelled') return accept([]);
  if (!isRunLive(run)) return refuse(4, `Run ${run.id} is ${run.state} already.`, null);
  const open = [...run.workers.values()].filter(
    (worker) => !isFinal(worker.state) && !mergeIsThrough(run, worker),
  );
  const asked: NewEvent[] = run.cancelling
    ? []
    : [{ type: 'run.cancel_requested', run: run.id, data: { by: request.by } }];
  return accept([...asked, ...open.flatMap((worker) => cancelling(run, worker, request.by))]);
}

function answer(run: RunState, worker: WorkerState, request: Asked<'answer'>): Decision {
  const kind = worker.block?.kind;
  if (worker.state !== 'blocked' || (kind !== 'question' && kind !== 'blocker')) {
    return refuse(4, `${worker.id} asks nothing: it is ${worker.state}.`, why(worker));
  }
  return accept([
    of(run, worker, {
      type: 'worker.noted',
      data: { by: request.by, kind: 'answer', text: request.text },
    }),
    backToWork(run, worker, 'answered'),
  ]);
}

function unblock(run: RunState, worker: WorkerState, request: Asked<'unblock'>): Decision {
  if (worker.state !== 'blocked' || worker.block === null) {
    return refuse(4, `${worker.id} is not blocked: it is ${worker.state}.`, why(worker));
  }
  if (worker.blockedBy !== null) return refuseRoot(worker);
  if (worker.block.kind === 'protect') {
    return refuse(
      4,
      `${worker.id} waits for approval of ${worker.block.files.join(', ')}.`,
      `czar approve ${worker.id} --path PATH settles one path.`,
    );
  }
  const noted: NewEvent[] =
    request.note === null
      ? []
      : [
          of(run, worker, {
            type: 'worker.noted',
            data: { by: request.by, kind: 'note', text: request.note },
          }),
        ];
  return accept([...noted, onward(run, worker, worker.block.step)]);
}

function onward(
  run: RunState,
  worker: WorkerState,
  step: NonNullable<WorkerState['block']>['step'],
): NewEvent {
  switch (step) {
    case 'pending':
    case 'ready':
    case 'attempt':
      return backToWork(run, worker, 'unblocked');
    case 'verifying':
      return of(run, worker, {
        type: 'worker.verifying',
        data: { from: 'blocked', reason: 'unblocked', submitted: false },
      });
    case 'merging':
      return of(run, worker, {
        type: 'worker.merging',
        data: { from: 'blocked', reason: 'unblocked' },
      });
  }
}

function backToWork(run: RunState, worker: WorkerState, reason: string): NewEvent {
  const tree = worker.attempts > 0 ? 'continue' : null;
  return of(run, worker, {
    type: 'worker.ready',
    data: { from: 'blocked', reason, notBefore: null, counts: null, tree },
  });
}

function approvePath(run: RunState, worker: WorkerState, request: Asked<'approve-path'>): Decision {
  const changed = worker.work?.changed.find((one) => one.path === request.path);
  if (changed === undefined) {
    return refuse(
      3,
      `${worker.id} has not changed ${request.path}.`,
      `czar diff ${worker.id} shows what it changed.`,
    );
  }
  const patch = pathPatch(changed);
  const approvals = [...worker.approvals, { path: request.path, patch }];
  const known = worker.approvals.some((one) => one.path === request.path && one.patch === patch);
  const approved: NewEvent[] = known
    ? []
    : [
        of(run, worker, {
          type: 'protect.approved',
          data: { path: request.path, patch, by: request.by },
        }),
      ];
  if (worker.state !== 'blocked' || worker.block?.kind !== 'protect') return accept(approved);
  const open = worker.block.files.filter((file) => {
    const mine = worker.work?.changed.find((one) => one.path === file);
    return (
      mine === undefined ||
      !approvals.some((one) => one.path === file && one.patch === pathPatch(mine))
    );
  });
  return accept(open.length > 0 ? approved : [...approved, onward(run, worker, 'verifying')]);
}

/** A run that was over goes on when one of its workers does. */
function reviving(run: RunState, decision: Decision): Decision {
  if (!decision.ok || decision.events.length === 0 || isRunLive(run)) return decision;
  return accept([
    { type: 'run.running', run: run.id, data: { reason: 'taken up again' } },
    ...decision.events,
  ]);
}

function refuseRoot(worker: WorkerState): Decision {
  const root = worker.blockedBy ?? '';
  return refuse(
    4,
    `${worker.id} is blocked by ${root}.`,
    `czar retry ${root}, or czar skip ${root}, settles it.`,
  );
}

function why(worker: WorkerState): string {
  return `czar why ${worker.id} tells more.`;
}

function of<T extends NewEvent>(run: RunState, worker: WorkerState, event: T): T {
  return { ...event, run: run.id, worker: worker.id };
}
