/** Where the branches of the user's repository are checked out. Reads only. */
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { fields, line, output } from './git.ts';

export interface Checkout {
  /** Full name of the branch. */
  readonly ref: string;
  /** Top folder, absolute; null when the folder is gone or is another one's now. */
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
  let main: string | null = null;
  for (const field of listed) {
    if (field.startsWith('worktree ')) {
      path = field.slice('worktree '.length);
      main ??= path;
      bare = false;
    } else if (field === 'bare') bare = true;
    else if (field.startsWith('branch ') && !bare) {
      const there = await gitDirOf(context, path, path === main);
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

/** Git directory of a checkout as its folder is now; null when that is gone, or leads to no checkout of ours. */
async function gitDirOf(context: GitContext, path: string, main: boolean): Promise<string | null> {
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory() !== true) return null;
  if (main) {
    const args = ['rev-parse', '--path-format=absolute', '--git-dir'];
    return realpath(await line(args, { cwd: path, config: 'user', signal: context.signal }));
  }
  const text = await readFile(join(path, '.git'), 'utf8').catch(() => '');
  const [, named = null] = /^gitdir: (.+)\n?$/.exec(text) ?? [];
  if (named === null) return null;
  const gitDir = await realpath(resolve(path, named)).catch(() => null);
  const folder = join(await realpath(context.commonDir), 'worktrees');
  return gitDir !== null && dirname(gitDir) === folder ? gitDir : null;
}

async function linked(context: GitContext): Promise<string[]> {
  const folder = join(context.commonDir, 'worktrees');
  return (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
}
