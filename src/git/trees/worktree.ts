/**
 * Working trees of workers, on the worker's branch, however they are tied to a repository.
 *
 * Invariants: a tree at its place is whole; a tree is taken away only after what it holds was stored in the mirror (S8).
 */
import { lstat, realpath, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { KeptWork } from '../../core/events.ts';
import { makeGeneratedFolder } from '../../process/generated-folder.ts';
import { writeGitFile } from './clone-files.ts';
import { reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { isThere } from './discard.ts';
import { failing, failure, git } from '../git.ts';
import type { Failed } from '../git.ts';
import { holdCommits } from '../collecting/hold.ts';
import type { Isolation, NewTree, TreeRepository } from './isolation.ts';
import { indexFile, keepTree } from '../collecting/keep.ts';
import type { CaptureRules } from '../collecting/capture.ts';
import { keptChange, listKept } from '../collecting/kept.ts';
import { isAncestor } from '../history.ts';
import { isBranchName } from '../refs.ts';
import { markText, ownerOf, treeMark } from './tree-mark.ts';
import type { TreeOwner } from './tree-mark.ts';

export interface TreeOrder extends NewTree {
  readonly isolation: Isolation;
  /** Whether the tree of the attempt before goes on, if there is one. */
  readonly continues: boolean;
  /** How to keep what an old tree still holds. */
  readonly rules: CaptureRules;
  /** Milliseconds since 1970, for the commit of what is kept. */
  readonly now: number;
}

export interface PreparedTree {
  readonly kind: 'ready';
  readonly worktree: string;
  readonly branch: string;
  /** Commit that the attempt starts from. */
  readonly base: string;
  /** Whether the tree that was there goes on. */
  readonly continued: boolean;
  /** Everything kept of the worker, also what an earlier call kept whose result nobody heard. */
  readonly kept: readonly KeptWork[];
}

/** Makes the tree of an attempt, or finds it made. One call at a time: the caller serialises. */
export async function prepareTree(
  context: GitContext,
  order: TreeOrder,
): Promise<PreparedTree | Failed> {
  return failing(async () => {
    if (!isBranchName(order.branch))
      throw failure(`${JSON.stringify(order.branch)} is not a branch name`);
    const repository = order.isolation.repository(context, order.dir);
    const owner = await ownerOf(repository.gitDir);
    const there = await isThere(order.dir);
    const ours = there && owner?.run === order.run && owner.worker === order.worker;
    // A loop that was overtaken and does not know it yet (S2).
    if (ours && owner.attempt > order.attempt)
      throw failure(`the tree of ${order.worker} belongs to a later attempt already`);
    if (ours && (owner.attempt === order.attempt || order.continues)) {
      const tree = await continueTree(repository, order, owner.attempt === order.attempt);
      return { ...tree, kept: await keptOf(context, order) };
    }
    if (ours && owner.attempt === 0 && (await stillServes(context, repository, order))) {
      const tree = await continueTree(repository, order, false);
      return { ...tree, base: order.commit, kept: await keptOf(context, order) };
    }
    const kept = [...(await clearPlace(context, { order, repository, owner }))];
    const known = new Set(kept.map((one) => one.ref));
    kept.push(...(await keptOf(context, order)).filter((one) => !known.has(one.ref)));
    makeGeneratedFolder(dirname(order.dir));
    await reach(context, 'tree:before-make');
    await order.isolation.make(context, order);
    return {
      kind: 'ready',
      worktree: order.dir,
      branch: order.branch,
      base: order.commit,
      continued: false,
      kept,
    };
  });
}

/** What `GIT_CEILING_DIRECTORIES` must be so that git in this folder finds no repository around it. */
export async function ceilingDirectories(dir: string): Promise<string> {
  return realpath(dirname(dir));
}

/** Folder that git calls the top of the checkout when asked there, or null when it finds none. Runs nothing else. */
export async function topLevel(dir: string, signal?: AbortSignal): Promise<string | null> {
  for (const name of ['HEAD', 'config']) {
    // Git would wait at a pipe.
    const found = await lstat(join(dir, '.git', name)).catch(() => null);
    if (found?.isFIFO() === true) return null;
  }
  const env = { GIT_CEILING_DIRECTORIES: await ceilingDirectories(dir) };
  const found = await git(['rev-parse', '--show-toplevel'], {
    cwd: dir,
    env,
    signal,
    timeoutMs: 10_000,
  });
  return found.code === 0 ? found.stdout.toString('utf8').replace(/\n$/, '') : null;
}

/** Whether a tree that was made before its first attempt has all that the attempt starts from. */
async function stillServes(
  context: GitContext,
  repository: TreeRepository,
  order: TreeOrder,
): Promise<boolean> {
  const base = order.commit;
  const held = await holdCommits(context, { ...order, attempt: 0, repository, base });
  if (held.kind !== 'held' || held.head === null || held.branch !== order.branch) return false;
  return isAncestor(context, base, held.head);
}

async function continueTree(
  repository: TreeRepository,
  order: TreeOrder,
  same: boolean,
): Promise<PreparedTree> {
  // Whoever held these locks is gone: the attempt before has ended with its whole process tree.
  await repository.mend(order.branch);
  if (!same) {
    await repository.begin();
    await writeGitFile(repository.gitDir, treeMark, markText(order));
  }
  const sound = (await repository.state()).kind === 'sound';
  const refs = sound ? await repository.refs(order.branch) : null;
  const base = refs?.refs.get(`refs/heads/${order.branch}`) ?? refs?.head ?? order.commit;
  return {
    kind: 'ready',
    worktree: order.dir,
    branch: order.branch,
    base,
    continued: order.continues,
    kept: [],
  };
}

/**
 * What stands kept of the worker. Which files were left out of it only its own keeping could tell. For use inside
 * `failing`.
 */
export async function keptOf(
  context: GitContext,
  order: { readonly run: string; readonly worker: string },
): Promise<KeptWork[]> {
  const found: KeptWork[] = [];
  const listed = await listKept(context, { run: order.run, worker: order.worker });
  if (listed.kind === 'failed') throw failure(listed.error);
  for (const { ref, commit, why } of listed.entries) {
    const files = (await keptChange(context, ref))?.changed.map((change) => change.path) ?? [];
    found.push({ ref, commit, files, leftOut: [], why });
  }
  return found;
}

/** Stores what an old tree holds and moves it out of the way. */
async function clearPlace(
  context: GitContext,
  old: {
    readonly order: TreeOrder;
    readonly repository: TreeRepository;
    readonly owner: TreeOwner | null;
  },
): Promise<readonly KeptWork[]> {
  const { order, repository } = old;
  const there = await isThere(order.dir);
  if (!there && !(await isThere(repository.gitDir))) return [];
  const kept = await keepTree(context, {
    ...order,
    ...old.owner,
    tree: there ? order.dir : null,
    repository,
    base: order.commit,
    why: 'the working tree was made anew',
  });
  await reach(context, 'tree:before-discard');
  await rm(indexFile(context, order), { force: true });
  // Deleted in the background; what remains after a kill is deleted with the trash.
  void (await order.isolation.release(context, order.dir)).deleted;
  await reach(context, 'tree:after-discard');
  return kept;
}
