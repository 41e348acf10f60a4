/** Requests about launches that wait for a person: approve, deny, and whether the run asks at all. */
import { awaited } from '../approval.ts';
import { of, why, type Asked } from './asked.ts';
import { awaitedPermissions, settleAsk } from './asks.ts';
import { backToWork } from './back-to-work.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { NewEvent, Principal } from '../events.ts';
import { approvalOf, definitionOf, isRunLive, type RunState, type WorkerState } from '../state.ts';

/** Approval of these workers, or of all that ask: all of them or, when one is refused, none. */
export function approve(run: RunState, request: Asked<'approve'>): Decision {
  const decision = each(run, request.workers, {
    launch: (worker) => approveOne(run, worker, request.by),
    ask: (worker, id) => settleAsk(run, worker, id, { ...request, decision: 'allow', text: null }),
  });
  if (!decision.ok || run.state !== 'paused') return decision;
  return accept(
    decision.events,
    `Approved, and nothing starts yet: run ${run.id} is paused, and czar resume lets it go on.`,
  );
}

/** Denial of these workers, or of all that ask: all of them or, when one is refused, none. */
export function deny(run: RunState, request: Asked<'deny'>): Decision {
  const text = request.why;
  return each(run, request.workers, {
    launch: (worker) => denyOne(run, worker, request),
    ask: (worker, id) => settleAsk(run, worker, id, { ...request, decision: 'deny', text }),
  });
}

/** Whether launches of the run wait for a person from now on. */
export function setApproval(run: RunState, request: Asked<'set-approval'>): Decision {
  if (!isRunLive(run)) return refuse(4, `Run ${run.id} is ${run.state} already.`, null);
  const { by, approve: on } = request;
  if (run.approve === on) return accept([]);
  return accept([{ type: 'run.approval_set', run: run.id, data: { approve: on, by } }]);
}

/** Events that deny the launch of a ready worker: it is blocked until somebody approves. */
export function denying(
  run: RunState,
  worker: WorkerState,
  said: { readonly by: Principal; readonly why: string | null },
): readonly NewEvent[] {
  const text = said.why === null ? 'its launch was denied' : `its launch was denied: ${said.why}`;
  const block = { kind: 'denied', step: 'ready', text, findings: [], files: [] } as const;
  return [
    of(run, worker, { type: 'approval.denied', data: { ...subject(run, worker), ...said } }),
    of(run, worker, {
      type: 'worker.blocked',
      data: { from: worker.state, reason: text, block, blockedBy: null },
    }),
  ];
}

function each(
  run: RunState,
  ids: readonly string[] | null,
  one: {
    readonly launch: (worker: WorkerState) => Decision;
    readonly ask: (worker: WorkerState, ask: string) => Decision;
  },
): Decision {
  const named = [...new Set(ids ?? [...awaited(run), ...awaitedPermissions(run)])];
  if (named.length === 0) {
    return refuse(
      4,
      `Nothing waits for an approval in run ${run.id}.`,
      'czar inbox shows what waits.',
    );
  }
  const events: NewEvent[] = [];
  for (const name of named) {
    const [id = '', ask] = name.split('/', 2);
    const worker = run.workers.get(id);
    if (worker === undefined) {
      return refuse(
        3,
        `There is no worker ${id} in run ${run.id}.`,
        'czar status lists the workers.',
      );
    }
    const decision = ask === undefined ? one.launch(worker) : one.ask(worker, ask);
    if (!decision.ok) return decision;
    events.push(...decision.events);
  }
  return accept(events);
}

function approveOne(run: RunState, worker: WorkerState, by: Principal): Decision {
  const granted = of(run, worker, {
    type: 'approval.granted',
    data: { ...subject(run, worker), by },
  });
  if (worker.state === 'blocked' && worker.block?.kind === 'denied') {
    return accept([granted, backToWork(run, worker, 'approved after all', 'interrupted')]);
  }
  const said = approvalOf(run, worker)?.state;
  if (worker.state === 'ready' && said === 'asked') return accept([granted]);
  if (said === 'granted' || isUnderWay(worker)) return accept([]);
  return refuse(
    4,
    `${worker.id} asks for no approval of its launch: it is ${worker.state}.`,
    next(worker),
  );
}

/** What else there may be to approve of it. */
function next(worker: WorkerState): string {
  if (worker.state === 'reviewing')
    return `czar review ${worker.id} --approve approves its change.`;
  return worker.block?.kind === 'protect'
    ? `czar approve ${worker.id} --path PATH approves a protected path.`
    : why(worker);
}

function denyOne(run: RunState, worker: WorkerState, request: Asked<'deny'>): Decision {
  if (worker.state === 'blocked' && worker.block?.kind === 'denied') return accept([]);
  if (worker.state === 'ready' && approvalOf(run, worker) !== null)
    return accept(denying(run, worker, { by: request.by, why: request.why }));
  const begun = isUnderWay(worker);
  return refuse(
    4,
    begun
      ? `${worker.id} was approved and has started.`
      : `${worker.id} asks for no approval of its launch: it is ${worker.state}.`,
    begun ? `czar cancel ${worker.id} stops it.` : why(worker),
  );
}

/** Whether it lives on an approval that was given. */
function isUnderWay({ state, approval, attempts }: WorkerState): boolean {
  const granted = approval?.state === 'granted' && approval.attempt === attempts;
  return granted && (state === 'starting' || state === 'active');
}

function subject(
  run: RunState,
  worker: WorkerState,
): { readonly attempt: number; readonly definition: string } {
  return { attempt: worker.attempts + 1, definition: definitionOf(run, worker.id).hash };
}
