/** An event as the world outside sees it: `events.jsonl`, `czar events --json`. */
import type { Event } from '../core/events.ts';
import { timestamp } from './figures.ts';

/** Version of the document. */
export const eventDocumentVersion = 1;

/** One event; `ts` is ISO 8601 in UTC with milliseconds. */
export interface EventDocument {
  readonly v: typeof eventDocumentVersion;
  readonly seq: number;
  readonly ts: string;
  readonly run?: string;
  readonly worker?: string;
  readonly attempt?: number;
  readonly type: string;
  readonly data: unknown;
}

/** The document of an event. */
export function eventDocument(event: Event): EventDocument {
  const { seq, at, run, worker, attempt, type, data } = event;
  return {
    v: eventDocumentVersion,
    seq,
    ts: timestamp(at),
    ...(run === undefined ? {} : { run }),
    ...(worker === undefined ? {} : { worker }),
    ...(attempt === undefined ? {} : { attempt }),
    type,
    data,
  };
}
