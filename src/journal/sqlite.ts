/**
 * The event store in one SQLite file. Owns its connection and the record of what the projection rows hold.
 *
 * Invariants: a batch, its projection rows and the head move in one transaction with `synchronous=FULL` (S11); the head
 * moves by compare-and-swap over sequence, hash and epoch, so that a loop that was overtaken writes nothing (S12); the
 * file is the one that was opened, checked before each batch; after an I/O error nothing more is written through this
 * connection, since what the disk holds is unknown.
 */
import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { Event } from '../core/events.ts';
import { emptyState, evolve, type FoldState } from '../core/evolve.ts';
import type { RepositoryState } from '../core/state.ts';
import { genesis, type ChainCheck } from './chain.ts';
import { decodeEvent } from './codec.ts';
import {
  assertContinues,
  batchEpoch,
  JournalError,
  type EventQuery,
  type Head,
  type Journal,
} from './journal.ts';
import { fileIdentity } from './file-system.ts';
import { chained, linkCheck, type Damage, type StoredWithHash } from './linked.ts';
import { openForReading, openForWriting } from './open-database.ts';
import {
  allRows,
  areRowsOf,
  markWritten,
  projectionVersion,
  rowChanges,
  sealed,
  sumsOf,
  writtenOf,
  type HeadRow,
  type Row,
  type Written,
} from './projection.ts';
import { applyRows, readAllRows, readKind, readOf, readParts } from './projection-table.ts';
import { currentOf, restlessOf, stateOfRows, type RunParts } from './read-rows.ts';
import { noSums } from './seal.ts';
import { selectEvents } from './select-events.ts';
import { asJournalError, journalError } from './sqlite-error.ts';
import {
  clearSuspect,
  markSuspect,
  structureProblem,
  suspicionOf,
  type Care,
} from './suspicion.ts';

/**
 * Opens the store for the loop and makes it when it is missing; looks at all of it when it is short or something is
 * known to be wrong with it. Throws `JournalError`.
 */
export function openJournal(path: string): SqliteJournal {
  const suspicion = suspicionOf(path);
  const journal = new SqliteJournal(path, openForWriting(path), true, suspicion.note);
  try {
    journal.check(suspicion.care);
    return journal;
  } catch (error) {
    journal.close();
    throw error;
  }
}

/** Opens the store for reading; null when there is no log yet. Throws `JournalError`. */
export function openJournalForReading(path: string): SqliteJournal | null {
  const db = openForReading(path);
  return db === null ? null : new SqliteJournal(path, db, false);
}

/** The store in SQLite. `using` closes it. */
export class SqliteJournal implements Journal {
  readonly #path: string;
  readonly #db: DatabaseSync;
  readonly #writes: boolean;
  readonly #file: string | null;
  readonly #statements = new Map<string, StatementSync>();
  #written: Written | null = null;
  /** Where the log stands as this connection has left it; null when that is not known. */
  #last: Head | null = null;
  #broken: JournalError | null = null;
  /** What the user should know of how the log was found, one sentence; null when there is nothing to say. */
  readonly note: string | null;

  constructor(path: string, db: DatabaseSync, writes: boolean, note: string | null = null) {
    this.#path = path;
    this.#db = db;
    this.#writes = writes;
    this.#file = fileIdentity(path);
    this.note = note;
  }

