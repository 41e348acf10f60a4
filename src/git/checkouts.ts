/** Where the branches of the user's repository are checked out. Reads only. */
import { readFile, readdir, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { isMissing } from './trees/discard.ts';
import { fields, line, output } from './git.ts';

/** How the names of folders begin that belong to trees of workers, among those of linked worktrees. */
export const ownPrefix = 'czar-';

export interface Checkout {
  /** Full name of the branch. */
  readonly ref: string;
  /** Top folder, absolute; null when the folder is gone or is another one's now. */
  readonly path: string | null;
  /** Git directory of that checkout. */
  readonly gitDir: string;
  /** Whether a rebase of the branch is under way there, with HEAD elsewhere meanwhile. */
  readonly rebasing: boolean;
  /** Whether it is the working tree of a worker. */
  readonly own: boolean;
}

/** All branches that some checkout stands on or rebases. For use inside `failing`. */
export async function checkouts(context: GitContext): Promise<readonly Checkout[]> {
  const others = await linked(context);
  const alone = others.length === 0 ? await aloneOn(context) : undefined;
  const found = alone === undefined ? await listed(context) : alone === null ? [] : [alone];
  for (const gitDir of [context.commonDir, ...others]) {
    for (const name of ['rebase-merge/head-name', 'rebase-apply/head-name']) {
      const ref = (await readFile(join(gitDir, name), 'utf8').catch(() => '')).trim();
      if (ref.startsWith('refs/heads/')) {
        const own = basename(gitDir).startsWith(ownPrefix);
        found.push({ ref, path: null, gitDir, rebasing: true, own });
      }
    }
  }
  return found;
}

/** The only checkout that there is; null when it stands on no branch, undefined when git must say. */
async function aloneOn({ root, commonDir }: GitContext): Promise<Checkout | null | undefined> {
  const head = await readFile(join(commonDir, 'HEAD'), 'utf8').catch(() => '');
  if (/^[0-9a-f]{40,64}\n$/.test(head)) return null;
  const [, ref = 'refs/heads/.invalid'] = /^ref: (refs\/heads\/.+)\n$/.exec(head) ?? [];
  const gitDir = await realpath(commonDir);
  const own = await realpath(join(root, '.git')).catch(() => null);
  // Where refs lie in no files, HEAD says so by a name that is none.
  if (own !== gitDir || ref === 'refs/heads/.invalid') return undefined;
  return { ref, path: root, gitDir, rebasing: false, own: false };
}

async function listed(context: GitContext): Promise<Checkout[]> {
  const found: Checkout[] = [];
  const said = await output(['worktree', 'list', '--porcelain', '-z'], inUserRepository(context));
  let path = '';
  let main: string | null = null;
  for (const field of fields(said)) {
    if (field.startsWith('worktree ')) {
      path = field.slice('worktree '.length);
      main ??= path;
    }
    const ref = field === 'bare' ? await falselyBare(context, path) : branchIn(field);
    if (ref === null) continue;
    const gitDir = await gitDirOf(context, path, path === main);
    const there = gitDir === null ? null : path;
    const own = path.startsWith(`${join(context.home, 'worktrees')}/`);
    found.push({ ref, path: there, gitDir: gitDir ?? '', rebasing: false, own });
  }
  return found;
}

function branchIn(field: string): string | null {
  return field.startsWith('branch ') ? field.slice('branch '.length) : null;
}

/** Branch of a checkout whose settings claim that it is none; null when it really is bare, or on no branch. */
async function falselyBare({ commonDir }: GitContext, path: string): Promise<string | null> {
  const dot = await realpath(join(path, '.git')).catch(() => null);
  if (dot === null || dot !== (await realpath(commonDir))) return null;
  const head = await readFile(join(commonDir, 'HEAD'), 'utf8').catch(() => '');
  return /^ref: (.+)\n?$/.exec(head)?.[1] ?? null;
}

/** Git directory of a checkout as its folder is now; null when that is gone, or leads to no checkout of ours. */
async function gitDirOf(context: GitContext, path: string, main: boolean): Promise<string | null> {
  const there = await stat(path).catch(() => null);
  if (there?.isDirectory() !== true) return null;
  if (main) {
    const own = await realpath(join(path, '.git')).catch(() => null);
    if (own !== null && own === (await realpath(context.commonDir))) return own;
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

/** A folder that cannot be read says nothing: a branch may be checked out in one that it names. */
async function linked(context: GitContext): Promise<string[]> {
  const folder = join(context.commonDir, 'worktrees');
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return [];
    throw error;
  });
  return names.map((name) => join(folder, name));
}
