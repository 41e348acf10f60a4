/** Where the branches of the user's repository are checked out. Reads only. */
import { readFile, readdir, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { isMissing } from './trees/discard.ts';
import { fields, output } from './git.ts';
import { gitDirOf, isCheckoutOf, mainWorkTree } from './work-tree.ts';

/** How the names of folders begin that belong to trees of workers, among those of linked worktrees. */
export const ownPrefix = 'czar-';

export interface Checkout {
  /** Full name of the branch. */
  readonly ref: string;
  /** Top folder, absolute; null when the folder is gone or is another one's now. */
  readonly path: string | null;
  /** Whether there surely is a folder, but nothing that can be read says where. */
  readonly hidden?: true;
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
  // Where refs lie in no files, HEAD says so by a name that is none.
  if (ref === 'refs/heads/.invalid' || !(await isCheckoutOf(root, commonDir))) return undefined;
  return { ref, path: root, gitDir: await realpath(commonDir), rebasing: false, own: false };
}

async function listed(context: GitContext): Promise<Checkout[]> {
  const found: Checkout[] = [];
  const said = await output(['worktree', 'list', '--porcelain', '-z'], inUserRepository(context));
  // Git lists the main one first, and does not always know where it is.
  const main = await mainWorkTree(context);
  const commonDir = await realpath(context.commonDir);
  let path = '';
  let seen = 0;
  for (const field of fields(said)) {
    if (field.startsWith('worktree ')) {
      path = field.slice('worktree '.length);
      seen += 1;
    }
    if (seen === 1) {
      const falselyBare = field === 'bare' && main !== null;
      const ref = falselyBare ? await branchOfHead(commonDir) : branchIn(field);
      if (ref === null) continue;
      const hidden = main === null ? ({ hidden: true } as const) : {};
      found.push({ ref, path: main, ...hidden, gitDir: commonDir, rebasing: false, own: false });
      continue;
    }
    const ref = branchIn(field);
    if (ref === null) continue;
    const gitDir = await linkedGitDir(commonDir, path);
    const there = gitDir === null ? null : path;
    const own = path.startsWith(`${join(context.home, 'worktrees')}/`);
    found.push({ ref, path: there, gitDir: gitDir ?? '', rebasing: false, own });
  }
  return found;
}

function branchIn(field: string): string | null {
  return field.startsWith('branch ') ? field.slice('branch '.length) : null;
}

/** Branch of a checkout whose settings claim that it is none; null when it is on no branch. */
async function branchOfHead(gitDir: string): Promise<string | null> {
  const head = await readFile(join(gitDir, 'HEAD'), 'utf8').catch(() => '');
  return /^ref: (.+)\n?$/.exec(head)?.[1] ?? null;
}

/** Git directory of a linked checkout as its folder is now; null when that is gone, or leads to no checkout of ours. */
async function linkedGitDir(commonDir: string, path: string): Promise<string | null> {
  const gitDir = await gitDirOf(path);
  return gitDir !== null && dirname(gitDir) === join(commonDir, 'worktrees') ? gitDir : null;
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
