/**
 * Events as lines: one event is one line, whatever an agent put into it.
 *
 * `line` shows every event as `TIME WORKER TYPE key=value…` (`-` where no worker is concerned); `classic` only those
 * that have a classic name; `json` is the event's document.
 */
import type { Event, EventType } from '../core/events.ts';
import { eventDocument } from './event-document.ts';
import { eventFields, type TokensOf } from './event-fields.ts';
import type { Field } from './home-fields.ts';
import { secondStamp } from './figures.ts';

export type EventFormat = 'line' | 'classic' | 'json';

/** The names of the classic event log. */
export const classicNames: Readonly<Partial<Record<EventType, string>>> = {
  'worker.started': 'WORKER_START',
  'worker.task_started': 'TASK_START',
  'worker.checkpoint': 'CHECKPOINT',
  'worker.task_completed': 'TASK_COMPLETE',
  'worker.blocked': 'BLOCKED',
  'worker.error': 'ERROR',
  'worker.complete': 'WORKER_COMPLETE',
};

/** The event as one line without a line break; null when the format leaves it out. */
export function renderEvent(
  event: Event,
  options: { readonly format: EventFormat; readonly tokens: TokensOf },
): string | null {
  if (options.format === 'json') return JSON.stringify(eventDocument(event));
  const classic = classicNames[event.type];
  if (classic === undefined && options.format === 'classic') return null;
  const name = classic ?? event.type.replaceAll('.', '_').toUpperCase();
  const fields = eventFields(event, options.tokens).map(renderField);
  return [secondStamp(event.at), event.worker ?? '-', name, ...fields].join(' ');
}

function renderField([key, value]: Field): string {
  return `${key}=${typeof value === 'number' ? String(value) : renderValue(value)}`;
}

/** The value as it is when nothing in it could be misread, else in quotes with JSON's escapes. */
function renderValue(value: string): string {
  if (/^[\p{L}\p{N}._:/@+,~%#→-]+$/u.test(value)) return value;
  return JSON.stringify(value).replace(
    /[\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
