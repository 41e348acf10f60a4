/** The attempts of one worker, told from its events: state holds the last one only. */
import type { AttemptEnd, Event, EventType } from '../core/events.ts';

/** One attempt; times in milliseconds since 1970. */
export interface AttemptRecord {
  readonly n: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Who made it in place of the worker's own agent, with why; null when that one did. */
  readonly agent: { readonly name: string; readonly why: string } | null;
  /** What became of it in one sentence, `running` while it is not over. */
  readonly outcome: string;
}

/** The types of event that `attemptsOf` needs. */
export const attemptEvents: readonly EventType[] = [
  'worker.started',
  'attempt.ended',
  'worker.error',
];

/** The attempts that events of one worker tell of, oldest first. */
export function attemptsOf(events: Iterable<Event>): readonly AttemptRecord[] {
  const attempts: AttemptRecord[] = [];
  const amend = (change: Partial<AttemptRecord>): void => {
    const last = attempts.pop();
    if (last !== undefined) attempts.push({ ...last, ...change });
  };
  for (const event of events) {
    if (event.type === 'worker.started') {
      const { attempt, agent = null } = event.data;
      attempts.push({
        n: attempt,
        startedAt: event.at,
        endedAt: null,
        agent,
        outcome: 'running',
      });
    } else if (event.type === 'attempt.ended') {
      amend({ endedAt: event.at, outcome: outcome(event.data.end) });
    } else if (event.type === 'worker.error') {
      amend({ endedAt: attempts.at(-1)?.endedAt ?? event.at, outcome: event.data.error });
    }
  }
  return attempts;
}

function outcome(end: AttemptEnd): string {
  switch (end.how) {
    case 'exited':
      return end.code === 0 ? 'ended well' : `ended with exit code ${end.code}`;
    case 'stopped':
      return `stopped (${end.why})`;
    case 'lost':
      return `lost: ${end.why}`;
  }
}
