/**
 * State as rows, so that loading it does not depend on the length of the log: one row for each run, worker, verdict on
 * a tree and plan. A batch rewrites only the rows of what it touched, in the transaction that adds it.
 *
 * Rests on the fold: an event changes at most the run and the worker that it names, and values are replaced, so an
 * unchanged value is the same object. The order of rows is the order of the fold's maps. Rows can be thrown away at
 * any time: the log says everything. A change to the shape of `RunState` or `WorkerState`, or to what is at rest, raises
 * `projectionVersion`.
 */
import { treeGateKey, type Event, type TreeVerdict } from '../core/events.ts';
import { isAtRest } from '../core/restless.ts';
import { isRunLive, type RepositoryState, type RunState, type WorkerState } from '../core/state.ts';
import { packedPlan } from './packed-plan.ts';
import {
  noSums,
  putSum,
  rowSum,
  runSealText,
  sumAfter,
  totalsAfter,
  wholeAfter,
  wholeSealText,
  type RowIdentity,
  type SealedFor,
  type Sums,
} from './seal.ts';
import { workerText } from './worker-row.ts';

/** Version of the rows' shape; rows of another version are rebuilt from the log. */
export const projectionVersion = 35;

/** The row of the head: where the log stands, and what the projection rows stand for. */
export interface HeadRow extends SealedFor {
  readonly projection_version: number;
  readonly projection_seq: number;
}

/** Whether the projection rows are of this version, and stand for the head. */
export function areRowsOf({
  seq,
  projection_version: version,
  projection_seq: of,
}: HeadRow): boolean {
  return version === projectionVersion && of === seq;
}

/**
 * One row; `part` is the worker's id, the verdict's key, the plan's revision, or '' for the run itself and for seals.
 * The seal of the whole has no run.
 */
export interface Row {
  readonly kind: 'run' | 'worker' | 'tree' | 'plan' | 'seal';
  readonly run: string;
  readonly part: string;
  readonly body: string;
  readonly sum: string;
}

/** A row to write, or to remove when `body` is null. */
export type RowChange = Omit<Row, 'body' | 'sum'> & { readonly body: string | null };

/** A row to write or to remove, with its sum. */
export type SummedChange =
  Row | (Omit<Row, 'body' | 'sum'> & { readonly body: null; readonly sum: null });

/** What the rows hold now: the values that they were made of, compared by identity, and their sums. */
export interface Written {
  readonly runs: Map<string, WrittenRun>;
  readonly sums: Sums;
}

/** The same of one run. */
export interface WrittenRun {
  value: RunState | null;
  revision: string;
  readonly workers: Map<string, WorkerState>;
  readonly trees: Map<string, TreeVerdict>;
}

/** Changes that bring the rows from what is written to the state after the batch. */
export function rowChanges(
  batch: readonly Event[],
  state: RepositoryState,
  written: Written,
): readonly RowChange[] {
  const changes: RowChange[] = [];
  for (const [id, touched] of touchedRuns(batch)) {
    const run = state.runs.get(id);
    if (run === undefined) continue;
    const before = written.runs.get(id);
    changes.push(...runChanges(run, before));
    const workers = before === undefined ? run.workers.keys() : touched.workers;
    changes.push(...workerChanges(run, workers, before?.workers));
    changes.push(...treeChanges(run, touched.trees, before?.trees));
  }
  return changes;
}

/** Every row of the state, for a rebuild. */
export function allRows(state: RepositoryState): readonly RowChange[] {
  return [...state.runs.values()].flatMap((run) => [
    ...runChanges(run, undefined),
    ...workerChanges(run, run.workers.keys(), undefined),
    ...treeChanges(run, new Set(), undefined),
  ]);
}

/** The changes with their sums, and the seals that hold after them. `state` is the one that they lead to. */
export function sealed(
  changes: readonly RowChange[],
  sums: Sums,
  at: SealedFor & { readonly state: RepositoryState },
): readonly SummedChange[] {
  const summed = changes.map(withSum);
  const runs = [...totalsAfter(sums, summed)].map(([id, total]) => {
    const run = at.state.runs.get(id);
    const body = runSealText({
      total,
      own: sumAfter(sums, summed, ownRow(id)),
      rest: run !== undefined && isAtRest(run),
      current: run !== undefined && isCurrent(run),
    });
    return withSum({ kind: 'seal', run: id, part: '', body });
  });
  const body = wholeSealText(at, wholeAfter(sums, runs));
  return [...summed, ...runs, withSum({ kind: 'seal', run: '', part: '', body })];
}

/** The row of the run itself. */
export function ownRow(run: string): RowIdentity {
  return { kind: 'run', run, part: '' };
}

/** Whether other runs have to know of this one: it goes on, or is being landed. */
function isCurrent(run: RunState): boolean {
  return isRunLive(run) || run.landing !== null;
}

