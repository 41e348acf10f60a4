/** The pull request that a run becomes: whether it may now, and what is known of it. */
import type { Request } from './commands.ts';
import { accept, refuse, type Decision } from './decision.ts';
import { reviving } from './decide/again.ts';
import { unready } from './decide/land.ts';
import type { EventOf, NewEvent, Principal } from './events.ts';
import type { Plan, WorkerDefinition } from './plan.ts';
import { isRunLive, type PullState, type RunState } from './state.ts';

type Asked<K extends Request['kind']> = Extract<Request, { kind: K }> & {
  readonly by: Principal;
};

/** Asks for it: of a run that is complete, unless a part is wanted, and shown in the user's repository. */
export function requestPull(run: RunState, request: Asked<'request-pull'>): Decision {
  const { target, partial, by } = request;
  const why = unready(run, partial, 'czar land --pr --partial');
  if (why !== null) return why;
  const branch = run.integration;
  const tip = run.tip ?? '';
  if (run.published[`refs/heads/${branch}`] !== tip) {
    return refuse(
      4,
      `${branch} is not in your repository as it was merged.`,
      'czar branch status shows why; czar run brings it up to date.',
    );
  }
  const { pull } = run;
  const same = pull?.state === 'asked' && pull.target === target && pull.tip === tip;
  if (same) return accept([]);
  const data = { target, branch, tip, by };
  return accept([{ type: 'pull.requested', run: run.id, data }]);
}

/** Records it as it was found; nothing when that is known. */
export function recordPull(run: RunState, request: Asked<'record-pull'>): Decision {
  const { number, url, tip, program, state } = request;
  const { pull } = run;
  if (pull === null)
    return refuse(3, `Run ${run.id} has no pull request.`, 'czar land --pr opens one.');
  if (pull.state === state && pull.number === number && pull.shown === tip) return accept([]);
  if (state === 'open')
    return accept([{ type: 'pull.opened', run: run.id, data: { number, url, tip, program } }]);
  if (pull.state === state) return accept([]);
  return accept([{ type: 'pull.closed', run: run.id, data: { url, merged: state === 'merged' } }]);
}

/**
 * Sends back what was said of it: a new worker for each owner, in one amendment with the record. Only while all that is
 * merged is shown there, and nothing of the run is under way.
 */
export function sendBack(run: RunState, request: Asked<'send-back'>): Decision {
  const { number, tip, plan, followUps, by } = request;
  const { pull } = run;
  if (pull?.state !== 'open' || pull.number !== number)
    return refuse(4, `Pull request ${number} of run ${run.id} is not open.`, 'czar land --pr');
  if (isRunLive(run))
    return refuse(
      4,
      `Run ${run.id} is at work.`,
      'czar run goes on with it; then it is sent back.',
    );
  if (tip !== pull.shown || tip !== run.tip)
    return refuse(4, `What is merged is not what the pull request shows.`, 'czar land --pr');
  const fresh = request.remarks.filter(({ id }) => !pull.seen.includes(id));
  if (fresh.length === 0) return accept([]);
  const remarks = fresh.map(({ id, kind, by: author, file, line, owner: wrote }) => {
    const owner = mends(pull, wrote);
    return { id, kind, by: author, file, line, owner, worker: followUps[owner] ?? null };
  });
  const added = [...new Set(remarks.flatMap(({ worker }) => worker ?? []))];
  const told: NewEvent = { type: 'pull.sent_back', run: run.id, data: { number, remarks, by } };
  if (added.length === 0) return accept([told]);
  if (!isOnly(run, plan, added))
    return refuse(4, `The plan of run ${run.id} has changed meanwhile.`, 'czar land --watch');
  const { scope } = run;
  const data = { plan, scope, by, added, changed: [], removed: [] };
  const joined = added.map((worker): NewEvent => {
    const reason = `said of pull request ${number}`;
    const pending = { from: null, reason, by, note: null, clean: true };
    return { type: 'worker.pending', run: run.id, worker, data: pending };
  });
  return reviving(run, accept([{ type: 'plan.amended', run: run.id, data }, told, ...joined]));
}

/** Whether the plan is that of the run, with these workers and no others beside its own. */
function isOnly(run: RunState, plan: Plan, added: readonly string[]): boolean {
  const named = ({ id, hash }: WorkerDefinition): string => `${id} ${hash}`;
  const others = plan.workers.filter(({ id }) => !added.includes(id)).map(named);
  return others.join('\n') === run.plan.workers.map(named).join('\n');
}

/** The worker whose work this is, or mends: one that mends what was said of another's work stands for that one. */
export function mends(pull: PullState | null, worker: string): string {
  return pull?.followUps.find((one) => one.worker === worker)?.owner ?? worker;
}

/** Definitions of the workers that the run has because of its pull request, and that stand in no file. */
export function followUpsOf({ pull, plan }: Pick<RunState, 'pull' | 'plan'>): WorkerDefinition[] {
  const own = new Set(pull?.followUps.map(({ worker }) => worker));
  return plan.workers.filter(({ id }) => own.has(id));
}

type PullEvent = EventOf<'pull.requested' | 'pull.opened' | 'pull.sent_back' | 'pull.closed'>;

/** What is known of it after an event. */
export function pullAfter(pull: PullState | null, event: PullEvent): PullState | null {
  if (event.type === 'pull.requested') {
    const { target, branch, tip } = event.data;
    const known = pull !== null && pull.target === target ? pull : null;
    const { number = null, url = null, shown = null } = known ?? {};
    const { seen = [], followUps = [] } = pull ?? {};
    return { target, branch, tip, state: 'asked', number, url, shown, seen, followUps };
  }
  if (pull === null) return null;
  if (event.type === 'pull.sent_back') return sentBack(pull, event.data.remarks);
  if (event.type === 'pull.closed')
    return { ...pull, state: event.data.merged ? 'merged' : 'closed' };
  const { number, url, tip } = event.data;
  return { ...pull, state: 'open', number, url, shown: tip };
}

function sentBack(
  pull: PullState,
  remarks: EventOf<'pull.sent_back'>['data']['remarks'],
): PullState {
  const made = new Map(
    remarks.flatMap(({ worker, owner }) => (worker === null ? [] : [[worker, owner] as const])),
  );
  return {
    ...pull,
    seen: [...pull.seen, ...remarks.map(({ id }) => id)],
    followUps: [...pull.followUps, ...[...made].map(([worker, owner]) => ({ worker, owner }))],
  };
}
