/**
 * Where the main checkout of the user's repository is, and whether a folder is the checkout of a git directory. Git's
 * own list of worktrees names the git directory itself for a repository whose `.git` is a file.
 */
import { readFile, realpath } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { git } from './git.ts';

/** Top folder of the checkout that has the common git directory to itself; null when nothing says where it is. */
export async function mainWorkTree(context: GitContext): Promise<string | null> {
  const { root, commonDir } = context;
  for (const folder of [root, dirname(commonDir)])
    if (await isCheckoutOf(folder, commonDir)) return folder;
  // A submodule's git directory names its folder.
  const set = await git(['config', '--get', 'core.worktree'], inUserRepository(context));
  if (set.code !== 0) return null;
  const named = resolve(commonDir, set.stdout.toString('utf8').replace(/\n$/, ''));
  return (await isCheckoutOf(named, commonDir)) ? named : null;
}

/** Whether `.git` of a folder is that git directory, or leads to it: never so of a git directory, or of a folder in it. */
export async function isCheckoutOf(folder: string, gitDir: string): Promise<boolean> {
  const found = await gitDirOf(folder);
  return found !== null && found === (await realpath(gitDir).catch(() => null));
}

/** Git directory to which a folder's `.git` leads, links resolved; null when it leads to none. */
export async function gitDirOf(folder: string): Promise<string | null> {
  const dot = join(folder, '.git');
  const text = await readFile(dot, 'utf8').catch(() => null);
  // A folder cannot be read as a file is.
  if (text === null) return realpath(dot).catch(() => null);
  const [, named = null] = /^gitdir: (.+)\n?$/.exec(text) ?? [];
  return named === null ? null : realpath(resolve(folder, named)).catch(() => null);
}
