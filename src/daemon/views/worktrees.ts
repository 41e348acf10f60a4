/** Working trees of workers: where they are, and merging what one of them holds. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Intent, IntentKind } from '../../core/intents.ts';
import { isLive } from '../../core/lifecycle.ts';
import { definitionOf, type RunState, type WorkerState } from '../../core/state.ts';
import type { WorktreesDocument } from '../../report/branches-schema.ts';
import { membersOf } from '../../report/status.ts';
import type { Place } from '../place.ts';
import { placeOfRun } from '../place-of-run.ts';

/** The trees of runs, as the log knows them, and whether they are there. */
export function worktreesOf(place: Place, runs: readonly RunState[]): WorktreesDocument {
  const worktrees = runs.flatMap((run) => {
    const at = placeOfRun(place, run);
    return membersOf(run).flatMap((worker): WorktreesDocument['worktrees'] => {
      const { id, state, branch, worktree, merged } = worker;
      if (worktree === null) return [];
      const found =
        at === null ? null : statSync(resolve(at.root, worktree), { throwIfNoEntry: false });
      const agent = definitionOf(run, id).agent.name;
      const there = found?.isDirectory() === true;
      const named = { run: run.id, worker: id, state, path: worktree, branch, agent };
      return [{ ...named, there, live: isLive(state), merged: merged !== null }];
    });
  });
  return { v: 1, worktrees };
}

/** The worker that a person means: by its id, or by where its tree is. */
export function workerAt(
  place: Place,
  of: { readonly run: RunState; readonly name: string; readonly cwd: string },
): WorkerState | null {
  const { run, name, cwd } = of;
  const path = resolve(cwd, name);
  const at = placeOfRun(place, run);
  const there = [...run.workers.values()].find(
    ({ worktree }) => at !== null && worktree !== null && resolve(at.root, worktree) === path,
  );
  return run.workers.get(name) ?? there ?? null;
}

/** What a loop performs that judges and merges what is there, and starts nobody. */
export function isMerging(run: string): (intent: Intent) => boolean {
  return (intent) => intent.run === run && merges.has(intent.kind);
}

const merges: ReadonlySet<IntentKind> = new Set<IntentKind>([
  'prepare-run',
  'collect',
  'teardown',
  'judge',
  'check',
  'build-merge',
  'commit-merge',
  'publish',
  'push',
]);
