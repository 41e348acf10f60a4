/** Whether a run is over, waits for a person, or goes on. */
import { openAsks } from './asks.ts';
import { lacksBudget } from './budget.ts';
import { supersededBy } from './edges.ts';
import type { NewEvent } from './events.ts';
import { foreignHolder } from './schedule/foreign-claim.ts';
import { claimHolder, heldByBarrier } from './schedule/grant.ts';
import { isFinal } from './lifecycle.ts';
import { awaitsReviewer, reviewLacksBudget } from './review.ts';
import { countIn, workersIn } from './run-index.ts';
import {
  awaitsApproval,
  workersOf,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from './state.ts';

/** The change of the run's state that is due; empty when none is. */
export function runOutcome(
  state: RepositoryState,
  run: RunState,
  now: number,
): readonly NewEvent[] {
  const at = { state, run, now };
  // Nearly always something goes on: then nobody needs to be looked at.
  if (run.state === 'running' && isUnderWay(run)) return [];
  const open = [...run.workers.values()].filter((worker) => !isOver(worker));
  if (open.length === 0) return [ending(run)];
  const moving = open.some((worker) => canGoOn(at, worker));
  if (moving) {
    return run.state === 'waiting'
      ? [{ type: 'run.running', run: run.id, data: { reason: 'work goes on' } }]
      : [];
  }
  const forPerson = open
    .filter(
      (worker) =>
        waitsForPerson(run, worker) ||
        reviewLacksBudget(at, worker) ||
        (worker.state === 'ready' && (lacksBudget(at, worker) || standsBehindOther(at, worker))),
    )
    .map((worker) => worker.id);
  if (run.state === 'running' && forPerson.length > 0) {
    return [{ type: 'run.waiting', run: run.id, data: { workers: forPerson } }];
  }
  return [];
}

function isUnderWay(run: RunState): boolean {
  if (countIn(run, 'starting', 'verifying') > 0) return true;
  return workersIn(run, 'active').some((worker) => openAsks(worker).length === 0);
}

/** Whether nothing follows for the worker without a person: final, or blocked by failure. */
export function isOver(worker: WorkerState): boolean {
  return isFinal(worker.state) || (worker.state === 'blocked' && worker.blockedBy !== null);
}

/** Whether the worker stands still until a person decides. */
export function waitsForPerson(run: RunState, worker: WorkerState): boolean {
  if (worker.state === 'ready') return awaitsApproval(run, worker);
  if (worker.state === 'active') return openAsks(worker).length > 0;
  if (worker.state === 'reviewing') return awaitsReviewer(run, worker);
  return worker.state === 'paused' || (worker.state === 'blocked' && worker.blockedBy === null);
}

/** Whether the worker goes on by itself; `behind` are those that wait for it, each for the claim of the next. */
function canGoOn(at: At, worker: WorkerState, behind: readonly WorkerState[] = []): boolean {
  const { run } = at;
  switch (worker.state) {
    case 'ready': {
      if (awaitsApproval(run, worker)) return false;
      if (heldByBarrier(run, worker) || lacksBudget(at, worker)) return false;
      const inWay = holderOf(at, worker);
      if (inWay === null) return true;
      return !behind.includes(inWay.holder) && canGoOn(inWay.at, inWay.holder, [...behind, worker]);
    }
    case 'merging':
      return supersededBy(run, worker) === null;
    case 'active':
      return openAsks(worker).length === 0;
    case 'starting':
    case 'verifying':
      return true;
    case 'reviewing':
      return !awaitsReviewer(run, worker) && !reviewLacksBudget(at, worker);
    case 'pending':
    case 'blocked':
    case 'paused':
    case 'complete':
    case 'failed':
    case 'skipped':
    case 'cancelled':
      return false;
  }
}

type At = Parameters<typeof lacksBudget>[0];

/** Whose claim is in the way; one that itself stands still does not give it up by waiting. */
function holderOf(at: At, worker: WorkerState): { at: At; holder: WorkerState } | null {
  const own = at.run.workers.get(claimHolder(at.run, worker) ?? '');
  if (own !== undefined) return { at, holder: own };
  const other = foreignHolder(at.state, at.run, worker);
  return other === null ? null : { at: { ...at, run: other.run }, holder: other.worker };
}

/** Whether the worker waits for the claim of another run that stands still: nobody of its own run is waited for. */
function standsBehindOther(at: At, worker: WorkerState): boolean {
  const inWay = holderOf(at, worker);
  return inWay !== null && inWay.at.run !== at.run && !canGoOn(inWay.at, inWay.holder);
}

function ending(run: RunState): NewEvent {
  if (run.cancelling) return { type: 'run.cancelled', run: run.id, data: { by: 'user' } };
  const members = workersOf(run);
  const short = members.filter(
    (worker) => worker.state !== 'complete' && worker.state !== 'skipped',
  );
  if (short.length === 0) return { type: 'run.complete', run: run.id, data: {} };
  const failed = short.filter((worker) => worker.state === 'failed').map((worker) => worker.id);
  const reason = `${short.length} of ${members.length} workers did not complete`;
  return {
    type: 'run.failed',
    run: run.id,
    data: { workers: failed.length > 0 ? failed : short.map((worker) => worker.id), reason },
  };
}
