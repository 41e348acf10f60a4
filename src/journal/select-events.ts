/** The statement that reads one page of events. */
import type { EventQuery } from './journal.ts';

/** Events a page; the first is smaller, since many a reader goes no further. */
const pageSize = 1000;
const firstPageSize = 100;

/**
 * SQL, values and page size for the page after `cursor` (the last sequence number given out, null at the beginning) of
 * which at most `left` events are wanted.
 */
export function selectEvents(
  query: EventQuery,
  cursor: number | null,
  left: number,
): { readonly sql: string; readonly values: readonly (string | number)[]; readonly page: number } {
  const newest = query.newestFirst === true;
  const conditions: string[] = [];
  const values: (string | number)[] = [];
  const where = (condition: string, ...given: readonly (string | number)[]): void => {
    conditions.push(condition);
    values.push(...given);
  };
  if (query.after !== undefined) where('seq > ?', query.after);
  if (query.upTo !== undefined) where('seq <= ?', query.upTo);
  if (cursor !== null) where(newest ? 'seq < ?' : 'seq > ?', cursor);
  if (query.run !== undefined) where('run = ?', query.run);
  if (query.worker !== undefined) where('worker = ?', query.worker);
  if (query.types !== undefined) {
    where(`type IN (${query.types.map(() => '?').join(', ')})`, ...query.types);
  }
  const page = Math.min(cursor === null ? firstPageSize : pageSize, left);
  const filter = conditions.length === 0 ? '' : `WHERE ${conditions.join(' AND ')}`;
  const sql = `SELECT seq, v, at, run, worker, attempt, type, data, hash FROM event ${filter}
    ORDER BY seq ${newest ? 'DESC' : 'ASC'} LIMIT ?`;
  return { sql, values: [...values, page], page };
}
