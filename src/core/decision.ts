/** What `decide` answers: events to append, or why nothing changes. */
import type { Rejection } from './commands.ts';
import type { NewEvent } from './events.ts';

export type Decision =
  | {
      readonly ok: true;
      readonly events: readonly NewEvent[];
      /** What a person is told, in sentences, where it is not what such a request usually comes to. */
      readonly said?: string;
    }
  | { readonly ok: false; readonly rejection: Rejection };

/** The request is accepted; no events when there is nothing left to do, and `said` where that is to be told. */
export function accept(events: readonly NewEvent[], said?: string): Decision {
  return said === undefined ? { ok: true, events } : { ok: true, events, said };
}

/** The request is refused with the exit code that it becomes, what, and what next. */
export function refuse(exit: Rejection['exit'], what: string, next: string | null): Decision {
  return { ok: false, rejection: { consequence: 'reject', exit, what, next } };
}
