/**
 * Rows of the log as they are written, and as they are read: each is checked against the chain before anyone sees it, so
 * that what is shown, folded or decided on is what was once appended. Reading a part of the log checks that part.
 */
import { chainHash, genesis } from './chain.ts';
import type { Event } from '../core/events.ts';
import { encodeEvent, type StoredEvent } from './codec.ts';
import type { EventQuery, Head } from './journal.ts';

/** A row with the hash that is stored beside it. */
export type StoredWithHash = StoredEvent & { readonly hash: string };

/** The rows of a batch that is appended after `before`. */
export function chained(batch: readonly Event[], before: Head): readonly StoredWithHash[] {
  let { hash } = before;
  return batch.map((event) => {
    const row = encodeEvent(event);
    hash = chainHash(hash, row);
    return { ...row, hash };
  });
}

/** What is wrong at an event. */
export interface Damage {
  readonly seq: number;
  readonly problem: string;
}

/** Checks the pages of one reading, in their order. */
export interface LinkCheck {
  /** The first row of the page that does not hold, or null. */
  readonly page: (rows: readonly StoredWithHash[]) => Damage | null;
  /** What is missing behind the last page, or null; `complete` when nothing but the log's end ended the reading. */
  readonly end: () => Damage | null;
}

/**
 * The check of a reading. `head` is where the log stood before it; `hashOf` gives the stored hash of an event (null:
 * there is none).
 */
export function linkCheck(
  query: EventQuery,
  from: { readonly head: Head; readonly hashOf: (seq: number) => string | null },
): LinkCheck {
  const { head, hashOf } = from;
  const newest = query.newestFirst === true;
  const step = newest ? -1 : 1;
  const first = Math.max(query.after ?? 0, 0) + 1;
  const last = Math.min(query.upTo ?? Infinity, head.seq);
  const whole = query.run === undefined && query.worker === undefined && query.types === undefined;
  /** The row given out last, and the one that must come next when nothing is passed over. */
  let before: StoredWithHash | null = null;
  let next = newest ? last : first;

  const hashBefore = (row: StoredWithHash, neighbour: StoredWithHash | null): string | null => {
    if (row.seq === 1) return genesis;
    return neighbour?.seq === row.seq - 1 ? neighbour.hash : hashOf(row.seq - 1);
  };
  const damageOf = (row: StoredWithHash, neighbour: StoredWithHash | null): Damage | null => {
    if (whole && row.seq !== next) {
      // A loop may have gone on since: then the newest are more than there were.
      const grown = newest && before === null && row.seq > next;
      if (!grown) return { seq: next, problem: `event ${next} is missing` };
    }
    if (!isWanted(query, row)) return { seq: row.seq, problem: `event ${row.seq} was changed` };
    const previous = hashBefore(row, neighbour);
    if (previous === null) return { seq: row.seq - 1, problem: `event ${row.seq - 1} is missing` };
    return chainHash(previous, row) === row.hash
      ? null
      : { seq: row.seq, problem: `event ${row.seq} was changed` };
  };
  return {
    page: (rows) => {
      for (const [index, row] of rows.entries()) {
        const neighbour = newest ? (rows[index + 1] ?? null) : before;
        const damage = damageOf(row, neighbour);
        if (damage !== null) return damage;
        before = row;
        next = row.seq + step;
      }
      return null;
    },
    end: () => {
      const missing = newest ? next >= first : next <= last;
      return whole && missing ? { seq: next, problem: `event ${next} is missing` } : null;
    },
  };
}

/** Whether a row is one that was asked for: an index that is damaged leads to others. */
function isWanted(query: EventQuery, row: StoredEvent): boolean {
  return (
    (query.run === undefined || row.run === query.run) &&
    (query.worker === undefined || row.worker === query.worker) &&
    (query.types === undefined || query.types.some((type) => type === row.type))
  );
}
