/**
 * The seal over the projection rows: one row more, which says for which head of the log the rows stand and what their
 * sums add up to. A row that is damaged, lost, doubled or of another moment breaks it, and then the log decides.
 *
 * The sum of a row covers what it is and what it holds; sums are combined by exclusive or, so that a batch changes the
 * seal in proportion to the rows that it writes. It finds damage; it is no signature.
 */
import { hash } from 'node:crypto';

/** What a row is, beside what it holds. */
export interface RowIdentity {
  readonly kind: string;
  readonly run: string;
  readonly part: string;
}

/** Where the log stands: what the rows are sealed for. */
export interface SealedFor {
  readonly seq: number;
  readonly hash: string;
  readonly epoch: number;
}

/** The sums of all rows, by identity, and what they add up to. */
export interface Sums {
  total: bigint;
  readonly of: Map<string, bigint>;
}

/** No rows at all. */
export function noSums(): Sums {
  return { total: 0n, of: new Map() };
}

/** Sum of a row, 16 hex digits. */
export function rowSum({ kind, run, part }: RowIdentity, body: string): string {
  return hash('sha256', `${JSON.stringify([kind, run, part])}\n${body}`).slice(0, 16);
}

/** What the sums add up to after the changes; `sum` is null for a row that goes. */
export function totalAfter(
  sums: Sums,
  changes: readonly (RowIdentity & { readonly sum: string | null })[],
): bigint {
  // A row may be changed twice: the last change counts.
  const last = new Map(changes.map((change) => [identityOf(change), change.sum]));
  let { total } = sums;
  for (const [key, sum] of last) total ^= (sums.of.get(key) ?? 0n) ^ valueOf(sum);
  return total;
}

/** Takes over a row that was written, or one that went. */
export function putSum(sums: Sums, row: RowIdentity, sum: string | null): void {
  const key = identityOf(row);
  sums.total ^= (sums.of.get(key) ?? 0n) ^ valueOf(sum);
  if (sum === null) sums.of.delete(key);
  else sums.of.set(key, valueOf(sum));
}

/** The seal's text for a head and the total of all rows. */
export function sealText({ seq, hash: head, epoch }: SealedFor, total: bigint): string {
  return JSON.stringify({ seq, hash: head, epoch, total: total.toString(16) });
}

function identityOf({ kind, run, part }: RowIdentity): string {
  return JSON.stringify([kind, run, part]);
}

function valueOf(sum: string | null): bigint {
  return sum === null ? 0n : BigInt(`0x${sum}`);
}
