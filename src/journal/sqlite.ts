/**
 * The event store in one SQLite file. Owns its connection and the record of what the projection rows hold.
 *
 * Invariants: a batch, its projection rows and the head move in one transaction with `synchronous=FULL` (S11); the head
 * moves by compare-and-swap over sequence, hash and epoch, so that a loop that was overtaken writes nothing (S12); the
 * file is the one that was opened, checked before each batch; after an I/O error nothing more is written through this
 * connection, since what the disk holds is unknown.
 */
import { statSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Event } from '../core/events.ts';
import { emptyState, evolve, type FoldState } from '../core/evolve.ts';
import type { RepositoryState } from '../core/state.ts';
import { chainHash, genesis, type ChainCheck } from './chain.ts';
import { decodeEvent, encodeEvent, type StoredEvent } from './codec.ts';
import {
  assertContinues,
  batchEpoch,
  JournalError,
  type EventQuery,
  type Head,
  type Journal,
} from './journal.ts';
import { openForReading, openForWriting } from './open-database.ts';
import {
  allRows,
  markWritten,
  projectionVersion,
  rowChanges,
  rowSum,
  stateOfRows,
  writtenOf,
  type Row,
  type RowChange,
  type Written,
} from './projection.ts';
import { selectEvents } from './select-events.ts';
import { asJournalError, journalError } from './sqlite-error.ts';

/** Opens the store for the loop and makes it when it is missing. Throws `JournalError`. */
export function openJournal(path: string): SqliteJournal {
  return new SqliteJournal(path, openForWriting(path), true);
}

/** Opens the store for reading; null when there is no log yet. Throws `JournalError`. */
export function openJournalForReading(path: string): SqliteJournal | null {
  const db = openForReading(path);
  return db === null ? null : new SqliteJournal(path, db, false);
}

type StoredWithHash = StoredEvent & { readonly hash: string };

interface HeadRow extends Head {
  readonly epoch: number;
  readonly projection_version: number;
  readonly projection_seq: number;
}

/** The store in SQLite. `using` closes it. */
export class SqliteJournal implements Journal {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #writes: boolean;
  readonly #file: string | null;
  readonly #statements = new Map<string, StatementSync>();
  #written: Written | null = null;
  #broken: JournalError | null = null;

  constructor(path: string, db: DatabaseSync, writes: boolean) {
    this.#path = path;
    this.#db = db;
    this.#writes = writes;
    this.#file = fileIdentity(path);
  }

