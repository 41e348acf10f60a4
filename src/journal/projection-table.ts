/** The table of the projection rows: reading and writing them, inside whatever transaction the caller has begun. */
import type { StatementSync } from 'node:sqlite';
import type { Row, SummedChange } from './projection.ts';

/** Prepares a statement, or gives the one that was prepared before. */
export type Prepare = (sql: string) => StatementSync;

/** All rows in the order in which they were first written. */
export function readAllRows(prepare: Prepare): Iterable<Row> {
  return rowsOf(prepare(`SELECT ${columns} FROM projection ORDER BY rowid`).iterate());
}

/** Those of a kind, in their order. */
export function readKind(prepare: Prepare, kind: Row['kind']): Iterable<Row> {
  return rowsOf(prepare(some(columns, 'kind = ?')).iterate(kind));
}

/** Those of a kind and a run, in their order. */
export function* readOf(prepare: Prepare, kind: Row['kind'], run: string): Iterable<Row> {
  const statement = prepare(some('part, body, sum', 'kind = ? AND run = ?'));
  // There are thousands of them, and an array takes less time than an object.
  statement.setReturnArrays(true);
  const found = statement.iterate(kind, run) as Iterable<unknown>;
  for (const [part, body, sum] of found as Iterable<readonly [string, string, string]>)
    yield { kind, run, part, body, sum };
}

/** The rows of a run beside its own and its seal. */
export function* readParts(prepare: Prepare, run: string): Iterable<Row> {
  for (const kind of ['plan', 'worker', 'tree'] as const) yield* readOf(prepare, kind, run);
}

const columns = 'kind, run, part, body, sum';

/** Rows are found by their index alone and then read in their order: else SQLite sorts them with all that they hold. */
function some(what: string, where: string): string {
  const found = `SELECT rowid FROM projection WHERE ${where}`;
  return `SELECT ${what} FROM projection WHERE rowid IN (${found}) ORDER BY rowid`;
}

function rowsOf(found: Iterable<unknown>): Iterable<Row> {
  return found as Iterable<Row>;
}

/** Writes and removes rows. */
export function applyRows(prepare: Prepare, changes: readonly SummedChange[]): void {
  for (const { kind, run, part, body, sum } of changes) {
    if (sum === null) {
      prepare('DELETE FROM projection WHERE kind = ? AND run = ? AND part = ?').run(
        kind,
        run,
        part,
      );
      continue;
    }
    prepare(
      `INSERT INTO projection VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET body = excluded.body, sum = excluded.sum`,
    ).run(kind, run, part, body, sum);
  }
}
