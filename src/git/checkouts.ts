/** Where the branches of the user's repository are checked out. Reads only. */
import { lstat, readFile, readdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { fields, line, output } from './git.ts';

export interface Checkout {
  /** Full name of the branch. */
  readonly ref: string;
  /** Top folder, absolute; null when the folder is gone. */
  readonly path: string | null;
  /** Git directory of that checkout. */
  readonly gitDir: string;
  /** Whether a rebase of the branch is under way there, with HEAD elsewhere meanwhile. */
  readonly rebasing: boolean;
}

/** All branches that some checkout stands on or rebases. For use inside `failing`. */
export async function checkouts(context: GitContext): Promise<readonly Checkout[]> {
  const found: Checkout[] = [];
  const listed = fields(
    await output(['worktree', 'list', '--porcelain', '-z'], inUserRepository(context)),
  );
  let path = '';
  let bare = false;
  for (const field of listed) {
    if (field.startsWith('worktree ')) {
      path = field.slice('worktree '.length);
      bare = false;
    } else if (field === 'bare') bare = true;
    else if (field.startsWith('branch ') && !bare) {
      const there = await gitDirOf(path);
      const ref = field.slice('branch '.length);
      found.push({ ref, path: there === null ? null : path, gitDir: there ?? '', rebasing: false });
    }
  }
  for (const gitDir of [context.commonDir, ...(await linked(context))]) {
    for (const name of ['rebase-merge/head-name', 'rebase-apply/head-name']) {
      const ref = (await readFile(join(gitDir, name), 'utf8').catch(() => '')).trim();
      if (ref.startsWith('refs/heads/')) found.push({ ref, path: null, gitDir, rebasing: true });
    }
  }
  return found;
}

async function gitDirOf(path: string): Promise<string | null> {
  const there = await lstat(path).catch(() => null);
  if (there === null) return null;
  const args = ['rev-parse', '--path-format=absolute', '--git-dir'];
  return realpath(await line(args, { cwd: path, config: 'user' }));
}

async function linked(context: GitContext): Promise<string[]> {
  const folder = join(context.commonDir, 'worktrees');
  return (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
}