function withSum(change: RowChange): SummedChange {
  const { kind, run, part, body } = change;
  if (body === null) return { kind, run, part, body, sum: null };
  return { kind, run, part, body, sum: rowSum(change, body) };
}

/** Records that the rows now hold these runs of the state. */
export function markWritten(
  written: Written,
  state: RepositoryState,
  changes: readonly SummedChange[],
): void {
  for (const change of changes) {
    const { kind, run: id, part, sum } = change;
    putSum(written.sums, change, sum);
    if (kind === 'seal') continue;
    const run = state.runs.get(id);
    if (run === undefined) continue;
    const entry = written.runs.get(id) ?? {
      value: null,
      revision: '',
      workers: new Map(),
      trees: new Map(),
    };
    written.runs.set(id, entry);
    if (kind === 'run') entry.value = run;
    else if (kind === 'plan') entry.revision = part;
    else if (kind === 'worker') mirror(entry.workers, run.workers, part);
    else mirror(entry.trees, run.trees, part);
  }
}

/** The record of a state that was just written as a whole, with the sums of its rows. */
export function writtenOf(state: RepositoryState, sums: Sums): Written {
  const written: Written = { runs: new Map(), sums };
  for (const run of state.runs.values()) written.runs.set(run.id, writtenRun(run));
  return written;
}

/** The record of a run as it is. */
export function writtenRun(run: RunState): WrittenRun {
  return {
    value: run,
    revision: run.plan.revision,
    workers: new Map(run.workers),
    trees: new Map(run.trees),
  };
}

/** Sums of rows that were written as a whole. */
export function sumsOf(changes: readonly SummedChange[]): Sums {
  const sums = noSums();
  for (const change of changes) putSum(sums, change, change.sum);
  return sums;
}

interface Touched {
  readonly workers: Set<string>;
  readonly trees: Set<string>;
}

function touchedRuns(batch: readonly Event[]): ReadonlyMap<string, Touched> {
  const runs = new Map<string, Touched>();
  for (const event of batch) {
    if (event.run === undefined) continue;
    const touched = runs.get(event.run) ?? { workers: new Set(), trees: new Set() };
    runs.set(event.run, touched);
    if (event.worker !== undefined) touched.workers.add(event.worker);
    if ('verdict' in event.data && 'tree' in event.data.verdict)
      touched.trees.add(treeGateKey(event.data.verdict));
  }
  return runs;
}

function runChanges(run: RunState, before: WrittenRun | undefined): readonly RowChange[] {
  const changes: RowChange[] = [];
  // Limits change within a revision.
  if (before?.revision !== run.plan.revision || before.value?.plan !== run.plan) {
    const body = JSON.stringify(packedPlan(run.plan));
    changes.push({ kind: 'plan', run: run.id, part: run.plan.revision, body });
  }
  if (before?.value !== run) {
    changes.push({ kind: 'run', run: run.id, part: '', body: runBody(run) });
  }
  return changes;
}

/** What the row of a run holds: the rest stands in rows of its own. */
export type RunBody = Omit<RunState, 'plan' | 'workers' | 'trees'> & { readonly plan: string };

function runBody(run: RunState): string {
  const { plan, workers: _workers, trees: _trees, ...rest } = run;
  return JSON.stringify({ ...rest, plan: plan.revision } satisfies RunBody);
}

function workerChanges(
  run: RunState,
  ids: Iterable<string>,
  before: ReadonlyMap<string, WorkerState> | undefined,
): readonly RowChange[] {
  const changes: RowChange[] = [];
  for (const id of ids) {
    const worker = run.workers.get(id);
    if (worker === undefined || worker === before?.get(id)) continue;
    changes.push({ kind: 'worker', run: run.id, part: id, body: workerText(worker) });
  }
  return changes;
}

/** Verdicts that the batch names; all of them when that does not explain how many there are now. */
function treeChanges(
  run: RunState,
  touched: ReadonlySet<string>,
  before: ReadonlyMap<string, TreeVerdict> = new Map(),
): readonly RowChange[] {
  if (touched.size === 0 && before.size === run.trees.size) return [];
  const after = new Set(before.keys());
  const changes: RowChange[] = [];
  const change = (key: string): void => {
    const verdict = run.trees.get(key);
    if (verdict === undefined ? !after.delete(key) : verdict === before.get(key)) return;
    if (verdict !== undefined) after.add(key);
    const body = verdict === undefined ? null : JSON.stringify(verdict);
    changes.push({ kind: 'tree', run: run.id, part: key, body });
  };
  for (const key of touched) change(key);
  if (after.size !== run.trees.size) {
    for (const key of [...before.keys(), ...run.trees.keys()]) {
      if (!(after.has(key) && run.trees.has(key))) change(key);
    }
  }
  return changes;
}

function mirror<T>(into: Map<string, T>, from: ReadonlyMap<string, T>, key: string): void {
  const value = from.get(key);
  if (value === undefined) into.delete(key);
  else into.set(key, value);
}