  append(batch: readonly Event[], state: RepositoryState): void {
    const last = batch.at(-1);
    if (last === undefined) return;
    this.#assertWritable();
    // That it still stands there is looked at when it moves.
    const before = this.#last ?? this.head();
    const rows = chained(batch, before);
    const written = this.#writtenRows();
    const after = { seq: last.seq, hash: rows.at(-1)?.hash ?? '' };
    const at = { ...after, epoch: state.epoch, state };
    const changes = sealed(rowChanges(batch, state, written), written.sums, at);
    this.#transaction('BEGIN IMMEDIATE', () => {
      this.#moveHead(before, after, batch, state);
      assertContinues(batch, before.seq);
      for (const row of rows) this.#insertEvent(row);
      applyRows(this.#statement, changes);
    });
    markWritten(written, state, changes);
    this.#written = written;
    this.#last = after;
  }

  *read(query: EventQuery = {}): Iterable<Event> {
    for (const row of this.#rows(query)) yield decodeEvent(row);
  }

  load(): FoldState {
    return this.#transaction('BEGIN', () => this.#projected()) ?? this.#folded();
  }

  /**
   * As `load`, but without runs that ended before: those that go on or are being landed are there, and the one that is
   * named, or the newest. All runs when none has that name.
   */
  loadCurrent(named: string | null): RepositoryState {
    return this.#transaction('BEGIN', () => this.#current(named)) ?? this.load();
  }

  head(): Head {
    const { seq, hash } = this.#headRow();
    return { seq, hash };
  }

  /** Reads the whole log and compares every hash, the sequence and the head. Takes time linear in the log. */
  verifyChain(): ChainCheck {
    try {
      return this.#transaction('BEGIN', () => {
        const head = this.#headRow();
        this.#assertHead(head);
        for (const _row of this.#rows({}));
        return { ok: true, seq: head.seq, hash: head.hash };
      });
    } catch (error) {
      if (!(error instanceof JournalError) || error.reason !== 'corrupt') throw error;
      return { ok: false, problem: error.message };
    }
  }

  /** Throws unless the file is whole, as far as the care goes. */
  check(care: Care): void {
    if (care === 'none') return;
    const problem = this.#guarded(() => structureProblem(this.#db, care));
    if (problem !== null) throw this.#damaged(problem);
    if (care === 'structure') return;
    const chain = this.verifyChain();
    if (!chain.ok) throw new JournalError('corrupt', chain.problem);
    clearSuspect(this.#path);
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

  #writtenRows(): Written {
    if (this.#written === null) this.load();
    const written: Written | null = this.#written;
    if (written === null) throw new Error('the rows of the state are not known after loading it');
    return written;
  }

  /** State from the projection rows, or null when they do not stand for the head. */
  #projected(): FoldState | null {
    const head = this.#headRow();
    this.#assertHead(head);
    if (!areRowsOf(head)) return null;
    if (!this.#writes) return stateOfRows(readAllRows(this.#statement), head)?.state ?? null;
    const seals = [...readKind(this.#statement, 'seal')];
    const wanted = restlessOf(seals);
    const later = {
      rows: (run: string) => this.#guarded(() => [...readParts(this.#statement, run)]),
      folded: (run: string) => this.#foldedParts(run),
    };
    const rows = this.#rowsWith(seals, wanted, readKind(this.#statement, 'run'));
    const read = stateOfRows(rows, head, { wanted, later });
    this.#written = read?.written ?? this.#written;
    return read?.state ?? null;
  }

  /** What a run holds beside its own row, where the rows turned out not to say it. */
  #foldedParts(run: string): RunParts {
    const found = this.#folded().runs.get(run);
    if (found === undefined) throw this.#damaged(`it has no run ${run}`);
    return found;
  }

  /** The same from the rows of some runs. That the log ends where they say is looked at; its last event is not. */
  #current(named: string | null): FoldState | null {
    const head = this.#headRow();
    const last = this.#statement('SELECT max(seq) AS seq FROM event').get();
    if ((last?.['seq'] ?? 0) !== head.seq || !areRowsOf(head)) return null;
    const seals = [...readKind(this.#statement, 'seal')];
    const wanted = currentOf(seals, named);
    const runs = wanted.flatMap((run) => [...readOf(this.#statement, 'run', run)]);
    const rows = this.#rowsWith(seals, wanted, runs);
    return stateOfRows(rows, head, { wanted })?.state ?? null;
  }

  /** One row after the other: the text of each may be given up once it is read. */
  *#rowsWith(seals: readonly Row[], wanted: readonly string[], runs: Iterable<Row>): Iterable<Row> {
    yield* seals;
    yield* runs;
    for (const run of wanted) yield* readParts(this.#statement, run);
  }

  /** State from the whole log; the rows are made anew where this connection may write. */
  #folded(): FoldState {
    const state = emptyState();
    let hash = genesis;
    for (const row of this.#rows({})) {
      ({ hash } = row);
      foldOne(state, decodeEvent(row));
    }
    if (!this.#writes || this.#broken !== null) return state;
    // Rows are replaced only in a file whose structure holds: pages that were given up could be those of events.
    this.check('structure');
    const { seq, epoch } = state;
    const rows = sealed(allRows(state), noSums(), { seq, hash, epoch, state });
    this.#transaction('BEGIN IMMEDIATE', () => {
      this.#db.exec('DELETE FROM projection');
      applyRows(this.#statement, rows);
      const moved = this.#statement(
        `UPDATE head SET epoch = ?, projection_version = ?, projection_seq = ?
         WHERE one = 1 AND seq = ?`,
      ).run(epoch, projectionVersion, seq, seq);
      if (moved.changes !== 1) throw journalError('fenced', this.#path);
    });
    this.#written = writtenOf(state, sumsOf(rows));
    return state;
  }

  #assertHead(head: Head): void {
    let last: Head = { seq: 0, hash: genesis };
    for (const row of this.#rows({ newestFirst: true, limit: 1 })) last = row;
    if (last.seq !== head.seq || last.hash !== head.hash)
      throw this.#damaged(`it does not end at event ${head.seq}`);
  }

  #damaged(problem: string): JournalError {
    return new JournalError('corrupt', `the log is damaged: ${problem} (${this.#path})`);
  }

  #headRow(): HeadRow {
    return this.#guarded(() => {
      const row = this.#statement('SELECT * FROM head WHERE one = 1').get();
      if (row === undefined) throw journalError('corrupt', this.#path);
      return row as unknown as HeadRow;
    });
  }

  *#rows(query: EventQuery): Iterable<StoredWithHash> {
    const links = linkCheck(query, {
      head: this.head(),
      hashOf: (seq) => this.#hashOf(seq),
    });
    const assertNone = (damage: Damage | null): void => {
      if (damage !== null) throw this.#damaged(damage.problem);
    };
    let left = query.limit ?? Infinity;
    let cursor: number | null = null;
    while (left > 0) {
      const { sql, values, page } = selectEvents(query, cursor, left);
      const rows = this.#guarded(() => {
        const found = this.#statement(sql).all(...(values as SQLInputValue[])) as unknown[];
        const read = found as readonly StoredWithHash[];
        assertNone(links.page(read));
        return read;
      });
      yield* rows;
      left -= rows.length;
      const last = rows.at(-1);
      if (last === undefined || rows.length < page) {
        if (left > 0) assertNone(links.end());
        return;
      }
      cursor = last.seq;
    }
  }

  #hashOf(seq: number): string | null {
    const found = this.#statement('SELECT hash FROM event WHERE seq = ?').get(seq)?.['hash'];
    return typeof found === 'string' ? found : null;
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
        if (this.#writes) markSuspect(this.#path, failure.message);
      }
      throw failure;
    }
  }

  #rollback(): void {
    this.#last = null;
    try {
      if (this.#db.isOpen && this.#db.isTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // SQLite has ended the transaction by itself; the first failure is the one to tell.
    }
  }

  readonly #statement = (sql: string): StatementSync => {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#db.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  };
}

function foldOne(state: FoldState, event: Event): void {
  try {
    evolve(state, event);
  } catch (cause) {
    const said = cause instanceof Error ? cause.message : String(cause);
    throw new JournalError('corrupt', `the log cannot be folded: ${said}`, { cause });
  }
}
