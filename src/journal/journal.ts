/**
 * The event store as the loop and the readers see it. Two implementations stand behind it: SQLite and memory; one
 * contract suite runs against both.
 *
 * Invariants: events are only ever added (A1: by the loop that holds the highest epoch); `seq` counts from 1 without
 * gaps; what `append` returned from is durable (S11); `load` equals the fold of everything that `read` gives (S10).
 */
import type { Event, EventType } from '../core/events.ts';
import type { FoldState } from '../core/evolve.ts';
import type { RepositoryState } from '../core/state.ts';

/** Which events to read; everything left out means no restriction. */
export interface EventQuery {
  /** Only events with a greater sequence number. */
  readonly after?: number;
  /** Only events up to this sequence number, inclusive. */
  readonly upTo?: number;
  readonly run?: string;
  readonly worker?: string;
  readonly types?: readonly EventType[];
  /** At most so many events, counted in reading order. */
  readonly limit?: number;
  /** Descending sequence numbers. */
  readonly newestFirst?: boolean;
}

/** Sequence number and chain hash of the last event; 0 and the genesis hash for an empty log. */
export interface Head {
  readonly seq: number;
  readonly hash: string;
}

/** The event store. Everything is synchronous; failures are thrown as `JournalError`. */
export interface Journal {
  /**
   * Adds the batch in one durable transaction, with the projections of what it touches. `state` is the state after
   * the batch. A batch whose sequence does not continue the log is a bug and throws a plain error.
   */
  append(batch: readonly Event[], state: RepositoryState): void;
  /** Events in order of `seq`; reads in pages, so that a slow consumer holds no transaction. */
  read(query?: EventQuery): Iterable<Event>;
  /**
   * The state after the last event. The caller owns the value and may fold into it; parts of it may be read only when
   * they are asked for, so the store must be open then.
   */
  load(): FoldState;
  head(): Head;
  close(): void;
}

/** Why the store cannot do what was asked. */
export type JournalReason =
  | 'full'
  | 'read-only'
  | 'io'
  | 'replaced'
  | 'corrupt'
  | 'newer'
  | 'fenced'
  | 'locked'
  | 'unsuitable'
  /** It is there, and not this user's to read. */
  | 'forbidden';

/** A failure of the store; `consequence` says whether the same call may succeed later, `next` what a person can do. */
export class JournalError extends Error {
  override readonly name = 'JournalError';
  readonly reason: JournalReason;
  readonly consequence: 'retry' | 'reject';
  readonly next: string | null;

  constructor(reason: JournalReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.consequence = reason === 'full' || reason === 'locked' ? 'retry' : 'reject';
    this.next = remedies[reason];
  }
}

const remedies: Readonly<Record<JournalReason, string | null>> = {
  full: 'free some space and try again; agents that run go on',
  locked: 'wait for that process, or end it, and try again',
  forbidden: 'run czar as the user who started the run',
  'read-only': 'status, why, events and logs work as they are; make it writable for the others',
  io: 'check the disk; czar run then looks through the whole log and takes up the agents that run',
  replaced: 'put the file back, then czar run takes up the agents that run',
  corrupt:
    'nothing more is written to it: restore it from a backup, or move its folder away and start anew (all work stays under refs/czar)',
  newer: null,
  fenced: 'czar status shows what happens now',
  unsuitable: null,
};

/** Throws unless the batch continues the log after `seq` without a gap. */
export function assertContinues(batch: readonly Event[], seq: number): void {
  batch.forEach((event, index) => {
    const expected = seq + index + 1;
    if (event.seq !== expected) throw new Error(`event ${event.seq} where ${expected} is next`);
  });
}

/**
 * The epoch under which a batch is written and the one that must be in force before it. A batch that begins a loop
 * raises the epoch; every other one must be of the loop that wrote last (S12).
 */
export function batchEpoch(
  batch: readonly Event[],
  state: RepositoryState,
): { readonly raises: boolean; readonly epoch: number } {
  return { raises: batch.some((event) => event.type === 'loop.started'), epoch: state.epoch };
}
