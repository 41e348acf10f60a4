/**
 * Branches that are under way: what was collected of workers that are not through, and what agents that live have
 * committed since, read from their trees as files. Reads only, and runs no git in a tree.
 */
import { isFinal, isLive } from '../../core/lifecycle.ts';
import { definitionOf, type RunState, type WorkerState } from '../../core/state.ts';
import type { GitContext } from '../../git/context.ts';
import { isolationOf, treeOf } from '../workplace.ts';

/** A branch, and where it stands. */
export interface InFlight {
  readonly run: string;
  /** Null for the integration branch of the run. */
  readonly worker: string | null;
  readonly branch: string;
  readonly tip: string;
}

export interface Flight {
  readonly branches: readonly InFlight[];
  /** Folders of objects that the mirror has not yet. */
  readonly borrowed: readonly string[];
}

/** All of a run: its integration branch first, then the workers that have commits of their own. */
export async function inFlight(git: GitContext, run: RunState): Promise<Flight> {
  if (run.tip === null) return { branches: [], borrowed: [] };
  const integration = { run: run.id, worker: null, branch: run.integration, tip: run.tip };
  const found = await Promise.all(
    [...run.workers.values()].map(async (worker) => ofWorker(git, run, worker)),
  );
  const there = found.flatMap((one) => one ?? []);
  return {
    branches: [integration, ...there.map(({ branch }) => branch)],
    borrowed: there.flatMap(({ borrowed }) => borrowed),
  };
}

async function ofWorker(
  git: GitContext,
  run: RunState,
  worker: WorkerState,
): Promise<{ readonly branch: InFlight; readonly borrowed: readonly string[] } | null> {
  const { id, branch, attempt, merged } = worker;
  if (branch === null || merged !== null || isFinal(worker.state)) return null;
  if (definitionOf(run, id).workspace === 'empty') return null;
  const live = isLive(worker.state) ? await liveTip(git, run, worker) : null;
  const tip = live?.tip ?? worker.work?.tip ?? null;
  if (tip === null || tip === run.tip || tip === attempt?.base) return null;
  return { branch: { run: run.id, worker: id, branch, tip }, borrowed: live?.objects ?? [] };
}

/** Where the branch stands in the tree of an agent that lives; null when that cannot be read. */
async function liveTip(
  git: GitContext,
  run: RunState,
  worker: WorkerState,
): Promise<{ readonly tip: string; readonly objects: readonly string[] } | null> {
  const tree = treeOf({ git }, worker);
  if (tree === null) return null;
  const repository = isolationOf(run).repository(git, tree);
  try {
    if ((await repository.state()).kind !== 'sound') return null;
    const { refs, head } = await repository.refs(worker.branch ?? '');
    const tip = refs.get(`refs/heads/${worker.branch}`) ?? head;
    return tip === null ? null : { tip, objects: repository.objects };
  } catch {
    // It changes under our eyes: what was collected before is what is known.
    return null;
  }
}
