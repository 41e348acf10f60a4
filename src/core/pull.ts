/** The pull request that a run becomes: whether it may now, and what is known of it. */
import type { Request } from './commands.ts';
import { accept, refuse, type Decision } from './decision.ts';
import { unready } from './decide-land.ts';
import type { EventOf, Principal } from './events.ts';
import type { PullState, RunState } from './state.ts';

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

/** What is known of it after an event. */
export function pullAfter(
  pull: PullState | null,
  event: EventOf<'pull.requested' | 'pull.opened' | 'pull.closed'>,
): PullState | null {
  if (event.type === 'pull.requested') {
    const { target, branch, tip } = event.data;
    const known = pull !== null && pull.target === target ? pull : null;
    const { number = null, url = null, shown = null } = known ?? {};
    return { target, branch, tip, state: 'asked', number, url, shown };
  }
  if (pull === null) return null;
  if (event.type === 'pull.closed')
    return { ...pull, state: event.data.merged ? 'merged' : 'closed' };
  const { number, url, tip } = event.data;
  return { ...pull, state: 'open', number, url, shown: tip };
}
