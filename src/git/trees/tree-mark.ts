/**
 * Whose a working tree is: a line in a file of its git directory, written before the tree comes to its place. A tree in
 * the making stands beside that place under a name that no worker has.
 */
import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { readGitFile } from './clone-files.ts';
import type { GitContext } from '../context.ts';
import { removeFolder } from './remove-folder.ts';

/** Name of the file. */
export const treeMark = 'czar-tree';

/** The attempt that a tree was made for, or goes on for. */
export interface TreeOwner {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
}

/** What the file says. */
export function markText(of: TreeOwner): string {
  return `${of.run} ${of.worker} ${of.attempt}\n`;
}

/** Who a git directory says that it belongs to; null when it does not say. */
export async function ownerOf(gitDir: string): Promise<TreeOwner | null> {
  const match = /^([\w-]+) ([\w.-]+) (\d+)\n$/.exec((await readGitFile(gitDir, treeMark)) ?? '');
  const [, run, worker, attempt] = match ?? [];
  if (run === undefined || worker === undefined || attempt === undefined) return null;
  return { run, worker, attempt: Number(attempt) };
}

/** Where the tree that will stand at `dir` is made. */
export function makingFolder(dir: string, worker: string): string {
  return join(dirname(dir), `${making}${worker}`);
}

/** Removes trees that were never finished. */
export async function removeMakings(context: GitContext): Promise<void> {
  const folder = join(context.home, 'worktrees');
  for (const name of await readdir(folder).catch(() => [])) {
    if (name.startsWith(making)) await removeFolder(join(folder, name));
  }
}

const making = '.making-';
