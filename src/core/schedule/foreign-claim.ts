/**
 * Claims of other live runs: what a worker of one run may change, a worker of another may not change at the same time.
 * Which claims of one plan overlap is found when it is validated; those of two plans meet here.
 */
import { supersededBy } from '../edges.ts';
import { globsOverlap } from '../overlap.ts';
import { restlessRuns } from '../restless.ts';
import { workersIn } from '../run-index.ts';
import {
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from '../state.ts';

/** Whether an attempt of the worker takes a claim. */
export function takesClaim(run: RunState, id: string): boolean {
  return run.plan.policies.ownership === 'serialize' && definitionOf(run, id).owns !== null;
}

/** A worker of another live run whose claim is in the way; null when there is none. */
export function foreignHolder(
  state: RepositoryState,
  run: RunState,
  worker: WorkerState,
): { readonly run: RunState; readonly worker: WorkerState } | null {
  const runs = restlessRuns(state);
  if (runs.length < 2 || !takesClaim(run, worker.id)) return null;
  const { owns } = definitionOf(run, worker.id);
  for (const other of runs) {
    if (other.id === run.id || !isRunLive(other)) continue;
    for (const one of workersIn(other, ...mayClaim)) {
      if (!one.claims || isLent(other, one)) continue;
      if (meet(owns ?? [], definitionOf(other, one.id).owns ?? []))
        return { run: other, worker: one };
    }
  }
  return null;
}

const mayClaim = ['ready', 'starting', 'active', 'verifying', 'reviewing', 'merging'] as const;

/** One that waits for a dependency that was sent back changes nothing: two runs could else wait for each other. */
function isLent(run: RunState, worker: WorkerState): boolean {
  return worker.state === 'merging' && supersededBy(run, worker) !== null;
}

type Patterns = readonly string[];

const known = new WeakMap<Patterns, WeakMap<Patterns, boolean>>();

/** Most pairs of patterns that are compared; more count as meeting, since a needless wait is the lesser evil. */
const mostComparisons = 10_000;

function meet(a: Patterns, b: Patterns): boolean {
  const mine = known.get(a) ?? new WeakMap<Patterns, boolean>();
  known.set(a, mine);
  const found =
    mine.get(b) ??
    (a.length * b.length > mostComparisons ||
      a.some((one) => b.some((two) => globsOverlap(one, two))));
  mine.set(b, found);
  return found;
}
