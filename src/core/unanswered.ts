/**
 * What waits for a person, since when, and what happens by itself when nobody answers in time (`if_unanswered`, `after`).
 * Nothing does while the run is paused. What a person has decided (a denial, a pause) waits for that person.
 */
import { backToWork } from './decide/back-to-work.ts';
import { of } from './decide/asked.ts';
import { subjectOf } from './decide/review.ts';
import { awaitsReviewer } from './review.ts';
import { denying } from './decide/approval.ts';
import type { NewEvent } from './events.ts';
import type { Plan } from './plan.ts';
import { workersIn } from './run-index.ts';
import {
  approvalOf,
  awaitsApproval,
  definitionOf,
  type RunState,
  type WorkerState,
} from './state.ts';

/** What happens when nobody answers, and when (milliseconds since 1970). */
export interface Fallback {
  readonly instead: 'deny' | 'skip' | 'fail';
  readonly afterMs: number;
  readonly at: number;
}

/** What an agent is told whose question nobody answered. */
export const nobodyAnswered =
  'Nobody answered in time. Go on without an answer: find another way, and say in your handoff what you assumed.';

/** Since when the worker waits for a person; null when it does not. */
export function waitsSince(run: RunState, worker: WorkerState): number | null {
  if (awaitsApproval(run, worker)) return approvalOf(run, worker)?.at ?? null;
  if (awaitsReviewer(run, worker)) return worker.since;
  if (worker.state === 'paused') return worker.pausedWithRun ? null : worker.since;
  return worker.state === 'blocked' && worker.blockedBy === null ? worker.since : null;
}

/** What happens with the worker when nobody answers; null when it goes on waiting. */
export function fallbackOf(run: RunState, worker: WorkerState): Fallback | null {
  const { unanswered } = definitionOf(run, worker.id);
  const since = waitsSince(run, worker);
  if (unanswered === undefined || since === null || run.state === 'paused' || run.cancelling)
    return null;
  if (worker.state === 'paused' || worker.block?.kind === 'denied') return null;
  if (unanswered.instead === 'deny' && !canDeny(worker)) return null;
  // Nothing is merged, and nothing passed over, because nobody looked at it.
  if (unanswered.instead === 'skip' && worker.state === 'reviewing') return null;
  return { ...unanswered, at: since + unanswered.afterMs };
}

/** A launch can be denied, and a question once: whoever asks again after that waits for a person. */
function canDeny({ state, block, notes }: WorkerState): boolean {
  if (state === 'ready' || state === 'reviewing') return true;
  if (block?.kind !== 'question' && block?.kind !== 'blocker') return false;
  return !notes.some((note) => note.kind === 'answer' && note.text === nobodyAnswered);
}

/** What nobody answered in time, dealt with as the plan says. */
export function unanswered(run: RunState, now: number): readonly NewEvent[] {
  return waiting(run).flatMap((worker) => {
    const fallback = fallbackOf(run, worker);
    return fallback === null || fallback.at > now ? [] : dealtWith(run, worker, fallback);
  });
}

/** When the next of them is due; null when none is. */
export function nextFallback(run: RunState): number | null {
  const due = waiting(run).flatMap((worker) => fallbackOf(run, worker)?.at ?? []);
  return due.length === 0 ? null : Math.min(...due);
}

function waiting(run: RunState): readonly WorkerState[] {
  return hasFallbacks(run.plan) ? workersIn(run, 'ready', 'blocked', 'reviewing') : [];
}

function dealtWith(run: RunState, worker: WorkerState, { instead }: Fallback): readonly NewEvent[] {
  const place = { run: run.id, worker: worker.id };
  const from = worker.state;
  const by = 'policy';
  const reason = `nobody answered in time (if_unanswered: ${instead})`;
  switch (instead) {
    case 'skip':
      return [{ type: 'worker.skipped', ...place, data: { from, reason, by, satisfies: false } }];
    case 'fail':
      return [{ type: 'worker.failed', ...place, data: { from, reason, by, blockedBy: null } }];
    case 'deny':
      if (from === 'reviewing') return [unreviewed(run, worker)];
      if (from === 'ready') return denying(run, worker, { by, why: 'nobody answered in time' });
      return [
        { type: 'worker.noted', ...place, data: { by, kind: 'answer', text: nobodyAnswered } },
        backToWork(run, worker, reason),
      ];
  }
}

/** What nobody reviewed in time is not merged: its agent looks at it once more. */
function unreviewed(run: RunState, worker: WorkerState): NewEvent {
  return of(run, worker, {
    type: 'review.changes_requested',
    data: {
      ...subjectOf(run, worker),
      reviewer: 'policy',
      by: 'policy',
      n: null,
      text: 'Nobody reviewed it in time. Look at your change once more as a reviewer would, and mend what you find.',
      findings: [],
    },
  });
}

const known = new WeakMap<Plan, boolean>();

/** Whether any worker has such a rule: told once for each plan. */
function hasFallbacks(plan: Plan): boolean {
  const found = known.get(plan) ?? plan.workers.some((one) => one.unanswered !== undefined);
  known.set(plan, found);
  return found;
}
