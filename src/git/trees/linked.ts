/**
 * A tree as a linked worktree of the user's repository: its commits, refs, configuration and hooks are the user's too,
 * and `git worktree list` shows it. What an agent does to what is shared can be told afterwards, not prevented.
 *
 * Invariants: the administrative folder comes to its place by one rename, locked and whole, so that no git of the user's
 * ever meets a half-made one; git of czar never runs in the tree and never reads the user's settings for it; a branch
 * moves only when what it stood at is held by the mirror or leads to where it goes.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { checkouts, ownPrefix } from '../checkouts.ts';
import { writeGitFile } from './clone-files.ts';
import { inMirror, inUserRepository, reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { identityFile } from '../collecting/czar-files.ts';
import { deliver } from '../deliver.ts';
import { discard, makeOrRemove } from './discard.ts';
import { failure, git, line, output } from '../git.ts';
import type { Isolation, NewTree } from './isolation.ts';
import { indexFile } from '../collecting/keep.ts';
import { linkedRepository, linkText, treeRef } from './linked-repository.ts';
import { isAncestor } from '../history.ts';
import { integrationRef, moveRefIn, readRef, readRefIn, workRef } from '../refs.ts';
import { recordShared } from './shared-state.ts';
import { makingFolder, markText, removeMakings, treeMark } from './tree-mark.ts';

const checkoutTimeoutMs = 30 * 60_000;
const ownFolder = '.czar-run';

/** `isolation: worktree`. */
export const linked: Isolation = {
  // In a folder that ignores itself: the list of what git ignores is the user's.
  identityFile: `${ownFolder}/${identityFile}`,
  hide: null,
  repository: (context, tree) =>
    linkedRepository(context, { tree, gitDir: adminFolder(context, tree) }),
  make,
  async release(context, tree) {
    const discarded = await discard(tree);
    await unlink(context, adminFolder(context, tree));
    return discarded;
  },
  async offer(context, { run, commit }) {
    await deliver(context, { commit, ref: integrationRef(run) });
    return true;
  },
  async reclaim(context) {
    await removeMakings(context);
    for (const folder of [makingPlace(context), unlinkedPlace(context)])
      await rm(folder, { recursive: true, force: true });
  },
};

async function make(context: GitContext, order: NewTree): Promise<void> {
  const { dir, commit } = order;
  const admin = adminFolder(context, dir);
  const making = makingFolder(dir, order.worker);
  const linking = join(makingPlace(context), basename(admin));
  for (const folder of [making, linking]) await rm(folder, { recursive: true, force: true });
  await freeBranch(context, order);
  await deliver(context, { commit, ref: treeRef(admin) });
  await makeOrRemove(making, () =>
    makeOrRemove(linking, () => fill(context, { ...order, admin, making, linking })),
  );
  await reach(context, 'link:before-branch');
  await moveBranch(context, order);
  await recordShared(context, basename(admin));
  await mkdir(dirname(admin), { recursive: true });
  await reach(context, 'tree:before-rename');
  await rename(linking, admin);
  await reach(context, 'link:after-admin');
  await rename(making, dir);
  await reach(context, 'tree:after-rename');
}

/** The folder in the user's git directory that belongs to the tree at this place. */
function adminFolder(context: GitContext, tree: string): string {
  const place = relative(context.commonDir, tree);
  const hash = createHash('sha256').update(place).digest('hex').slice(0, 8);
  const plain = basename(tree).replace(/[^a-z0-9]+/g, '-');
  return join(context.commonDir, 'worktrees', `${ownPrefix}${plain}-${hash}`);
}

function makingPlace(context: GitContext): string {
  return join(context.state, 'linking');
}

function unlinkedPlace(context: GitContext): string {
  return join(context.state, 'unlinked');
}

