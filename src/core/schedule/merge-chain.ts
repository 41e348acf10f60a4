/**
 * The candidates of a run's merge queue, each built on the one ahead of it: integration, the first one's merge, the
 * second one's on that, and so on. A chain of one is a queue that tests one merge at a time; tested at every place it
 * is speculative; tested every few places, and bisected where that is red, it is a queue of batches.
 *
 * All of it is derived from the bases of the merges and the verdicts on their trees (A2). Integration only ever moves
 * to a commit whose own tree has passed.
 */
import { checkPoints, type PlaceState } from './check-points.ts';
import type { TreeGate } from '../events.ts';
import { mergeQueue } from './queue.ts';
import { workersIn } from '../run-index.ts';
import type { RunState, WorkerState } from '../state.ts';
import { mergeGates, objections, openGates } from '../tree-gates.ts';

export interface Candidate {
  readonly worker: WorkerState;
  /** What its tree must pass. */
  readonly gates: readonly TreeGate[];
  readonly place: PlaceState;
}

/** The chain on what integration stands at, up to the first candidate that is not built or whose tree is red. */
export function mergeChain(run: RunState): readonly Candidate[] {
  const begun = workersIn(run, 'merging').filter((worker) => worker.merge !== null);
  if (begun.length === 0) return [];
  const onBase = new Map(begun.map((worker) => [worker.merge?.base ?? '', worker]));
  const chain: Candidate[] = [];
  for (let base = run.tip; base !== null;) {
    const worker = onBase.get(base);
    if (worker === undefined) break;
    const candidate = candidateOf(run, worker, chain);
    chain.push(candidate);
    if (candidate.place === 'red') break;
    base = worker.merge?.built?.commit ?? null;
  }
  return chain;
}

/** The candidates that enter integration together now: of them the last has passed; empty when none may. */
export function passedFirst(run: RunState): readonly Candidate[] {
  const chain = mergeChain(run);
  const passed = chain.flatMap(({ place }, at) => (place === 'passed' ? [at] : []));
  for (const last of passed.toReversed()) {
    const together = chain.slice(0, last + 1);
    // The queue may do something else by now, and what moved integration stays moved.
    const batch =
      stepOf(run) !== null || together.every(({ worker }) => run.batched.includes(worker.id));
    // Where every place is tested, none enters on the word of one behind it.
    if (last === 0 || batch) return together;
  }
  return [];
}

/** Whether all gates of the worker's merge have passed, so that it is carried through whatever is asked now. */
export function mergeIsThrough(run: RunState, worker: WorkerState): boolean {
  if (worker.state !== 'merging' || worker.merge?.built == null) return false;
  return passedFirst(run).some((candidate) => candidate.worker.id === worker.id);
}

/** The candidate that is red on integration itself: everything ahead of it has entered. */
export function culprit(run: RunState): Candidate | null {
  const [first] = mergeChain(run);
  return first?.place === 'red' ? first : null;
}

/** Workers whose merge stands on what will not be: another stood ahead of them, or something ahead is red. */
export function stranded(run: RunState): readonly WorkerState[] {
  const held = new Set(mergeChain(run).map(({ worker }) => worker.id));
  return workersIn(run, 'merging').filter(
    (worker) => worker.merge !== null && !held.has(worker.id),
  );
}

/** Who is to be added to the chain, and on which commit; null when nobody is. */
export function nextCandidate(
  run: RunState,
): { readonly worker: WorkerState; readonly base: string } | null {
  // One thing at a time moves integration: the target that is to enter comes before who is not in the chain yet.
  if (run.tip === null || run.landing?.sync === true) return null;
  const [next] = mergeQueue(run);
  if (next === undefined) return null;
  const chain = mergeChain(run);
  if (chain.length === 0) return { worker: next, base: run.tip };
  const { step, slots } = windowOf(run);
  const last = chain.at(-1);
  // One that conflicts with what is ahead of it stands first before it is built again.
  if (chain.length >= (step ?? 1) * slots || next.aside || last?.place === 'red') return null;
  const base = last?.worker.merge?.built?.commit;
  return base === undefined ? null : { worker: next, base };
}

/** Candidates whose tree is to be tested now, as far as check slots are free. */
export function toTest(run: RunState): readonly Candidate[] {
  const chain = mergeChain(run);
  if (chain.length === 0) return [];
  const growing = nextCandidate(run) !== null;
  const points = checkPoints(
    chain.map(({ place }) => place),
    { ...windowOf(run), growing },
  );
  return points.flatMap((at) => chain[at] ?? []);
}

/** What the run's queue does: one test speaks for `step` candidates, `slots` tests run at the same time. */
function windowOf(run: RunState): { readonly step: number | null; readonly slots: number } {
  const { mergeQueue: mode, maxParallelChecks } = run.plan.policies;
  return { step: stepOf(run), slots: mode === undefined ? 1 : maxParallelChecks };
}

/** Candidates of one batch at most. */
const largestBatch = 16;

/**
 * Size of a batch: so many that about two of three batches pass whole, by how often merges of this run were red; one in
 * twenty where nothing is known yet. Null where each candidate is tested.
 */
function stepOf(run: RunState): number | null {
  if (run.plan.policies.mergeQueue !== 'batch') return null;
  let red = 0;
  for (const worker of run.workers.values())
    red += worker.reworks.filter(({ step }) => step === 'merging').length;
  const share = (red + 0.5) / (red + run.mergedOrder.length + 10);
  const size = Math.floor(Math.log(0.65) / Math.log(1 - share));
  return Math.min(largestBatch, Math.max(1, size));
}

function candidateOf(run: RunState, worker: WorkerState, ahead: readonly Candidate[]): Candidate {
  const gates = mergeGates(run, worker.id, membersAhead(run, ahead));
  return { worker, gates, place: placeOf(run, worker, gates) };
}

/**
 * Workers whose `verify` this place answers for beside its own. Those ahead count as merged before it; where checks
 * judge the combined tree, only those that no test of their own judges.
 */
function membersAhead(run: RunState, ahead: readonly Candidate[]): readonly string[] {
  const alone = run.plan.policies.mergeQueue !== 'batch' && run.plan.policies.checks.length > 0;
  return alone ? [] : ahead.map(({ worker }) => worker.id);
}

function placeOf(run: RunState, { merge }: WorkerState, gates: readonly TreeGate[]): PlaceState {
  if (merge?.built == null) return 'unbuilt';
  const { tree } = merge.built;
  if (objections(run, gates, tree).length > 0) return 'red';
  if (openGates(run, gates, tree).length === 0) return 'passed';
  return merge.checking ? 'testing' : 'open';
}
