/**
 * Taking a worker's tree away because a person wants it gone: everything in it is stored first, then the tree goes, then
 * the branch that czar made for it, if what that holds is reachable without it.
 */
import { rm } from 'node:fs/promises';
import type { KeptWork } from '../../core/events.ts';
import { isBusy } from '../../core/tended-trees.ts';
import { definitionOf, type RunState, type WorkerState } from '../../core/state.ts';
import { deleteOwnBranch } from '../../git/own-branch.ts';
import { reach, type GitContext } from '../../git/context.ts';
import { isThere } from '../../git/trees/discard.ts';
import { failing } from '../../git/git.ts';
import { indexFile, keepFiles, keepTree, openWork } from '../../git/collecting/keep.ts';
import { publish } from '../../git/publish.ts';
import { ownerOf } from '../../git/trees/tree-mark.ts';
import { keptOf } from '../../git/trees/worktree.ts';
import { unfinishedIn } from '../../git/trees/tree-facts.ts';
import { captureRules } from './work.ts';
import { succeed } from './succeed.ts';
import { isolationOf, treeOf, type Workplace } from '../workplace.ts';

const why = 'the working tree was removed';

/** Removes it, or finds it gone. */
export async function removeTree(
  place: Workplace,
  run: RunState,
  worker: WorkerState,
): Promise<{ readonly branch: boolean; readonly kept: readonly KeptWork[] }> {
  const dir = treeOf(place, worker);
  const of = { run: run.id, worker: worker.id };
  const keeping = { ...of, identity: place.identity, why, now: place.now() };
  const rules = captureRules(place, run, { worker: worker.id, attempt: worker.attempts });
  if (dir === null) return { branch: false, kept: [] };
  const isolation = isolationOf(run);
  const repository = isolation.repository(place.git, dir);
  const owner = await ownerOf(repository.gitDir);
  const isEmpty = definitionOf(run, worker.id).workspace === 'empty';
  // Another worker's, or of an attempt that has begun meanwhile; whose nobody says is whose the log says.
  const other = owner !== null && (owner.run !== run.id || owner.worker !== worker.id);
  if (other || (owner?.attempt ?? 0) > worker.attempts) return { branch: false, kept: [] };
  const base = worker.attempt?.base ?? run.base.commit;
  const removed = succeed(
    await failing(async () => {
      const tree = (await isThere(dir)) ? dir : null;
      if (isEmpty) succeed(await keepFiles(place.git, { ...keeping, dir, rules }));
      else if (tree !== null || (await isThere(repository.gitDir))) {
        const attempt = owner?.attempt ?? worker.attempts;
        await keepTree(place.git, { ...keeping, attempt, tree, repository, base, rules });
      }
      // Also what a call kept whose result nobody heard.
      const kept = await keptOf(place.git, of);
      const refs = Object.fromEntries(kept.map(({ ref, commit }) => [ref, commit]));
      if (kept.length > 0) succeed(await publish(place.git, { run: run.id, refs }));
      await reach(place.git, 'remove:before-tree');
      await rm(indexFile(place.git, of), { force: true });
      await (
        await isolation.release(place.git, dir)
      ).deleted;
      await reach(place.git, 'remove:after-tree');
      const branch = isEmpty ? null : worker.branch;
      const gone = branch !== null && (await deleteOwnBranch(place.git, { ...of, branch }));
      await reach(place.git, 'remove:after-branch');
      return { kind: 'removed', branch: gone, kept } as const;
    }),
  );
  return { branch: removed.branch, kept: removed.kept };
}

/** Whether the tree is there, and what of it is neither merged nor kept, in words. */
export async function treeHolds(
  place: { readonly git: GitContext },
  run: RunState,
  worker: WorkerState,
): Promise<{ readonly there: boolean; readonly holds: string | null }> {
  const dir = treeOf(place, worker);
  if (dir === null || !(await isThere(dir))) return { there: false, holds: null };
  // It is refused, or under way.
  const tended = run.tending.some((one) => one.worker === worker.id);
  if (tended || isBusy(worker.state)) return { there: true, holds: null };
  // What lay in an empty folder was kept when its attempt ended.
  if (definitionOf(run, worker.id).workspace === 'empty') return { there: true, holds: null };
  const repository = isolationOf(run).repository(place.git, dir);
  const unfinished = await unfinishedIn(place.git, { tree: dir, repository });
  if (unfinished !== null) return { there: true, holds: unfinished };
  const rules = captureRules(place, run, { worker: worker.id, attempt: worker.attempts });
  const found = succeed(
    await openWork(place.git, {
      run: run.id,
      worker: worker.id,
      attempt: worker.attempts,
      tree: dir,
      repository,
      base: worker.attempt?.base ?? run.base.commit,
      integration: run.tip,
      rules: { ...rules, asideDir: null },
    }),
  );
  return { there: true, holds: wordsOf(found) };
}

function wordsOf({ files, commits }: { files: readonly string[]; commits: number }): string | null {
  const counted = commits === 1 ? 'a commit' : `${commits} commits`;
  const named =
    files.length <= 3
      ? files.join(', ')
      : `${files.slice(0, 3).join(', ')} and ${files.length - 3} more`;
  const said = [...(commits === 0 ? [] : [counted]), ...(files.length === 0 ? [] : [named])];
  return said.length === 0 ? null : said.join(', ');
}
