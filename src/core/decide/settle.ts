/** Requests that settle what blocks a worker: answer, unblock, approval of a protected path. */
import { answerAsk } from './asks.ts';
import { backToWork } from './back-to-work.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import { of, refusePaused, refuseRoot, why, type Asked } from './asked.ts';
import { pathPatch, type NewEvent } from '../events.ts';
import { pathsOpen } from '../protect.ts';
import { changeVerdicts } from '../settle.ts';
import type { RunState, WorkerState } from '../state.ts';

/** Answer to a question or a blocker. */
export function answer(run: RunState, worker: WorkerState, request: Asked<'answer'>): Decision {
  const waits = answerAsk(run, worker, request);
  if (waits !== null) return waits;
  if (worker.state === 'paused') return refusePaused(worker);
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

/** Unblock: the cause was settled. */
export function unblock(run: RunState, worker: WorkerState, request: Asked<'unblock'>): Decision {
  if (worker.state === 'paused') return refusePaused(worker);
  if (worker.state !== 'blocked' || worker.block === null) {
    return refuse(4, `${worker.id} is not blocked: it is ${worker.state}.`, why(worker));
  }
  if (worker.blockedBy !== null) return refuseRoot(worker);
  if (worker.block.kind === 'denied') {
    return refuse(
      4,
      `The launch of ${worker.id} was denied.`,
      `czar approve ${worker.id} lets it start.`,
    );
  }
  if (worker.block.kind === 'budget') {
    return refuse(
      4,
      `${worker.id} has used up its budget.`,
      `czar budget ${worker.id} --add TOKENS lets it go on.`,
    );
  }
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

/** Approval of one protected path, as it stands changed now. */
export function approvePath(
  run: RunState,
  worker: WorkerState,
  request: Asked<'approve-path'>,
): Decision {
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
  const open = pathsOpen({ ...worker, approvals }, worker.block.files);
  return accept(open.length > 0 ? approved : [...approved, onward(run, worker, 'verifying')]);
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
    case 'reviewing':
      if (changeVerdicts(run, worker).length === 0) return onward(run, worker, 'verifying');
      return of(run, worker, {
        type: 'worker.reviewing',
        data: { from: 'blocked', reason: 'unblocked' },
      });
    case 'verifying':
      return of(run, worker, {
        type: 'worker.verifying',
        data: { from: 'blocked', reason: 'unblocked', submitted: false },
      });
    case 'merging':
      // Its definition has changed since it was judged: its gates are looked at anew.
      if (changeVerdicts(run, worker).length === 0) return onward(run, worker, 'verifying');
      return of(run, worker, {
        type: 'worker.merging',
        data: { from: 'blocked', reason: 'unblocked' },
      });
  }
}
