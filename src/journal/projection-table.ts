/** The table of the projection rows: reading and writing them, inside whatever transaction the caller has begun. */
import type { StatementSync } from 'node:sqlite';
import type { Row, SummedChange } from './projection.ts';

/** Prepares a statement, or gives the one that was prepared before. */
export type Prepare = (sql: string) => StatementSync;

/** Rows in the order in which they were first written. */
export function readRows(
  prepare: Prepare,
  where: string,
  ...values: readonly string[]
): Iterable<Row> {
  const sql = `SELECT kind, run, part, body, sum FROM projection WHERE ${where} ORDER BY rowid`;
  return prepare(sql).iterate(...values) as Iterable<unknown> as Iterable<Row>;
}

/** The rows of a run beside its own and its seal. */
export function readParts(prepare: Prepare, run: string): readonly Row[] {
  return [...readRows(prepare, "kind IN ('plan', 'worker', 'tree') AND run = ?", run)];
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
