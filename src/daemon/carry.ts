/** What the plan names of the user's checkout beside its commits, brought into a worker's tree. */
import { cp, lstat, mkdir, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { authorIn, isCzarName } from '../git/czar-files.ts';

/**
 * Copies and links ignored files of the user's checkout (`root`) into the tree. Nothing there is replaced. Throws when a
 * path leads out of the checkout or, by links that an agent left, out of the tree.
 */
export async function carry(
  root: string,
  definition: { readonly copy: readonly string[]; readonly link: readonly string[] },
  tree: string,
): Promise<void> {
  for (const path of definition.copy) {
    const { from, to } = await within(root, tree, path);
    if (await isTaken(tree, path)) continue;
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to, { recursive: true, verbatimSymlinks: true });
  }
  for (const path of definition.link) {
    const { from, to } = await within(root, tree, path);
    if (await isTaken(tree, path)) continue;
    await mkdir(dirname(to), { recursive: true });
    await symlink(from, to);
  }
}

/** Whether something is there that stays: what czar wrote for an agent makes way. */
async function isTaken(tree: string, path: string): Promise<boolean> {
  const to = join(tree, path);
  if ((await lstat(to).catch(() => null)) === null) return false;
  if (isCzarName(path) || authorIn(tree, path) !== 'czar') return true;
  await rm(to);
  return false;
}

async function within(
  root: string,
  tree: string,
  path: string,
): Promise<{ readonly from: string; readonly to: string }> {
  const from = join(root, path);
  const to = join(tree, path);
  const real = await realpath(from).catch(() => null);
  if (real === null) {
    const near = (await readdir(dirname(from)).catch(() => [])).length > 0;
    throw new Error(
      `${path} cannot be carried into the tree: ${near ? 'there is no such file' : 'its folder is missing'}`,
    );
  }
  const inside = (real + sep).startsWith((await realpath(root)) + sep);
  if (!inside || !to.startsWith(tree + sep)) throw new Error(`${path} leads out of the repository`);
  const parent = await nearestFolder(dirname(to));
  if (parent === null || !(parent + sep).startsWith((await realpath(tree)) + sep))
    throw new Error(`${path} cannot be carried: a link in the tree leads out of it there`);
  return { from, to };
}

/** Where the folder, or the nearest above it that is there, really is; null for a link to nothing. */
async function nearestFolder(folder: string): Promise<string | null> {
  const there = await lstat(folder).catch(() => null);
  if (there === null) return nearestFolder(dirname(folder));
  return realpath(folder).catch(() => null);
}
