/**
 * The state from its rows. A loop begins with the runs for which something is to be done: of a run that is at rest only
 * its own row is read, and the others when somebody asks for what they hold. So opening a log does not depend on what
 * was ever run.
 *
 * Nothing is believed that no seal covers; what is read later must be what the seal said when the state was loaded, and
 * a run is read at the latest by the first event that names it. Whatever does not hold is taken from the log.
 */
import type { TreeVerdict } from '../core/events.ts';
import { emptyState, type FoldRun, type FoldState } from '../core/evolve.ts';
import type { Plan } from '../core/plan.ts';
import { tellRestless } from '../core/restless.ts';
import type { WorkerState } from '../core/state.ts';
import { unpackedPlan, type PackedPlan } from './packed-plan.ts';
import {
  ownRow,
  writtenRun,
  type Row,
  type RunBody,
  type Written,
  type WrittenRun,
} from './projection.ts';
import {
  isWhole,
  noSums,
  putSum,
  rowSum,
  runSealOf,
  sumOf,
  takeSums,
  wholeSealText,
  type RunSeal,
  type SealedFor,
  type Sums,
} from './seal.ts';
import { workerOf } from './worker-row.ts';

/** What a run holds beside its own row. */
export type RunParts = Pick<FoldRun, 'plan' | 'workers' | 'trees'>;

/** Where what is not among the rows comes from. */
export interface Later {
  /** The rows of a run that were left out. */
  readonly rows: (run: string) => Iterable<Row>;
  /** The same from the log, where the rows do not hold. */
  readonly folded: (run: string) => RunParts;
}

/** Of all seals, in their order, the runs for which something is to be done. */
export function restlessOf(seals: readonly Row[]): readonly string[] {
  return seals
    .filter((row) => !isWhole(row) && runSealOf(row.body)?.rest !== true)
    .map(({ run }) => run);
}

/**
 * Of all seals, in their order, the runs whose rows matter to whoever looks: those that are current, and the one that is
 * named, else the newest. All runs when none has that name.
 */
export function currentOf(seals: readonly Row[], named: string | null): readonly string[] {
  const runs = seals.filter((row) => !isWhole(row));
  const wanted = named ?? runs.at(-1)?.run;
  const found = runs.some(({ run }) => run === wanted);
  return runs
    .filter(({ run, body }) => !found || run === wanted || runSealOf(body)?.current !== false)
    .map(({ run }) => run);
}

/**
 * The state that the rows hold, and the record of it, or null when they are damaged, incomplete or sealed for another
 * head: then the log is folded instead. Rows come in the order in which they were first written: all, or all seals and
 * the rows of the runs that are `wanted`. With `later` each other run has its own row among them and is at rest; it is
 * in the state too, and its other rows are read when they are asked for.
 */
export function stateOfRows(
  rows: Iterable<Row>,
  at: SealedFor,
  some: { readonly wanted: readonly string[]; readonly later?: Later } | null = null,
): { readonly state: FoldState; readonly written: Written } | null {
  const sums = noSums();
  const seals = new Map<string, string>();
  const bodies: RunBody[] = [];
  const parts = new Parts();
  for (const row of rows) {
    if (rowSum(row, row.body) !== row.sum) return null;
    putSum(sums, row, row.sum);
    if (row.kind === 'seal') seals.set(row.run, row.body);
    else if (row.kind === 'run') bodies.push(JSON.parse(row.body) as RunBody);
    else parts.add(row);
  }
  if (seals.get('') !== wholeSealText(at, sums.total)) return null;
  seals.delete('');
  const wanted = some?.wanted ?? [...seals.keys()];
  const later = some?.later;
  const partly = sealsOfPartly(sums, seals, { wanted, complete: later !== undefined });
  if (partly === null) return null;
  const state = emptyState();
  state.seq = at.seq;
  state.epoch = at.epoch;
  const written: Written = { runs: new Map(), sums };
  for (const body of bodies) {
    const seal = partly.get(body.id);
    const read = seal === undefined ? parts.of(body) : null;
    if (read !== null) {
      const run: FoldRun = { ...body, ...read };
      state.runs.set(run.id, run);
      written.runs.set(run.id, writtenRun(run));
    } else if (seal !== undefined && later !== undefined) {
      sums.runs.set(body.id, seal.total);
      const entry: WrittenRun = {
        value: null,
        revision: body.plan,
        workers: new Map(),
        trees: new Map(),
      };
      const run = lateRun(body, () => {
        const found = readLate(body, seal, { rows: later.rows(body.id), sums });
        for (const [id, worker] of found?.workers ?? []) entry.workers.set(id, worker);
        for (const [key, verdict] of found?.trees ?? []) entry.trees.set(key, verdict);
        return found ?? later.folded(body.id);
      });
      entry.value = run;
      state.runs.set(run.id, run);
      written.runs.set(run.id, entry);
    } else return null;
  }
  if (later !== undefined) tellRestless(state.runs, wanted);
  return { state, written };
}

