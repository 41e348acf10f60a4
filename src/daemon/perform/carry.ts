/** What the plan names of the user's checkout beside its commits, brought into a worker's tree. */
import { chmod, cp, lstat, mkdir, readdir, realpath, rename, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { authorIn, isCzarName } from '../../git/collecting/czar-files.ts';
import { makeOrRemove } from '../../git/trees/discard.ts';
import { removeFolder } from '../../git/trees/remove-folder.ts';
import { makingFolder } from '../../git/trees/tree-mark.ts';

/**
 * Copies and links ignored files of the user's checkout (`root`) into the tree. Nothing there is replaced. Gives one
 * sentence about the first path that cannot be carried: nothing is there, nobody can copy it, or it leads out of the
 * checkout or, by links that an agent left, out of the tree. Null when all are; a disk that fails throws.
 */
export async function carry(
  root: string,
  definition: { readonly copy: readonly string[]; readonly link: readonly string[] },
  tree: string,
): Promise<string | null> {
  const paths = [
    ...definition.copy.map((path) => ({ path, copies: true })),
    ...definition.link.map((path) => ({ path, copies: false })),
  ];
  for (const { path, copies } of paths) {
    const place = await within(root, tree, path);
    if ('problem' in place) return place.problem;
    if (copies && !(await canBeCopied(place.from)))
      return `${path} cannot be carried into the tree: it is neither a file nor a folder, and cannot be copied`;
    if (await isTaken(tree, path)) continue;
    await mkdir(dirname(place.to), { recursive: true });
    if (copies) await copyWhole(place, tree);
    else await symlink(place.from, place.to);
  }
  return null;
}

/**
 * Copies a file, a folder or a link: all of it, or nothing. It is made beside the tree and moved in, since what a copy
 * that failed or was killed left in the tree would pass for the whole the next time.
 */
async function copyWhole(
  { from, to }: { readonly from: string; readonly to: string },
  tree: string,
): Promise<void> {
  const making = makingFolder(tree, basename(tree));
  await removeFolder(making);
  await makeOrRemove(making, async () => {
    await cp(from, making, { recursive: true, verbatimSymlinks: true, filter: canBeCopied });
    const made = await lstat(making);
    // A folder that nobody may write to cannot be moved elsewhere.
    const locked = made.isDirectory() && (made.mode & 0o200) === 0;
    if (locked) await chmod(making, made.mode | 0o200);
    await rename(making, to);
    if (locked) await chmod(to, made.mode);
  });
}

/** Sockets, pipes and devices cannot be: in a folder that is copied they are passed over. */
async function canBeCopied(path: string): Promise<boolean> {
  const found = await lstat(path);
  return found.isFile() || found.isDirectory() || found.isSymbolicLink();
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
): Promise<{ readonly from: string; readonly to: string } | { readonly problem: string }> {
  const from = join(root, path);
  const to = join(tree, path);
  const real = await realpath(from).catch(() => null);
  if (real === null) {
    const near = (await readdir(dirname(from)).catch(() => [])).length > 0;
    const why = near ? 'there is no such file' : 'its folder is missing';
    return { problem: `${path} cannot be carried into the tree: ${why}` };
  }
  const inside = (real + sep).startsWith((await realpath(root)) + sep);
  if (!inside || !to.startsWith(tree + sep))
    return { problem: `${path} leads out of the repository` };
  const parent = await nearestFolder(dirname(to));
  if (parent === null || !(parent + sep).startsWith((await realpath(tree)) + sep))
    return { problem: `${path} cannot be carried: a link in the tree leads out of it there` };
  return { from, to };
}

/** Where the folder, or the nearest above it that is there, really is; null for a link to nothing. */
async function nearestFolder(folder: string): Promise<string | null> {
  const there = await lstat(folder).catch(() => null);
  if (there === null) return nearestFolder(dirname(folder));
  return realpath(folder).catch(() => null);
}
