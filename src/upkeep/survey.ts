/** What czar made in a repository, and what stands in the way of removing it. Reads only. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isLive } from '../core/lifecycle.ts';
import { isRunLive, type RepositoryState, type RunState, type WorkerState } from '../core/state.ts';
import type { Place } from '../daemon/place.ts';
import { rootOf } from '../daemon/place-of-run.ts';
import { treeOf } from '../daemon/workplace.ts';
import { ownerOf, type TreeOwner } from '../git/trees/tree-mark.ts';
import { liveness } from '../process/identity.ts';
import { gitDirOf } from './check-trees.ts';

/** A working tree of the log that is there. */
export interface StandingTree {
  readonly path: string;
  readonly run: RunState;
  readonly worker: WorkerState;
}

/** Runs that are not over. */
export function liveRuns(state: RepositoryState): readonly RunState[] {
  return [...state.runs.values()].filter((run) => isRunLive(run) || run.landing !== null);
}

/** Workers whose agent's process is not known to be gone. */
export function livingAgents(state: RepositoryState): readonly string[] {
  return [...state.runs.values()].flatMap((run) =>
    [...run.workers.values()].flatMap(({ id, state: now, attempt }) =>
      isLive(now) && attempt?.process != null && liveness(attempt.process) !== 'gone' ? [id] : [],
    ),
  );
}

/** Working trees of the log by folder; of two workers with one place, the one whose mark stands in it. */
export async function standingTrees(
  place: Place,
  state: RepositoryState,
): Promise<{
  readonly known: readonly StandingTree[];
  /** Trees that say they are of a worker that the log does not know there. */
  readonly strange: readonly { readonly path: string; readonly owner: TreeOwner }[];
}> {
  const candidates = [...state.runs.values()].flatMap((run) => {
    const root = rootOf(place, run.checkout);
    return [...run.workers.values()].flatMap((worker) => {
      const path = root === null ? null : treeOf({ git: { root } }, worker);
      return path === null || !existsSync(path) ? [] : [{ path, run, worker }];
    });
  });
  const others = homesOf(place, state).flatMap((home) =>
    namesIn(join(home, 'worktrees'))
      .filter((name) => !name.startsWith('.'))
      .map((name) => join(home, 'worktrees', name)),
  );
  const known: StandingTree[] = [];
  const strange: { path: string; owner: TreeOwner }[] = [];
  for (const path of new Set([...candidates.map((one) => one.path), ...others])) {
    const here = candidates.filter((one) => one.path === path);
    const owner = await ownerOf(await gitDirOf(path));
    const own = here.find(({ run, worker }) => owner?.run === run.id && owner.worker === worker.id);
    // A folder without a repository (an empty workspace, or a damaged tree) is of the last that the log knows there.
    const chosen = own ?? (owner === null ? here.at(-1) : undefined);
    if (chosen !== undefined) known.push(chosen);
    else if (owner !== null) strange.push({ path, owner });
  }
  return { known, strange };
}

/** The homes of all checkouts from which runs were started and that are still there, this one's first. */
export function homesOf(place: Place, state: RepositoryState): readonly string[] {
  const checkouts = [...new Set([...state.runs.values()].map(({ checkout }) => checkout))];
  const roots = checkouts.flatMap((checkout) => rootOf(place, checkout) ?? []);
  return [...new Set([place.home.path, ...roots.map((root) => join(root, place.home.name))])];
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
