/** Events of a person's doing that the core has no part in, appended by whoever holds the lock. */
import { evolve } from '../core/evolve.ts';
import type { Event, NewEvent } from '../core/events.ts';
import type { HeldLog } from '../daemon/hold-log.ts';

/** Appends the event durably, and brings the log files up to date; never before the last one in time. */
export function appendAlone(held: HeldLog, event: NewEvent, now: number): void {
  const { journal } = held;
  const state = journal.load();
  const [last] = journal.read({ newestFirst: true, limit: 1 });
  const placed: Event = { ...event, seq: state.seq + 1, at: Math.max(now, last?.at ?? 0) };
  evolve(state, placed);
  journal.append([placed], state);
  held.derive();
}
