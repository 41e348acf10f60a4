/**
 * The git side of a linked worktree: its own folder in the user's git directory, and what of the shared refs its agent
 * may have put work on. Only files are read and written, and refs of the user's moved by compare-and-swap.
 */
import { lstat, rm, writeFile } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import {
  filesBelow,
  idsOfLog,
  mentionedIds,
  oddEntry,
  readGitFile,
  readHead,
  readRefs,
  removeGitFiles,
  writeGitFile,
} from './clone-files.ts';
import type { CloneRefs, GitDirState } from './clone-files.ts';
import { inUserRepository } from '../context.ts';
import type { GitContext } from '../context.ts';
import { deliver } from '../deliver.ts';
import { isThere } from './discard.ts';
import { git } from '../git.ts';
import type { TreeRepository } from './isolation.ts';
import { moveRefIn, readRefIn } from '../refs.ts';
import { readShared, recordShared, sharedChanges } from './shared-state.ts';

/** Names of the tree's own folder, and of the user's git directory, that git opens for the work of an agent. */
const ownNames: ReadonlySet<string> = new Set([
  'HEAD',
  'ORIG_HEAD',
  'MERGE_HEAD',
  'CHERRY_PICK_HEAD',
  'REVERT_HEAD',
  'REBASE_HEAD',
  'commondir',
  'index',
  'logs',
  'refs',
]);
const sharedNames: ReadonlySet<string> = new Set(['packed-refs', 'refs', 'shallow', 'config']);

/** Content of the `.git` file that ties a tree to its folder. */
export function linkText(tree: string, gitDir: string): string {
  return `gitdir: ${relative(tree, gitDir)}\n`;
}

/** What a tree holds in the user's repository beside its branch. */
export function treeRef(gitDir: string): string {
  return `refs/czar/tree/${basename(gitDir)}`;
}

/** The git side of the tree at a place; `gitDir` is its folder in the user's git directory. */
export function linkedRepository(
  context: GitContext,
  at: { readonly tree: string; readonly gitDir: string },
): TreeRepository {
  const { tree, gitDir } = at;
  const name = basename(gitDir);
  return {
    gitDir,
    objects: [join(context.commonDir, 'objects')],
    state: () => stateOf(context, gitDir),
    refs: (branch) => refsOf(context, { gitDir, branch }),
    mend: (branch) => mend(context, { tree, gitDir, branch }),
    standAt: (where) => standAt(context, { gitDir, ...where }),
    shared: () => sharedChanges(context, name),
    begin: () => recordShared(context, name),
  };
}

async function stateOf({ commonDir }: GitContext, gitDir: string): Promise<GitDirState> {
  if (!(await isThere(gitDir))) return { kind: 'gone' };
  const places = [
    { folder: gitDir, shown: 'its git folder', names: ownNames },
    { folder: commonDir, shown: '.git', names: sharedNames },
    { folder: join(commonDir, 'objects'), shown: '.git/objects', names: new Set(['info']) },
  ];
  for (const { folder, shown, names } of places) {
    const odd = await oddEntry(folder, names);
    if (odd === '') return { kind: 'unsafe', why: `${shown} holds too many files` };
    if (odd !== null) return { kind: 'unsafe', why: `${odd} in ${shown} is not a plain file` };
  }
  const head = await readGitFile(gitDir, 'HEAD');
  return head === null ? { kind: 'unsafe', why: 'its git folder has no HEAD' } : { kind: 'sound' };
}

/** HEAD, the worker's branch, and what else has moved since the attempt began and is not another worker's. */
async function refsOf(
  { commonDir, state }: GitContext,
  of: { readonly gitDir: string; readonly branch: string },
): Promise<CloneRefs> {
  const { gitDir, branch } = of;
  const before = await readShared(state, basename(gitDir));
  const known = before?.refs ?? Object.fromEntries(await readRefs(commonDir));
  const now = await readRefs(commonDir);
  const own = `refs/heads/${branch}`;
  const refs = new Map(await readRefs(gitDir));
  for (const [ref, id] of now)
    if (ref === own || (isAgents(ref) && known[ref] !== id)) refs.set(ref, id);
  // One that is gone is held where it stood.
  for (const [ref, id] of Object.entries(known))
    if (!now.has(ref) && (ref === own || isAgents(ref))) refs.set(ref, id);
  const ids = new Set(await mentionedIds(gitDir, await filesBelow(gitDir, 'logs')));
  for (const [log, length] of Object.entries(before?.logs ?? {})) {
    const text = (await readGitFile(commonDir, log)) ?? '';
    for (const id of idsOfLog(text.length < length ? text : text.slice(length))) ids.add(id);
  }
  return { ...(await readHead(gitDir, now)), refs, mentioned: ids };
}

/** Whether a ref that moves may be the doing of this agent: those of czar and of other workers are not. */
function isAgents(ref: string): boolean {
  return !/^refs\/(?:czar|remotes|heads\/czar)\//.test(ref);
}

async function mend(
  { commonDir }: GitContext,
  at: { readonly tree: string; readonly gitDir: string; readonly branch: string },
): Promise<void> {
  const { tree, gitDir } = at;
  if (!(await isThere(gitDir))) return;
  await removeGitFiles(gitDir, ['index.lock', 'HEAD.lock']);
  await removeGitFiles(commonDir, [`refs/heads/${at.branch}.lock`]);
  await writeGitFile(gitDir, 'gitdir', `${join(tree, '.git')}\n`);
  await writeGitFile(gitDir, 'commondir', '../..\n');
  const dot = join(tree, '.git');
  const there = await lstat(dot).catch(() => null);
  // A repository that the agent made there itself is not ours to remove.
  if (there?.isDirectory() === true) return;
  await rm(dot, { force: true });
  await writeFile(dot, linkText(tree, gitDir));
}

async function standAt(
  context: GitContext,
  at: {
    readonly gitDir: string;
    readonly branch: string;
    readonly commit: string;
    readonly index: Uint8Array;
  },
): Promise<boolean> {
  const { gitDir, commit } = at;
  const ref = `refs/heads/${at.branch}`;
  const place = inUserRepository(context);
  await deliver(context, { commit, ref: treeRef(gitDir) });
  const from = await readRefIn(place, ref);
  if (from !== null) {
    const leads = await git(['merge-base', '--is-ancestor', from, commit], place);
    if (leads.code !== 0) return false;
  }
  const moved = await moveRefIn({ ...place, reason: 'czar' }, { ref, from, to: commit });
  return (
    moved.kind !== 'lost' &&
    (await writeGitFile(gitDir, 'HEAD', `ref: ${ref}\n`)) &&
    (await writeGitFile(gitDir, 'index', at.index))
  );
}
