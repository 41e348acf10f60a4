/**
 * Seals over the projection rows. Each run has one, which says what the sums of the run's rows add up to; over these is
 * the seal of the whole, which says for which head of the log they stand. A row that is damaged, lost, doubled or of
 * another moment breaks a seal, and then the log decides. So a part of the rows can be read and believed: all seals, and
 * every row of some runs.
 *
 * The sum of a row covers what it is and what it holds; sums are combined by exclusive or, so that a batch changes the
 * seals in proportion to the rows that it writes. They find damage; they are no signature.
 */
import { checksum } from './checksum.ts';

/** What a row is, beside what it holds. A seal's `run` is the run that it is for, or '' for the whole. */
export interface RowIdentity {
  readonly kind: string;
  readonly run: string;
  readonly part: string;
}

/** A row's sum, or null for a row that goes. */
export type SumChange = RowIdentity & { readonly sum: string | null };

/** Where the log stands: what the rows are sealed for. */
export interface SealedFor {
  readonly seq: number;
  readonly hash: string;
  readonly epoch: number;
}

/** What the seal of a run says. */
export interface RunSeal {
  /** What the sums of the run's other rows add up to. */
  readonly total: bigint;
  /** The sum of the row of the run itself, so that it can be believed when the others are not read. */
  readonly own: bigint;
  /** Whether nothing is to be done for the run: then a loop can begin without its other rows. */
  readonly rest: boolean;
  /** Whether the run goes on or is being landed. */
  readonly current: boolean;
}

/** The sums of all rows but the seal of the whole, by identity, and what they add up to. */
export interface Sums {
  /** The sums of the seals of runs. */
  total: bigint;
  /** The sums of the rows of each run. */
  readonly runs: Map<string, bigint>;
  /** By kind and run, then by part. */
  readonly of: Map<string, Map<string, bigint>>;
}

/** No rows at all. */
export function noSums(): Sums {
  return { total: 0n, runs: new Map(), of: new Map() };
}

/** Takes over each sum of `from`, not what they add up to. */
export function takeSums(into: Sums, from: Sums): void {
  for (const [group, parts] of from.of) {
    const known = into.of.get(group);
    if (known === undefined) into.of.set(group, parts);
    else for (const [part, sum] of parts) known.set(part, sum);
  }
}

/** Sum of a row, 16 hex digits. */
export function rowSum(row: RowIdentity, body: string): string {
  return checksum(`${identityOf(row)}\n`, body);
}

/** What the sums of each run that the changes touch add up to after them. */
export function totalsAfter(
  sums: Sums,
  changes: readonly SumChange[],
): ReadonlyMap<string, bigint> {
  const totals = new Map<string, bigint>();
  for (const row of lastOf(changes)) {
    const { run, sum } = row;
    const before = totals.get(run) ?? sums.runs.get(run) ?? 0n;
    totals.set(run, before ^ sumOf(sums, row) ^ valueOf(sum));
  }
  return totals;
}

/** What the seals of runs add up to after these have changed. */
export function wholeAfter(sums: Sums, seals: readonly SumChange[]): bigint {
  let { total } = sums;
  for (const row of lastOf(seals)) total ^= sumOf(sums, row) ^ valueOf(row.sum);
  return total;
}

/** Takes over a row that was written, or one that went; nothing for the seal of the whole. */
export function putSum(sums: Sums, row: RowIdentity, sum: string | null): void {
  if (isWhole(row)) return;
  const change = sumOf(sums, row) ^ valueOf(sum);
  if (row.kind === 'seal') sums.total ^= change;
  else sums.runs.set(row.run, (sums.runs.get(row.run) ?? 0n) ^ change);
  const group = groupOf(row);
  const parts = sums.of.get(group) ?? new Map<string, bigint>();
  sums.of.set(group, parts);
  if (sum === null) parts.delete(row.part);
  else parts.set(row.part, valueOf(sum));
}

/** The text of the seal of a run. */
export function runSealText({ total, own, rest, current }: RunSeal): string {
  return JSON.stringify({ total: total.toString(16), own: own.toString(16), rest, current });
}

/** What the text of a run's seal says; null when it is none. */
export function runSealOf(text: string): RunSeal | null {
  const said =
    /^\{"total":"([0-9a-f]+)","own":"([0-9a-f]+)","rest":(true|false),"current":(true|false)\}$/;
  const [, total, own, rest, current] = said.exec(text) ?? [];
  if (total === undefined || own === undefined) return null;
  return {
    total: valueOf(total),
    own: valueOf(own),
    rest: rest === 'true',
    current: current === 'true',
  };
}

/** The text of the seal of the whole, for a head and what the seals of the runs add up to. */
export function wholeSealText({ seq, hash: head, epoch }: SealedFor, total: bigint): string {
  return JSON.stringify({ seq, hash: head, epoch, total: total.toString(16) });
}

/** Whether it is the seal of the whole. */
export function isWhole({ kind, run }: RowIdentity): boolean {
  return kind === 'seal' && run === '';
}

/** The sum of a row that was read or written; 0 without one. */
export function sumOf(sums: Sums, row: RowIdentity): bigint {
  return sums.of.get(groupOf(row))?.get(row.part) ?? 0n;
}

/** The sum of a row after the changes. */
export function sumAfter(sums: Sums, changes: readonly SumChange[], row: RowIdentity): bigint {
  const changed = changes.findLast(
    ({ kind, run, part }) => kind === row.kind && run === row.run && part === row.part,
  );
  return changed === undefined ? sumOf(sums, row) : valueOf(changed.sum);
}

/** A row may be changed twice: the last change counts. */
function lastOf(changes: readonly SumChange[]): Iterable<SumChange> {
  return new Map(changes.map((change) => [identityOf(change), change])).values();
}

/** Another for each row: no kind and no run has a line end in it. */
function identityOf({ kind, run, part }: RowIdentity): string {
  return `${kind}\n${run}\n${part}`;
}

function groupOf({ kind, run }: RowIdentity): string {
  return `${kind}\n${run}`;
}

function valueOf(sum: string | null): bigint {
  return sum === null ? 0n : BigInt(`0x${sum}`);
}
