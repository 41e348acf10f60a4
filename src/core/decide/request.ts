/** What a person may ask, in which state, and what follows: the person's half of the lifecycle table. */
import type { Asked } from './asked.ts';
import type { Request } from '../commands.ts';
import { raiseRun, raiseWorker } from './budget.ts';
import { amend } from './amend.ts';
import { retry, retryFailed, reviving, submit } from './again.ts';
import { setLimits } from './limits.ts';
import { decideLanding } from './land.ts';
import { decideSync } from './sync.ts';
import { approve, deny, setApproval } from './approval.ts';
import { inPausedRun, pause, pauseRun, resume, resumeRun, tell } from './pause.ts';
import { review } from './review.ts';
import { recordPull, requestPull, sendBack } from '../pull.ts';
import { dropKept } from './kept.ts';
import { makeTree, removeTree } from '../tended-trees.ts';
import { answer, approvePath, unblock } from './settle.ts';
import { cancel, cancelRun, skip } from './stop.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { NewEvent, Principal } from '../events.ts';
import { same } from '../limits.ts';
import { isPlanned, isRunLive, type RepositoryState, type RunState } from '../state.ts';

/** Requests that would let a worker go on: not while its run is being cancelled, where nothing starts. */
const goesOn: ReadonlySet<Request['kind']> = new Set([
  'retry',
  'retry-failed',
  'submit',
  'answer',
  'unblock',
  'pause',
  'resume',
  'amend',
  'approve',
  'deny',
  'review',
  'make-tree',
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
    case 'sync':
      return decideSync(run, request, now);
    case 'request-pull':
      return requestPull(run, request);
    case 'record-pull':
      return recordPull(run, request);
    case 'send-back':
      return sendBack(run, request);
    case 'raise-budget':
      if (request.scope !== 'worker') return raiseRun(state, run, { request, now });
      break;
    case 'amend':
      return amendWith(run, request);
    case 'approve':
      return approve(run, request);
    case 'deny':
      return deny(run, request);
    case 'set-approval':
      return setApproval(run, request);
    case 'set-limits':
      return setLimits(run, request);
    case 'set-missing-agents':
      return accept(missingAgents(run, request.agents));
    case 'retry-failed':
      return retryFailed(run, request);
    case 'cancel':
      if (request.worker === null) return cancelRun(run, request);
      break;
    case 'pause':
      if (request.worker === null) return pauseRun(run, request);
      break;
    case 'resume':
      if (request.worker === null) return resumeRun(run);
      break;
    case 'retry':
    case 'submit':
    case 'skip':
    case 'answer':
    case 'unblock':
    case 'approve-path':
    case 'tell':
    case 'review':
    case 'drop-kept':
    case 'make-tree':
    case 'remove-tree':
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
  if (request.kind === 'drop-kept') return dropKept(run, worker, request);
  if (request.kind === 'remove-tree') return removeTree(run, worker, request);
  if (!isPlanned(run, worker.id) && request.kind !== 'cancel') {
    return refuse(
      4,
      `${worker.id} is not in the plan any more.`,
      'Put its file back, and czar plan amend takes it in again.',
    );
  }
  switch (request.kind) {
    case 'retry':
      return inPausedRun(run, worker, reviving(run, retry(run, worker, request)));
    case 'submit':
      return inPausedRun(run, worker, reviving(run, submit(run, worker, request)));
    case 'skip':
      // Nothing of a cancelled run goes on for it: it stays what it is.
      return run.state === 'cancelled'
        ? skip(run, worker, request)
        : reviving(run, skip(run, worker, request));
    case 'raise-budget':
      return raiseWorker(run, worker, request);
    case 'cancel':
      return cancel(run, worker, request);
    case 'answer':
      return answer(run, worker, request);
    case 'unblock':
      return inPausedRun(run, worker, unblock(run, worker, request));
    case 'approve-path':
      return approvePath(run, worker, request);
    case 'pause':
      return pause(run, worker, request);
    case 'resume':
      return inPausedRun(run, worker, resume(run, worker, request));
    case 'tell':
      return tell(run, worker, request);
    case 'review':
      return review(run, worker, request);
    case 'make-tree':
      return makeTree(run, worker, request);
  }
}

/** The amendment, with what is told of its agents. */
function amendWith(run: RunState, request: Asked<'amend'>): Decision {
  const decision = amend(run, request);
  const { missing } = request;
  if (!decision.ok || missing === undefined) return decision;
  return accept([...decision.events, ...missingAgents(run, missing)]);
}

/** What is told of agents that are not installed: when others are now than were. */
function missingAgents(
  { id, missing }: Pick<RunState, 'id' | 'missing'>,
  agents: readonly string[],
): readonly NewEvent[] {
  return same(agents, missing) ? [] : [{ type: 'agents.missing', run: id, data: { agents } }];
}

function startRun(state: RepositoryState, request: Asked<'start-run'>): Decision {
  if (state.runs.has(request.run)) return refuse(4, `Run ${request.run} exists already.`, null);
  const { run, checkout = '', plan, base, integration, target, scope } = request;
  const data = {
    checkout,
    plan,
    base,
    integration,
    target,
    scope,
    ...(request.approve === true ? { approve: true as const } : {}),
    ...(request.sources === undefined ? {} : { sources: request.sources }),
  };
  return accept([
    { type: 'run.started', run, data },
    ...missingAgents({ id: run, missing: [] }, request.missing ?? []),
    ...plan.workers.map((worker): NewEvent => ({
      type: 'worker.pending',
      run,
      worker: worker.id,
      data: { from: null, reason: 'planned', by: 'user', note: null, clean: true },
    })),
  ]);
}
