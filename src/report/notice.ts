/** What somebody who is told of an event gets to know. */
import { daemonGaveUp } from '../core/notify.ts';
import type { Event } from '../core/events.ts';
import { requestText } from '../core/permissions.ts';
import { oneLine } from './cells.ts';
import { eventDocument, eventDocumentVersion } from './event-document.ts';
import { timestamp } from './figures.ts';

/** An event on its way to somebody. */
export interface Notice {
  /** The same at every try, and for no other event of this log: `RUN/SEQ`. */
  readonly id: string;
  readonly type: string;
  readonly run: string | null;
  readonly worker: string | null;
  /** In words, on one line: whom it is about, and what happened. */
  readonly title: string;
  readonly text: string;
  /** The event as JSON, on one line. */
  readonly json: string;
}

/** The notice of an event. */
export function noticeOf(event: Event): Notice {
  const { seq, type, run = null, worker = null } = event;
  const who = worker ?? (run === null ? null : `run ${run}`);
  return {
    id: `${run ?? 'log'}/${seq}`,
    type,
    run,
    worker,
    title: oneLine(who === null ? 'czar' : `czar: ${who}`),
    text: oneLine(textOf(event)).slice(0, 300),
    json: JSON.stringify(eventDocument(event)),
  };
}

/** The notice of a daemon that is not started again; `at` (milliseconds since 1970) is when that was decided. */
export function gaveUpNotice(gaveUp: {
  readonly deaths: number;
  readonly code: number;
  readonly at: number;
}): Notice {
  const { at, ...data } = gaveUp;
  return {
    id: `daemon/${at}`,
    type: daemonGaveUp,
    run: null,
    worker: null,
    title: 'czar: the daemon',
    text: `it died ${data.deaths} times in ten minutes and is not started again`,
    json: JSON.stringify({
      v: eventDocumentVersion,
      ts: timestamp(at),
      type: daemonGaveUp,
      data,
    }),
  };
}

function textOf({ type, data }: Event): string {
  if (type === 'approval.requested') return `may attempt ${data.attempt} start?`;
  if (type === 'permission.requested')
    return `${data.id} waits for permission: ${requestText(data.request)}`;
  if (type === 'run.waiting') return `waits for a person: ${data.workers.join(', ')}`;
  const what = type.replace(/^(?:worker|run)\./, '').replace(/[._]/g, ' ');
  if ('reason' in data) return `${what}: ${data.reason}`;
  if ('text' in data) return `${what}: ${data.text}`;
  return 'error' in data ? `${what}: ${data.error}` : what;
}