  append(batch: readonly Event[], state: RepositoryState): void {
    const last = batch.at(-1);
    if (last === undefined) return;
    this.#assertWritable();
    const before = this.head();
    const rows = chained(batch, before);
    const written = this.#written ?? writtenOf(this.load());
    const changes = rowChanges(batch, state, written);
    this.#transaction('BEGIN IMMEDIATE', () => {
      this.#moveHead(before, { seq: last.seq, hash: rows.at(-1)?.hash ?? '' }, batch, state);
      assertContinues(batch, before.seq);
      for (const row of rows) this.#insertEvent(row);
      this.#apply(changes);
    });
    markWritten(written, state, changes);
    this.#written = written;
  }

  *read(query: EventQuery = {}): Iterable<Event> {
    for (const row of this.#rows(query)) yield decodeEvent(row);
  }

  load(): FoldState {
    return this.#transaction('BEGIN', () => this.#projected()) ?? this.#folded();
  }

  head(): Head {
    const { seq, hash } = this.#headRow();
    return { seq, hash };
  }

  /** Reads the whole log and compares every hash, the head and the sequence. Takes time linear in the log. */
  verifyChain(): ChainCheck {
    return this.#transaction('BEGIN', () => {
      const head = this.#headRow();
      let seq = 0;
      let hash = genesis;
      for (const row of this.#rows({})) {
        seq += 1;
        if (row.seq !== seq) return { ok: false, seq, problem: `event ${seq} is missing` };
        hash = chainHash(hash, row);
        if (hash !== row.hash) return { ok: false, seq, problem: `event ${seq} was changed` };
      }
      if (seq !== head.seq || hash !== head.hash) {
        return {
          ok: false,
          seq: seq + 1,
          problem: `the log ends at event ${seq}, not ${head.seq}`,
        };
      }
      return { ok: true, seq, hash };
    });
  }

  /** Whether the path still leads to the file that was opened. */
  isCurrent(): boolean {
    return this.#file !== null && fileIdentity(this.#path) === this.#file;
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #assertWritable(): void {
    if (!this.#writes) throw journalError('read-only', this.#path);
    if (this.#broken !== null) throw this.#broken;
    if (!this.isCurrent()) throw journalError('replaced', this.#path);
  }

  #moveHead(before: Head, after: Head, batch: readonly Event[], state: RepositoryState): void {
    const { raises, epoch } = batchEpoch(batch, state);
    const moved = this.#statement(
      `UPDATE head SET seq = ?, hash = ?, epoch = ?, projection_version = ?, projection_seq = ?
       WHERE one = 1 AND seq = ? AND hash = ? AND ${raises ? 'epoch < ?' : 'epoch = ?'}`,
    ).run(
      after.seq,
      after.hash,
      epoch,
      projectionVersion,
      after.seq,
      before.seq,
      before.hash,
      epoch,
    );
    if (moved.changes !== 1) throw journalError('fenced', this.#path);
  }

  #insertEvent(row: StoredWithHash): void {
    const { seq, v, at, run, worker, attempt, type, data, hash } = row;
    this.#statement('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      seq,
      v,
      at,
      run,
      worker,
      attempt,
      type,
      data,
      hash,
    );
  }

  #apply(changes: readonly RowChange[]): void {
    for (const { kind, run, part, body } of changes) {
      if (body === null) {
        this.#statement('DELETE FROM projection WHERE kind = ? AND run = ? AND part = ?').run(
          kind,
          run,
          part,
        );
        continue;
      }
      this.#statement(
        `INSERT INTO projection VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET body = excluded.body, sum = excluded.sum`,
      ).run(kind, run, part, body, rowSum(body));
    }
  }

  /** State from the projection rows, or null when they do not stand for the head. */
  #projected(): FoldState | null {
    const head = this.#headRow();
    this.#assertHead(head);
    if (head.projection_version !== projectionVersion || head.projection_seq !== head.seq)
      return null;
    const rows = this.#statement(
      'SELECT kind, run, part, body, sum FROM projection ORDER BY rowid',
    );
    const state = stateOfRows(rows.iterate() as Iterable<unknown> as Iterable<Row>, head);
    if (state !== null && this.#writes) this.#written = writtenOf(state);
    return state;
  }

  /** State from the whole log; the rows are made anew where this connection may write. */
  #folded(): FoldState {
    const state = emptyState();
    let hash = genesis;
    for (const row of this.#rows({})) {
      hash = chainHash(hash, row);
      if (hash !== row.hash) {
        throw new JournalError('corrupt', `the log is damaged at event ${row.seq} (${this.#path})`);
      }
      foldOne(state, decodeEvent(row));
    }
    if (!this.#writes || this.#broken !== null) return state;
    this.#transaction('BEGIN IMMEDIATE', () => {
      this.#db.exec('DELETE FROM projection');
      this.#apply(allRows(state));
      this.#statement(
        'UPDATE head SET projection_version = ?, projection_seq = ? WHERE one = 1 AND seq = ?',
      ).run(projectionVersion, state.seq, state.seq);
    });
    this.#written = writtenOf(state);
    return state;
  }

  #assertHead(head: Head): void {
    const last = this.#statement('SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1').get();
    if ((last?.['seq'] ?? 0) !== head.seq || (last?.['hash'] ?? genesis) !== head.hash) {
      throw new JournalError(
        'corrupt',
        `the log is damaged: it does not end at event ${head.seq} (${this.#path})`,
      );
    }
  }

  #headRow(): HeadRow {
    return this.#guarded(() => {
      const row = this.#statement('SELECT * FROM head WHERE one = 1').get();
      if (row === undefined) throw journalError('corrupt', this.#path);
      return row as unknown as HeadRow;
    });
  }

  *#rows(query: EventQuery): Iterable<StoredWithHash> {
    let left = query.limit ?? Infinity;
    let cursor: number | null = null;
    while (left > 0) {
      const { sql, values, page } = selectEvents(query, cursor, left);
      const rows = this.#guarded(
        () => this.#statement(sql).all(...(values as SQLInputValue[])) as unknown[],
      ) as readonly StoredWithHash[];
      yield* rows;
      const last = rows.at(-1);
      if (last === undefined || rows.length < page) return;
      left -= rows.length;
      cursor = last.seq;
    }
  }

  #transaction<T>(begin: 'BEGIN' | 'BEGIN IMMEDIATE', act: () => T): T {
    return this.#guarded(() => {
      this.#db.exec(begin);
      const result = act();
      this.#db.exec('COMMIT');
      return result;
    });
  }

  /** Every access to the database: failures leave no transaction open and come out as `JournalError`. */
  #guarded<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      this.#rollback();
      const failure = asJournalError(error, this.#path);
      if (
        failure instanceof JournalError &&
        (failure.reason === 'io' || failure.reason === 'corrupt')
      ) {
        this.#broken = failure;
      }
      throw failure;
    }
  }

  #rollback(): void {
    try {
      if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // SQLite has ended the transaction by itself; the first failure is the one to tell.
    }
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

function chained(batch: readonly Event[], before: Head): readonly StoredWithHash[] {
  let { hash } = before;
  return batch.map((event) => {
    const row = encodeEvent(event);
    hash = chainHash(hash, row);
    return { ...row, hash };
  });
}

function foldOne(state: FoldState, event: Event): void {
  try {
    evolve(state, event);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new JournalError('corrupt', `the log cannot be folded: ${said}`, { cause });
  }
}

function fileIdentity(path: string): string | null {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat === undefined ? null : `${stat.dev}:${stat.ino}`;
}