/**
 * Whether the rows that were read are those that the seals are over: null when not, else the seals of the runs of which
 * only their own row was read. `complete` when no run may be missing.
 */
function sealsOfPartly(
  sums: Sums,
  seals: ReadonlyMap<string, string>,
  read: { readonly wanted: readonly string[]; readonly complete: boolean },
): ReadonlyMap<string, RunSeal> | null {
  const partly = new Map<string, RunSeal>();
  const wanted = new Set(read.wanted);
  const asked = read.complete ? seals.keys() : wanted;
  for (const run of new Set([...asked, ...sums.runs.keys()])) {
    const seal = runSealOf(seals.get(run) ?? '');
    if (seal === null || seal.own !== sumOf(sums, ownRow(run))) return null;
    if (!wanted.has(run) && read.complete && seal.rest) partly.set(run, seal);
    else if (seal.total !== sums.runs.get(run)) return null;
  }
  return partly;
}

/** A run whose other rows are read at the first question for what they hold. */
function lateRun(body: RunBody, read: () => RunParts): FoldRun {
  let known: RunParts | null = null;
  const parts = (): RunParts => (known ??= read());
  return {
    ...body,
    get plan() {
      return parts().plan;
    },
    get workers() {
      return parts().workers;
    },
    get trees() {
      return parts().trees;
    },
  };
}

/** What the rows hold that were left out; null when they are not what the seal was over. */
function readLate(
  body: RunBody,
  seal: RunSeal,
  from: { readonly rows: Iterable<Row>; readonly sums: Sums },
): RunParts | null {
  const sums = noSums();
  const parts = new Parts();
  for (const row of from.rows) {
    if (rowSum(row, row.body) !== row.sum) return null;
    putSum(sums, row, row.sum);
    parts.add(row);
  }
  if (((sums.runs.get(body.id) ?? 0n) ^ seal.own) !== seal.total) return null;
  takeSums(from.sums, sums);
  return parts.of(body);
}

/** Rows beside those of the runs themselves, read. */
class Parts {
  readonly #plans = new Map<string, Plan>();
  readonly #workers = new Map<string, Map<string, WorkerState>>();
  readonly #trees = new Map<string, Map<string, TreeVerdict>>();

  add({ kind, run, part, body }: Row): void {
    if (kind === 'plan')
      this.#plans.set(planKey(run, part), unpackedPlan(JSON.parse(body) as PackedPlan));
    else if (kind === 'worker') inner(this.#workers, run).set(part, workerOf(body));
    else inner(this.#trees, run).set(part, JSON.parse(body) as TreeVerdict);
  }

  /** Those of one run; null when they are not complete. */
  of(body: RunBody): RunParts | null {
    const plan = this.#plans.get(planKey(body.id, body.plan));
    const workers = inner(this.#workers, body.id);
    if (plan === undefined || !plan.workers.every((worker) => workers.has(worker.id))) return null;
    return { plan, workers, trees: inner(this.#trees, body.id) };
  }
}

function planKey(run: string, revision: string): string {
  return `${run}\n${revision}`;
}

function inner<T>(maps: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const found = maps.get(key) ?? new Map<string, T>();
  maps.set(key, found);
  return found;
}
