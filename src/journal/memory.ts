/**
 * The event store in memory, for the simulator and for tests: the same rules as the one in SQLite, nothing durable. It
 * keeps events as they would be stored, so that what cannot be stored shows here too.
 */
import type { Event } from '../core/events.ts';
import { emptyState, evolve, type FoldState } from '../core/evolve.ts';
import type { RepositoryState } from '../core/state.ts';
import { chainHash, genesis } from './chain.ts';
import { decodeEvent, encodeEvent, type StoredEvent } from './codec.ts';
import {
  assertContinues,
  batchEpoch,
  JournalError,
  type EventQuery,
  type Head,
  type Journal,
} from './journal.ts';

/** The store in memory. */
export class MemoryJournal implements Journal {
  readonly #rows: StoredEvent[] = [];
  /** Events that were read before; values are immutable. */
  readonly #read: Event[] = [];
  #hash = genesis;
  #epoch = 0;

  append(batch: readonly Event[], state: RepositoryState): void {
    if (batch.length === 0) return;
    const { raises, epoch } = batchEpoch(batch, state);
    if (raises ? epoch <= this.#epoch : epoch !== this.#epoch) {
      throw new JournalError('fenced', 'another loop has taken over the log in memory');
    }
    assertContinues(batch, this.#rows.length);
    for (const event of batch) {
      const row = encodeEvent(event);
      this.#hash = chainHash(this.#hash, row);
      this.#rows.push(row);
    }
    this.#epoch = epoch;
  }

  *read(query: EventQuery = {}): Iterable<Event> {
    const until = Math.min(query.upTo ?? Infinity, this.#rows.length);
    const from = Math.max(query.after ?? 0, 0);
    let left = query.limit ?? Infinity;
    for (let step = 0; from + step < until && left > 0; step += 1) {
      const at = query.newestFirst === true ? until - 1 - step : from + step;
      const row = this.#rows[at];
      if (row === undefined || !matches(query, row)) continue;
      left -= 1;
      yield (this.#read[at] ??= decodeEvent(row));
    }
  }

  load(): FoldState {
    const state = emptyState();
    for (const event of this.read()) evolve(state, event);
    return state;
  }

  head(): Head {
    return { seq: this.#rows.length, hash: this.#hash };
  }

  close(): void {}
}

function matches({ run, worker, types }: EventQuery, row: StoredEvent): boolean {
  return (
    (run === undefined || row.run === run) &&
    (worker === undefined || row.worker === worker) &&
    (types === undefined || types.some((type) => type === row.type))
  );
}