async function unlink(context: GitContext, admin: string): Promise<void> {
  const place = unlinkedPlace(context);
  await mkdir(place, { recursive: true });
  const aside = join(place, `${basename(admin)}.${process.pid}.${process.hrtime.bigint()}`);
  await rename(admin, aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rm(aside, { recursive: true, force: true });
  // Git takes away the folder of all worktrees with the last of them.
  await rmdir(dirname(admin)).catch(() => undefined);
}

/** Two checkouts may not stand on one branch: an old tree of czar's makes way, a checkout of the user's does not. */
async function freeBranch(context: GitContext, { branch, dir }: NewTree): Promise<void> {
  for (const checkout of await checkouts(context)) {
    if (checkout.ref !== `refs/heads/${branch}` || checkout.path === dir) continue;
    if (checkout.rebasing && !checkout.own)
      throw failure(`the branch ${branch} is being rebased, and its worker needs it`);
    if (checkout.path === null && checkout.hidden !== true) continue;
    if (!checkout.own)
      throw failure(
        `the branch ${branch} is checked out ${checkout.path === null ? 'in the main checkout' : `at ${checkout.path}`}, and its worker needs it`,
      );
    const commit = await readRefIn(inUserRepository(context), checkout.ref);
    if (commit !== null) await writeGitFile(checkout.gitDir, 'HEAD', `${commit}\n`);
  }
}

async function moveBranch(context: GitContext, order: NewTree): Promise<void> {
  const ref = `refs/heads/${order.branch}`;
  const place = inUserRepository(context);
  const found = await readRefIn(place, ref);
  if (found !== null && !(await mayLeave(context, found, order)))
    throw failure(
      `the branch ${order.branch} stands at commits that czar does not have: git branch -m ${order.branch} NAME keeps them and makes way`,
    );
  const moved = await moveRefIn(
    { ...place, reason: `czar ${order.run}` },
    { ref, from: found, to: order.commit },
  );
  if (moved.kind === 'lost') throw failure(`the branch ${order.branch} moved meanwhile`);
}

/** Whether nothing is lost when a branch leaves a commit: it is behind, or held as work of the worker. */
async function mayLeave(context: GitContext, found: string, order: NewTree): Promise<boolean> {
  if (found === order.commit) return true;
  if ((await readRef(context, `${found}^{commit}`)) === null) return false;
  if (await isAncestor(context, found, order.commit)) return true;
  const work = dirname(workRef(order.run, order.worker, 0));
  const args = ['for-each-ref', '--count=1', '--contains', found, '--format=x', `${work}/`];
  return (await line(args, inMirror(context))) !== '';
}

async function fill(
  context: GitContext,
  of: NewTree & { readonly admin: string; readonly making: string; readonly linking: string },
): Promise<void> {
  const { making, linking } = of;
  await mkdir(join(linking, 'logs'), { recursive: true });
  await mkdir(join(making, ownFolder), { recursive: true });
  await writeFile(join(making, '.git'), linkText(of.dir, of.admin));
  await writeFile(join(making, ownFolder, '.gitignore'), '*\n');
  await writeFile(join(linking, 'commondir'), '../..\n');
  await writeFile(join(linking, 'gitdir'), `${join(of.dir, '.git')}\n`);
  await writeFile(join(linking, 'HEAD'), `ref: refs/heads/${of.branch}\n`);
  await writeFile(join(linking, 'locked'), `czar: ${of.worker} of run ${of.run} works there\n`);
  // There, git writes into it, whatever the user's settings say of reflogs.
  await writeFile(join(linking, 'logs/HEAD'), '');
  await writeFile(join(linking, treeMark), markText(of));
  await reach(context, 'tree:before-checkout');
  const call = {
    ...inMirror(context),
    cwd: making,
    workTree: making,
    env: { GIT_INDEX_FILE: join(linking, 'index') },
    timeoutMs: checkoutTimeoutMs,
  };
  await output(['read-tree', '--reset', '-u', of.commit], call);
  await git(['update-index', '-q', '--refresh'], call);
  const index = indexFile(context, of);
  await mkdir(dirname(index), { recursive: true });
  await copyFile(join(linking, 'index'), index);
}
