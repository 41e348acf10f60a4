/**
 * Events as they are stored, and back. Stored are columns and the data as JSON text; what is hashed is exactly what is
 * stored, so that verifying needs no second serialisation.
 *
 * A change to an event's data raises `eventVersion` and adds one upcaster: a pure function from the data of the version
 * before. Old logs then fold to the same state for ever. Since version 2 plans are packed. An event type or version that
 * this program does not know is refused, never skipped.
 */
import type { Event, EventType } from '../core/events.ts';
import { JournalError } from './journal.ts';
import { packedPlan, unpackedPlan, type PackedPlan } from './packed-plan.ts';

/** Version of the event data that this program writes. */
export const eventVersion = 2;

/** The version since which plans are packed. */
const packedSince = 2;

/** One event as stored; `data` is JSON text. */
export interface StoredEvent {
  readonly v: number;
  readonly seq: number;
  readonly at: number;
  readonly run: string | null;
  readonly worker: string | null;
  readonly attempt: number | null;
  readonly type: string;
  readonly data: string;
}

/** Brings data of one version to the next one. */
export type Upcaster = (type: string, data: unknown) => unknown;

/** The columns of an event. */
export function encodeEvent(event: Event): StoredEvent {
  return {
    v: eventVersion,
    seq: event.seq,
    at: event.at,
    run: event.run ?? null,
    worker: event.worker ?? null,
    attempt: event.attempt ?? null,
    type: event.type,
    data: JSON.stringify(packed(event)),
  };
}

/** The event of a row. Throws `JournalError`: `newer` for what this program does not know, `corrupt` for nonsense. */
export function decodeEvent(row: StoredEvent, upcasters: readonly Upcaster[] = []): Event {
  if (!Number.isSafeInteger(row.seq) || row.seq < 1)
    throw corrupt(row.seq, 'has no sequence number');
  if (!Number.isSafeInteger(row.at)) throw corrupt(row.seq, 'has no time');
  if (row.v > eventVersion) throw newer(row.seq, `version ${row.v}`);
  if (!isEventType(row.type)) throw newer(row.seq, `type ${JSON.stringify(row.type)}`);
  let data = parse(row);
  for (const upcast of upcasters.slice(row.v - 1)) data = upcast(row.type, data);
  if (typeof data !== 'object' || data === null) throw corrupt(row.seq, 'has no data');
  if (row.v >= packedSince && hasPlan(row.type) && 'plan' in data)
    data = { ...data, plan: unpackedPlan(data.plan as PackedPlan) };
  return {
    seq: row.seq,
    at: row.at,
    ...(row.run === null ? {} : { run: row.run }),
    ...(row.worker === null ? {} : { worker: row.worker }),
    ...(row.attempt === null ? {} : { attempt: row.attempt }),
    type: row.type,
    data,
  } as Event;
}

function packed(event: Event): unknown {
  return 'plan' in event.data ? { ...event.data, plan: packedPlan(event.data.plan) } : event.data;
}

/** Whether events of the type have a plan. */
function hasPlan(type: EventType): boolean {
  return type === 'run.started' || type === 'plan.amended';
}

/** Whether this program knows the event type. */
export function isEventType(type: string): type is EventType {
  return Object.hasOwn(eventTypes, type);
}

function parse(row: StoredEvent): unknown {
  try {
    return JSON.parse(row.data);
  } catch {
    throw corrupt(row.seq, 'cannot be parsed');
  }
}

function corrupt(seq: number, what: string): JournalError {
  return new JournalError('corrupt', `the log is damaged: event ${seq} ${what}`);
}

function newer(seq: number, what: string): JournalError {
  return new JournalError(
    'newer',
    `the log was written by a newer czar: event ${seq} has ${what}; use that version`,
  );
}

/** Every type of event that this version knows. */
export const eventTypes: Readonly<Record<EventType, true>> = {
  'loop.started': true,
  'loop.ended': true,
  'run.started': true,
  'plan.amended': true,
  'machine.observed': true,
  'agents.missing': true,
  'disk.low': true,
  'run.prepared': true,
  'run.waiting': true,
  'run.running': true,
  'run.complete': true,
  'run.failed': true,
  'run.cancelled': true,
  'run.cancel_requested': true,
  'run.paused': true,
  'run.approval_set': true,
  'limits.changed': true,
  'worker.pending': true,
  'worker.ready': true,
  'worker.started': true,
  'worker.active': true,
  'worker.verifying': true,
  'worker.reviewing': true,
  'worker.merging': true,
  'worker.complete': true,
  'worker.blocked': true,
  'worker.paused': true,
  'worker.failed': true,
  'worker.skipped': true,
  'worker.cancelled': true,
  'worker.error': true,
  'worker.merged': true,
  'worker.stop_requested': true,
  'worker.noted': true,
  'worker.task_listed': true,
  'worker.task_started': true,
  'worker.task_completed': true,
  'worker.checkpoint': true,
  'worker.reported_blocked': true,
  'worker.asked': true,
  'worker.answered': true,
  'worker.handoff': true,
  'worker.usage': true,
  'budget.warned': true,
  'budget.exceeded': true,
  'budget.raised': true,
  'worker.report_refused': true,
  'permission.requested': true,
  'permission.answered': true,
  'answer.delivered': true,
  'permission.denied': true,
  'review.started': true,
  'review.approved': true,
  'review.changes_requested': true,
  'review.inconclusive': true,
  'attempt.session': true,
  'attempt.read': true,
  'attempt.prepared': true,
  'attempt.setup_started': true,
  'attempt.setup_passed': true,
  'attempt.ended': true,
  'work.collected': true,
  'teardown.failed': true,
  'work.kept': true,
  'kept.dropped': true,
  'pull.requested': true,
  'pull.opened': true,
  'pull.sent_back': true,
  'pull.closed': true,
  'tree.requested': true,
  'tree.made': true,
  'tree.removed': true,
  'inputs.checked': true,
  'gate.started': true,
  'gate.passed': true,
  'gate.failed': true,
  'gate.inconclusive': true,
  'protect.approved': true,
  'approval.requested': true,
  'approval.granted': true,
  'approval.denied': true,
  'merge.started': true,
  'merge.built': true,
  'merge.conflict': true,
  'merge.resolved': true,
  'merge.abandoned': true,
  'dependency.superseded': true,
  'refs.published': true,
  'refs.pushed': true,
  'refs.diverged': true,
  'land.started': true,
  'land.built': true,
  'land.refused': true,
  'run.landed': true,
  'run.synced': true,
  'prune.started': true,
  'prune.done': true,
  'uninstall.started': true,
  'effect.failed': true,
};
