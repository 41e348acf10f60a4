/**
 * Moves a checkout of the user's from one commit to another together with its branch, as a fast-forward merge would,
 * but so that a crash at any point can be carried through.
 *
 * How: git's own `index.lock` is taken first, with a line of ours in it, so that no other git touches the index; a copy
 * of the index is worked on; a note in czar's state says what is under way; the branch moves; files follow; the copy
 * becomes the index. Everything that could stand in the way is looked at before the branch moves. When a note is found
 * later, every file is one of: as before, as after, or changed by the user since, and the last are left alone.
 */
import { copyFile, lstat, readFile, rename, rm, rmdir, unlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { adoptChanges } from './adopt-changes.ts';
import { inUserRepository, reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { isThere } from '../trees/discard.ts';
import { failure, fields, git, output } from '../git.ts';
import type { GitCall } from '../git.ts';
import { halfWritten } from './half-written.ts';
import { untrackedInTheWay, unwritableFolders } from './in-the-way.ts';
import { releaseLock, removeStaleLock, takeLock } from './index-lock.ts';
import { changesIn, readRefIn } from '../refs.ts';
import { isCheckoutOf } from '../work-tree.ts';
import { isWritable, mayNotWrite } from '../writable.ts';

export interface CheckoutMove {
  /** Full name of the branch. */
  readonly ref: string;
  /** Top folder of the checkout and its git directory, absolute. */
  readonly worktree: string;
  readonly gitDir: string;
  readonly onto: string;
  readonly commit: string;
  /** Uncommitted changes that the run started from: files that are as they are there are not in the way. */
  readonly snapshot: string | null;
}

const timeoutMs = 30 * 60_000;

/** Why the checkout cannot go along, or null: what is changed or untracked there stands in the way. Changes nothing. */
export async function checkoutProblem(
  context: GitContext,
  at: CheckoutMove,
): Promise<{ readonly reason: string; readonly files: readonly string[] } | null> {
  // Files must never be written into a git directory.
  if (!(await isCheckoutOf(at.worktree, at.gitDir)))
    return { reason: `${at.worktree} is not the checkout of ${at.gitDir}`, files: [] };
  if (!(await isWritable(at.gitDir))) return { reason: mayNotWrite(at.gitDir), files: [] };
  for (const name of [
    'MERGE_HEAD',
    'rebase-merge',
    'rebase-apply',
    'CHERRY_PICK_HEAD',
    'REVERT_HEAD',
  ]) {
    if (await isThere(join(at.gitDir, name))) {
      return {
        reason: 'the target is checked out in the middle of a merge or rebase: finish it first',
        files: [],
      };
    }
  }
  const index = `${workIndex(context)}.probe`;
  try {
    await copyIndex(at, index);
    const call = inCheckout(context, at, index);
    const onto = await standing(context, at, index);
    const changed = await changesIn(call, onto, at.commit);
    await git(['update-index', '-q', '--refresh'], call);
    const touched = new Set(changed.map((change) => change.path));
    const dirty = (await dirtyPaths(onto, call)).filter((path) => inTheWay(path, touched));
    if (dirty.length > 0)
      return { reason: 'the target is checked out with changes in the way', files: dirty };
    const untracked = await untrackedInTheWay(at.worktree, changed, await trackedPaths(call));
    if (untracked.length > 0) {
      return {
        reason: 'the target is checked out with untracked files in the way',
        files: untracked,
      };
    }
    const closed = await unwritableFolders(at.worktree, changed);
    if (closed.length > 0)
      return {
        reason:
          'the target is checked out with folders that must change and that you may not write',
        files: closed,
      };
    const probe = await git(['read-tree', '-m', '-u', '-n', onto, at.commit], call);
    if (probe.code === 0) return null;
    return {
      reason: `the checkout of the target cannot be updated: ${probe.stderr || 'git gave no reason'}`,
      files: [],
    };
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

/**
 * Moves the branch by `move` (false: it was elsewhere, nothing is changed) and the checkout with it. Once the branch has
 * moved that stands: files that could not follow are named in `notUpdated`, relative to the checkout.
 */
export async function updateCheckout(
  context: GitContext,
  at: CheckoutMove,
  move: () => Promise<boolean>,
): Promise<
  | { readonly kind: 'done'; readonly moved: boolean; readonly notUpdated: readonly string[] }
  | { readonly kind: 'refused'; readonly reason: string; readonly files: readonly string[] }
> {
  // The note first: whoever finds it knows whose lock that is.
  await writeNote(context, at);
  if (!(await takeLock(at.gitDir))) {
    await rm(notePath(context), { force: true });
    return { kind: 'refused', reason: 'git is at work in the checkout of the target', files: [] };
  }
  const giveUp = async (): Promise<void> => {
    await rm(notePath(context), { force: true });
    await releaseLock(at.gitDir);
  };
  let moved = false;
  try {
    // Looked at again under the lock: from here on no other git changes the index.
    const problem = await checkoutProblem(context, at);
    if (problem !== null) {
      await giveUp();
      return { kind: 'refused', ...problem };
    }
    const index = workIndex(context);
    await copyIndex(at, index);
    const onto = await standing(context, at, index);
    await git(['update-index', '-q', '--refresh'], inCheckout(context, at, index));
    await reach(context, 'land:before-move');
    moved = await move();
    if (!moved) {
      await giveUp();
      return { kind: 'done', moved, notUpdated: [] };
    }
    await output(['read-tree', '-m', '-u', onto, at.commit], inCheckout(context, at, index));
    await reach(context, 'land:after-files');
    // Git only warns of files that it could not delete.
    const notUpdated = await undeleted(context, at);
    await installIndex(context, at);
    return { kind: 'done', moved, notUpdated };
  } catch (error) {
    if (moved) return { kind: 'done', moved, notUpdated: await finishCheckout(context, at) };
    // Taken back now, if that is possible; else the note stays for the next call.
    await recoverCheckout(context).catch(() => undefined);
    throw error;
  }
}

/**
 * Looks for a landing that was interrupted: carries the checkout through when the branch has moved, and else leaves
 * everything as it was before. Gives the files that could not follow. For the start of the loop, inside `failing`.
 */
export async function recoverCheckout(context: GitContext): Promise<readonly string[]> {
  const text = await readFile(notePath(context), 'utf8').catch(() => null);
  if (text === null) return [];
  const [ref, worktree, gitDir, onto, commit, snapshot = ''] = text.split('\0');
  if (
    ref !== undefined &&
    worktree !== undefined &&
    gitDir !== undefined &&
    onto !== undefined &&
    commit !== undefined
  ) {
    const at = { ref, worktree, gitDir, onto, commit, snapshot: snapshot || null };
    const now = await readRefIn(inUserRepository(context), ref);
    if (now === commit && (await isCheckoutOf(worktree, gitDir)))
      return finishCheckout(context, at);
    await releaseLock(at.gitDir);
  }
  await rm(notePath(context), { force: true });
  return [];
}

/**
 * Brings a checkout whose branch has moved after it, as far as that is possible, and gives the files that could not
 * follow. Note and lock are gone then: a file that nobody can write must not hold the user's git up for ever.
 */
async function finishCheckout(context: GitContext, at: CheckoutMove): Promise<readonly string[]> {
  if (!(await takeLock(at.gitDir))) throw failure('git is at work in the checkout of the target');
  try {
    return await carryThrough(context, at);
  } catch (error) {
    // This process is ending: the next one goes on.
    if (context.signal?.aborted === true) throw error;
    await rm(notePath(context), { force: true });
    await releaseLock(at.gitDir);
    return (await changesIn(inUserRepository(context), at.onto, at.commit)).map(({ path }) => path);
  }
}

/** Index and files may have followed already, in part or as a whole. */
async function carryThrough(context: GitContext, at: CheckoutMove): Promise<readonly string[]> {
  const index = workIndex(context);
  const probe = `${index}.probe`;
  await copyIndex(at, probe);
  const onto = await standing(context, at, probe);
  await removeStaleLock(`${index}.lock`);
  await copyFile(probe, index);
  const before = inCheckout(context, at, probe);
  const after = inCheckout(context, at, index);
  const changed = await changesIn(before, onto, at.commit);
  // `-i` leaves files alone; where the index is at the new commit already, the same command changes nothing.
  const advanced = await git(['read-tree', '-m', '-i', onto, at.commit], after);
  if (advanced.code !== 0)
    throw failure(`the checkout of the target cannot be updated: ${advanced.stderr}`);
  await git(['update-index', '-q', '--refresh'], before);
  await git(['update-index', '-q', '--refresh'], after);
  const unlikeBefore = new Set(fields(await output(['diff-files', '-z', '--name-only'], before)));
  const unlikeAfter = new Set(fields(await output(['diff-files', '-z', '--name-only'], after)));
  const known = await trackedPaths(before);
  const theirs = await untrackedInTheWay(at.worktree, changed, known);

  const write: string[] = [];
  const doubtful: string[] = [];
  for (const { path, status } of changed) {
    if (status === 'D') {
      if (known.has(path) && !unlikeBefore.has(path))
        await removeFile(at.worktree, join(at.worktree, path));
      continue;
    }
    if (!unlikeAfter.has(path)) continue;
    // A file of theirs where a folder must be, or in the folder that must go.
    if (theirs.some((other) => path.startsWith(`${other}/`) || other.startsWith(`${path}/`)))
      continue;
    // Not as it was before, and not as it should be: someone else's, if it is not what git had begun.
    const isChanged = known.has(path) ? unlikeBefore.has(path) : theirs.includes(path);
    (isChanged ? doubtful : write).push(path);
  }
  const { worktree, commit } = at;
  write.push(...(await halfWritten(before, { paths: doubtful, worktree, commit })));
  if (write.length > 0) {
    const input = write.map((path) => `${path}\0`).join('');
    await git(['checkout-index', '-f', '-u', '-z', '--stdin'], { ...after, input });
  }
  const unlike = new Set(fields(await output(['diff-files', '-z', '--name-only'], after)));
  const left = changed.filter(({ path, status }) => status !== 'D' && unlike.has(path));
  const notUpdated = [...left.map(({ path }) => path), ...(await undeleted(context, at))];
  await rm(probe, { force: true });
  await installIndex(context, at);
  return notUpdated;
}

/** Files that the new commit has no more and that are there still. */
async function undeleted(context: GitContext, at: CheckoutMove): Promise<string[]> {
  const found: string[] = [];
  for (const { path, status } of await changesIn(inUserRepository(context), at.onto, at.commit)) {
    const file = status === 'D' ? await lstat(join(at.worktree, path)).catch(() => null) : null;
    if (file !== null && !file.isDirectory()) found.push(path);
  }
  return found;
}

/** The worked-on copy becomes the index, then the note and the lock go. */
async function installIndex(context: GitContext, at: CheckoutMove): Promise<void> {
  const target = join(at.gitDir, 'index');
  const beside = join(at.gitDir, 'index.czar');
  await copyFile(workIndex(context), beside);
  await rename(beside, target);
  await reach(context, 'land:after-index');
  await rm(notePath(context), { force: true });
  await releaseLock(at.gitDir);
  await rm(workIndex(context), { force: true });
}

async function copyIndex(at: CheckoutMove, to: string): Promise<void> {
  await rm(`${to}.lock`, { force: true });
  await copyFile(join(at.gitDir, 'index'), to);
}

/** Paths that differ from a commit in the index, or from the index in the folder. */
async function dirtyPaths(commit: string, call: GitCall): Promise<string[]> {
  const staged = fields(
    await output(['diff-index', '--cached', '-z', '--name-only', '--no-renames', commit], call),
  );
  const changed = fields(await output(['diff-files', '-z', '--name-only'], call));
  return [...new Set([...staged, ...changed])].sort();
}

/** Whether a path, a folder above it, or something below it is among the touched. */
function inTheWay(path: string, touched: ReadonlySet<string>): boolean {
  if (touched.has(path)) return true;
  for (const other of touched)
    if (other.startsWith(`${path}/`) || path.startsWith(`${other}/`)) return true;
  return false;
}

async function trackedPaths(call: GitCall): Promise<ReadonlySet<string>> {
  return new Set(fields(await output(['ls-files', '-z'], call)));
}

async function removeFile(worktree: string, file: string): Promise<void> {
  await unlink(file).catch(() => undefined);
  for (let folder = dirname(file); folder.length > worktree.length; folder = dirname(folder)) {
    const empty = await rmdir(folder).then(
      () => true,
      () => false,
    );
    if (!empty) return;
  }
}

async function writeNote(context: GitContext, at: CheckoutMove): Promise<void> {
  const path = notePath(context);
  const text = [at.ref, at.worktree, at.gitDir, at.onto, at.commit, at.snapshot ?? ''].join('\0');
  await writeFile(`${path}.new`, text, { flush: true });
  await rename(`${path}.new`, path);
}

/** Git in the user's checkout: with the user's own line-end and filter settings, hooks off, on a private index. */
function inCheckout(context: GitContext, at: CheckoutMove, index: string): GitCall {
  return {
    cwd: at.worktree,
    gitDir: at.gitDir,
    workTree: at.worktree,
    config: 'user',
    signal: context.signal,
    timeoutMs,
    env: {
      GIT_INDEX_FILE: index,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: JSON.stringify(mirrorObjects(context)),
    },
  };
}

/** Where objects are that the user's repository has not, or not yet. */
function mirrorObjects(context: GitContext): string {
  return join(context.mirror, 'objects');
}

/** What the checkout stands at: `onto`, with the changes that it shares with the snapshot put into a copied index. */
async function standing(context: GitContext, at: CheckoutMove, index: string): Promise<string> {
  const { onto, commit, snapshot, worktree } = at;
  if (snapshot === null) return onto;
  const call = inCheckout(context, at, index);
  const objects = mirrorObjects(context);
  return adoptChanges({ call, onto, snapshot, commit, index, worktree, objects });
}

function notePath(context: GitContext): string {
  return join(context.state, 'landing');
}

function workIndex(context: GitContext): string {
  return join(context.state, 'landing-index');
}
