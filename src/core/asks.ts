/**
 * What a running attempt waits for an answer to, where it is: permissions, and questions with `--wait`. The worker stays
 * active meanwhile. When nobody answers in time, the answer is the policy's.
 */
import type { NewEvent } from './events.ts';
import type { WorkerDefinition } from './plan.ts';
import { workersIn } from './run-index.ts';
import type { Ask, RunState, WorkerState } from './state.ts';

/** A permission that nobody settles is denied after so long, milliseconds. */
export const deniedAfterMs = 600_000;

/** What an attempt can wait for at the same time. */
export const mostOpenAsks = 100;

/** What an agent is told that waited too long. */
export const nobodyDecided = 'Nobody answered in time. Find another way, or go on without it.';

/** What happens to a permission of the worker that nobody settles, and when. */
export function unsettled({ unanswered }: Pick<WorkerDefinition, 'unanswered'>): {
  readonly afterMs: number;
  readonly instead: 'deny' | 'fail';
} {
  // A permission is nothing that could be skipped.
  if (unanswered === undefined || unanswered.instead === 'skip')
    return { afterMs: deniedAfterMs, instead: 'deny' };
  return { afterMs: unanswered.afterMs, instead: unanswered.instead };
}

/** What the worker's attempt waits for now, oldest first. */
export function openAsks({ state, attempt, stop }: WorkerState): readonly Ask[] {
  if (state !== 'active' || attempt?.phase !== 'running' || stop !== null) return [];
  return attempt.asks.filter((ask) => ask.answer === null);
}

/** Answers that do not lie yet where the worker's attempt looks for them. */
export function undelivered({ state, attempt }: WorkerState): readonly Ask[] {
  if (state !== 'active' || attempt?.phase !== 'running') return [];
  return attempt.asks.filter((ask) => ask.answer !== null && !ask.delivered);
}

/** What nobody answered in time, answered by the policy. */
export function unansweredAsks(run: RunState, now: number): readonly NewEvent[] {
  return workersIn(run, 'active').flatMap((worker) => {
    const late = openAsks(worker).filter((ask) => ask.at + ask.afterMs <= now);
    const fails = late.some((ask) => ask.instead === 'fail');
    const answers = late.map((ask) =>
      answering(run, worker, ask, { decision: 'deny', text: nobodyDecided, by: 'policy' }),
    );
    if (!fails) return answers;
    const reason = 'nobody answered in time (if_unanswered: fail)';
    const data = { to: 'failed', by: 'policy', reason } as const;
    return [
      ...answers,
      { type: 'worker.stop_requested', run: run.id, worker: worker.id, data } as const,
    ];
  });
}

/** When the next of them is due; null when none is. */
export function nextUnanswered(run: RunState): number | null {
  const due = workersIn(run, 'active').flatMap((worker) =>
    openAsks(worker).map((ask) => ask.at + ask.afterMs),
  );
  return due.length === 0 ? null : Math.min(...due);
}

/** The event that settles what the worker's attempt waits for. */
export function answering(
  run: Pick<RunState, 'id'>,
  worker: Pick<WorkerState, 'id'>,
  { id, what }: Ask,
  answer: NonNullable<Ask['answer']>,
): NewEvent {
  const place = { run: run.id, worker: worker.id };
  if (what.kind === 'permission')
    return { type: 'permission.answered', ...place, data: { id, ...answer } };
  const { decision, text, by } = answer;
  const said = decision === 'allow' ? text : null;
  return { type: 'worker.answered', ...place, data: { id, text: said, by } };
}
