/**
 * Whose turn it is. Ready workers go by priority with aging, and one that has waited for a whole level reserves what it
 * asks for: those behind it may not take any of those resources before it, so that many small requests do not keep a
 * big one waiting for ever.
 */
import { compare } from '../graph.ts';
import { priorityRank, remainingOf } from './order.ts';
import type { InUse, ResourceLack } from './resources.ts';
import { lackOf } from './resources.ts';
import { restlessRuns } from '../restless.ts';
import { workersIn } from '../run-index.ts';
import {
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from '../state.ts';

/** Ready workers: priority with aging, then longest remaining path, then plan order. */
export function readyOrder(run: RunState, now: number): readonly WorkerState[] {
  return (
    workersIn(run, 'ready')
      .map((worker) => ({
        worker,
        level: levelOf(run, worker, now),
        remaining: remainingOf(run.plan, worker.id),
      }))
      // They come in plan order, and stay in it where nothing else decides.
      .sort((a, b) => a.level - b.level || b.remaining - a.remaining)
      .map(({ worker }) => worker)
  );
}

function levelOf(run: RunState, worker: WorkerState, now: number): number {
  return (
    priorityRank[definitionOf(run, worker.id).priority] -
    Math.floor(waited(worker, now) / run.plan.policies.agingMs)
  );
}

function waited({ readySince }: WorkerState, now: number): number {
  return Math.max(0, now - (readySince ?? now));
}

/** Where a ready worker stands among those of all runs. */
interface Place {
  readonly run: RunState;
  readonly worker: WorkerState;
  readonly level: number;
}

/** Those that reserve what they ask for. `mayStart` says whether nothing but resources and slots keeps one from starting. */
export function reservers(
  state: RepositoryState,
  now: number,
  use: InUse,
  mayStart: (run: RunState, worker: WorkerState) => boolean,
): readonly Place[] {
  return restlessRuns(state)
    .filter((run) => isRunLive(run) && run.state !== 'paused' && !run.cancelling)
    .flatMap((run) =>
      workersIn(run, 'ready')
        .filter(
          (worker) =>
            definitionOf(run, worker.id).resources !== undefined &&
            waited(worker, now) >= run.plan.policies.agingMs &&
            lackOf(run, worker.id, use) !== null &&
            mayStart(run, worker),
        )
        .map((worker) => placeOf(run, worker, now)),
    );
}

/** What of the worker's resources is reserved for one before it. */
export function reservedFor(
  places: readonly Place[],
  run: RunState,
  worker: WorkerState,
  now: number,
): ResourceLack | null {
  const { resources = {} } = definitionOf(run, worker.id);
  const mine = placeOf(run, worker, now);
  for (const place of places) {
    if (inLine(place, mine) >= 0) continue;
    const theirs = definitionOf(place.run, place.worker.id).resources ?? {};
    const name = Object.keys(resources).find((one) => Object.hasOwn(theirs, one));
    if (name === undefined) continue;
    const lack = { kind: 'reserved', run: place.run.id, worker: place.worker.id } as const;
    return { name, lack };
  }
  return null;
}

function placeOf(run: RunState, worker: WorkerState, now: number): Place {
  return { run, worker, level: levelOf(run, worker, now) };
}

/** One order of all, so that no two hold each other back. */
function inLine(a: Place, b: Place): number {
  return (
    a.level - b.level ||
    (a.worker.readySince ?? 0) - (b.worker.readySince ?? 0) ||
    compare(a.run.id, b.run.id) ||
    compare(a.worker.id, b.worker.id)
  );
}
