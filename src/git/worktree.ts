/**
 * Working trees of workers: an ordinary repository whose objects are the mirror's, on the worker's branch.
 *
 * Invariants: a tree is made beside its place and renamed, so that one with the right name is whole; a tree is taken
 * away only after what it holds was stored in the mirror (S8); git runs in one only before its agent ever did.
 */
import {
  chmod,
  copyFile,
  mkdir,
  readFile,
  realpath,
  rename,
  rm,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { KeptWork } from '../core/events.ts';
import {
  gitDirState,
  readCloneRefs,
  readGitFile,
  removeGitFiles,
  writeGitFile,
} from './clone-files.ts';
import { reach } from './context.ts';
import type { GitContext, Identity } from './context.ts';
import { discard, isThere } from './discard.ts';
import { failing, failure, git, output } from './git.ts';
import type { Failed } from './git.ts';
import { indexFile, keepTree } from './keep.ts';
import type { CaptureRules } from './capture.ts';
import { keptChange, listKept } from './kept.ts';
import { isBranchName, listRefs } from './refs.ts';
import { excludeFile, prePushHook, treeConfig } from './tree-config.ts';

const checkoutTimeoutMs = 30 * 60_000;
const marker = 'czar-tree';

export interface TreeOrder {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
  /** Without `refs/heads/`. */
  readonly branch: string;
  /** Where a new tree starts. */
  readonly commit: string;
  /** Whether the tree of the attempt before goes on, if there is one. */
  readonly continues: boolean;
  /** `<home>/worktrees/<worker>`. */
  readonly dir: string;
  readonly identity: Identity;
  /** URL of the user's `origin`, or null. */
  readonly origin: string | null;
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
    const making = join(dirname(order.dir), `.making-${order.worker}`);
    await rm(making, { recursive: true, force: true });

    const mark = await readMark(order.dir);
    const ours = mark?.run === order.run && mark.worker === order.worker;
    if (ours && (mark.attempt === order.attempt || order.continues)) {
      const tree = await continueTree(order, mark.attempt === order.attempt);
      return { ...tree, kept: await keptBefore(context, order) };
    }
    const kept = [...(await clearPlace(context, order, mark))];
    const known = new Set(kept.map((one) => one.ref));
    kept.push(...(await keptBefore(context, order)).filter((one) => !known.has(one.ref)));
    await makeFolder(dirname(order.dir));
    await reach(context, 'tree:before-make');
    await makeTree(context, order, making);
    await reach(context, 'tree:before-rename');
    await rename(making, order.dir);
    await reach(context, 'tree:after-rename');
    const shown = await topLevel(order.dir, context.signal);
    if (shown !== (await realpath(order.dir)))
      throw failure(`git does not see ${order.dir} as a repository of its own`);
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
  const env = { GIT_CEILING_DIRECTORIES: await ceilingDirectories(dir) };
  const found = await git(['rev-parse', '--show-toplevel'], {
    cwd: dir,
    env,
    signal,
    timeoutMs: 10_000,
  });
  return found.code === 0 ? found.stdout.toString('utf8').replace(/\n$/, '') : null;
}

/**
 * Puts a commit of the mirror into a tree as `refs/czar/integration`, for `git merge refs/czar/integration`. False when
 * the tree's `.git` does not let a file be written there.
 */
export async function offerIntegration(tree: string, commit: string): Promise<boolean> {
  return writeGitFile(tree, 'refs/czar/integration', `${commit}\n`);
}

/** The folder of all trees, which the user's git ignores. */
async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const ignore = join(folder, '.gitignore');
  if (!(await isThere(ignore))) await writeFile(ignore, '*\n');
}

