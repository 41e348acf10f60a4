/**
 * `.worktreeinclude` at the top of the user's checkout: a list of patterns, written as in `.gitignore`. What of the ignored
 * files there fits one of them is copied into every fresh tree.
 */
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import type { GitContext } from '../context.ts';
import { failure, output, type GitCall } from '../git.ts';

/** Name of the list. */
export const includeFile = '.worktreeinclude';

/** More files are a mistake in the list: they would be copied for every worker. */
const mostFiles = 10_000;
/** Paths in the arguments of one call. */
const atOnce = 400;

/**
 * Files of the checkout, relative to it, that git ignores there and the list names; none without a list. What lies in
 * folders that czar made, in repositories of their own, or under a name that is no UTF-8, is none of them. For use
 * inside `failing`.
 */
export async function includedFiles({
  root,
  home,
  signal,
}: Pick<GitContext, 'root' | 'home' | 'signal'>): Promise<readonly string[]> {
  const there = await lstat(join(root, includeFile)).catch(() => null);
  if (there?.isFile() !== true) return [];
  const call: GitCall = { cwd: root, config: 'user', signal };
  const list = ['ls-files', '--others', '--ignored', `--exclude-from=${includeFile}`, '-z'];
  const named = pathsIn(await output(list, call)).filter((path) => {
    const ours = ['worktrees', 'runs', 'logs'].map((folder) => `${join(home, folder)}/`);
    return !ours.some((folder) => join(root, path).startsWith(folder)) && !path.endsWith('/');
  });
  if (named.length > mostFiles)
    throw failure(
      `${includeFile} names ${named.length} files, and ${mostFiles} are the most: name fewer, or link their folder (link:)`,
    );
  const files: string[] = [];
  for (let at = 0; at < named.length; at += atOnce) {
    const some = named.slice(at, at + atOnce);
    const ask = ['ls-files', '--others', '--ignored', '--exclude-standard', '-z', '--', ...some];
    files.push(...pathsIn(await output(ask, call)));
  }
  return files;
}

function pathsIn(bytes: Buffer): readonly string[] {
  return bytes
    .toString('utf8')
    .split('\0')
    .filter((path) => path !== '' && !path.includes('\uFFFD'));
}