async function continueTree(order: TreeOrder, same: boolean): Promise<PreparedTree> {
  // Whoever held these locks is gone: the attempt before has ended with its whole process tree.
  const locks = [
    'index.lock',
    'HEAD.lock',
    'config.lock',
    'packed-refs.lock',
    `refs/heads/${order.branch}.lock`,
  ];
  await removeGitFiles(order.dir, locks);
  if (!same) await writeGitFile(order.dir, marker, mark(order));
  const sound = (await gitDirState(order.dir)).kind === 'sound';
  const refs = sound ? await readCloneRefs(order.dir) : null;
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

/** What stands kept of the worker. Which files were left out of it only its own keeping could tell. */
async function keptBefore(context: GitContext, order: TreeOrder): Promise<KeptWork[]> {
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
  order: TreeOrder,
  old: Mark | null,
): Promise<readonly KeptWork[]> {
  if (!(await isThere(order.dir))) return [];
  const kept = await keepTree(context, {
    run: old?.run ?? order.run,
    worker: old?.worker ?? order.worker,
    attempt: old?.attempt ?? order.attempt,
    tree: order.dir,
    base: order.commit,
    rules: order.rules,
    identity: order.identity,
    why: 'the working tree was made anew',
    now: order.now,
  });
  await reach(context, 'tree:before-discard');
  await rm(indexFile(context, order), { force: true });
  // Deleted in the background; what remains after a kill is deleted with the trash.
  void (await discard(order.dir)).deleted;
  await reach(context, 'tree:after-discard');
  return kept;
}

async function makeTree(context: GitContext, order: TreeOrder, making: string): Promise<void> {
  const gitDir = join(making, '.git');
  for (const folder of [
    'objects/info',
    'objects/pack',
    'refs/heads',
    'refs/tags',
    'info',
    'hooks',
  ]) {
    await mkdir(join(gitDir, folder), { recursive: true });
  }
  const format = order.commit.length === 64 ? 'sha256' : 'sha1';
  await writeFile(join(gitDir, 'config'), treeConfig({ ...order, objectFormat: format }));
  const hook = join(gitDir, 'hooks/pre-push');
  await writeFile(hook, prePushHook());
  await chmod(hook, 0o755);
  await writeFile(join(gitDir, 'info/exclude'), excludeFile());
  // Relative, so that a repository that is moved with its home goes on.
  const objects = relative(
    join(await realpath(gitDir), 'objects'),
    join(await realpath(context.mirror), 'objects'),
  );
  await writeFile(join(gitDir, 'objects/info/alternates'), `${objects}\n`);
  await writeFile(join(gitDir, 'packed-refs'), await packedRefs(context));
  await writeFile(join(gitDir, 'HEAD'), `ref: refs/heads/${order.branch}\n`);
  const ref = join(gitDir, 'refs/heads', order.branch);
  await mkdir(dirname(ref), { recursive: true });
  await writeFile(ref, `${order.commit}\n`);
  await writeFile(join(gitDir, marker), mark(order));
  const shallow = await readFile(join(context.mirror, 'shallow')).catch(() => null);
  if (shallow !== null) await writeFile(join(gitDir, 'shallow'), shallow);
  await reach(context, 'tree:before-checkout');
  const call = {
    cwd: making,
    gitDir,
    workTree: making,
    signal: context.signal,
    timeoutMs: checkoutTimeoutMs,
  };
  await output(['reset', '-q', '--hard'], call);
  // Kept by us: collecting compares files with it instead of reading them all, and trusts no index of the agent's.
  const index = indexFile(context, order);
  await mkdir(dirname(index), { recursive: true });
  await copyFile(join(gitDir, 'index'), index);
}

/** Tags and tracking refs as the user has them. */
async function packedRefs(context: GitContext): Promise<string> {
  const refs: string[] = [];
  for (const [kind, name] of [
    ['remotes/origin', 'remotes/origin'],
    ['tags', 'tags'],
  ] as const) {
    const prefix = `refs/user/${kind}/`;
    for (const [ref, id] of await listRefs(context, prefix)) {
      refs.push(`${id} refs/${name}/${ref.slice(prefix.length)}`);
    }
  }
  const byName = (text: string): string => text.slice(text.indexOf(' ') + 1);
  refs.sort((a, b) => Buffer.compare(Buffer.from(byName(a)), Buffer.from(byName(b))));
  return ['# pack-refs with: sorted ', ...refs, ''].join('\n');
}

interface Mark {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
}

function mark(order: TreeOrder): string {
  return `${order.run} ${order.worker} ${order.attempt}\n`;
}

async function readMark(dir: string): Promise<Mark | null> {
  const match = /^([\w-]+) ([\w.-]+) (\d+)\n$/.exec((await readGitFile(dir, marker)) ?? '');
  const [, run, worker, attempt] = match ?? [];
  if (run === undefined || worker === undefined || attempt === undefined) return null;
  return { run, worker, attempt: Number(attempt) };
}
