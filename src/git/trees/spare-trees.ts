/**
 * Trees that were given back and may serve again. They wait in a folder beside those in use, for as long as a loop runs;
 * what git recorded of their files lies with czar's state, where their users had no business.
 *
 * A record is named by the folder's inode, so that it holds wherever the folder is moved, and for no other. Taking a tree
 * and putting it back are one rename each. A spare tree that is not taken when the loop ends, or was left by a killed
 * one, is deleted: nothing of it counts.
 */
import {
  chmod,
  lstat,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { discard, isThere } from './discard.ts';
import { renewTree } from './renew-tree.ts';
import { recordBytes } from './tree-record.ts';

/** Name of the folder, beside the trees in use, in which spare ones wait. */
export const spareName = '.spare';

/** More are deleted when they are given back. */
const most = 2;
/** Time stamps of files are at least this fine, milliseconds: the tick of every kernel in use. */
const tickMs = 20;

/**
 * Records what git sees of the files of a new tree, whose own index is `index`. From when this is done, nothing can be
 * changed in the tree without being seen.
 */
export async function record(
  context: GitContext,
  of: { readonly dir: string; readonly index: string; readonly commit: string },
): Promise<void> {
  const { dir, index, commit } = of;
  const file = await recordOf(context, dir);
  await mkdir(dirname(file), { recursive: true });
  const making = `${file}.making`;
  const from = await stat(index);
  await writeFile(making, recordBytes({ dir, index: await readFile(index), commit }));
  await rename(making, file);
  // Whoever works there begins in a later tick than the one in which git wrote the last file.
  const left = from.mtimeMs + tickMs - Date.now();
  if (left > 0) await sleep(Math.min(left, tickMs));
}

/**
 * Gives back a tree whose work is stored: its place is free at once. `pool` is a folder on the same file system; what
 * does not go there is deleted, and `deleted` settles when that is done.
 */
export async function giveBack(
  context: GitContext,
  options: { readonly dir: string; readonly pool: string },
): Promise<{ readonly deleted: Promise<void> }> {
  const { dir, pool } = options;
  const trash = trashOf(pool);
  const file = await recordOf(context, dir).catch(() => null);
  if (file === null) return discard(dir, trash);
  const waiting = await readdir(pool).catch(() => []);
  if (waiting.length >= most || !(await isThere(file)) || !(await lstat(dir)).isDirectory()) {
    await rm(file, { force: true });
    return discard(dir, trash);
  }
  await mkdir(pool, { recursive: true, mode: 0o700 });
  const spare = join(pool, `${process.pid}.${process.hrtime.bigint()}`);
  await reach(context, 'spare:before-put');
  await rename(dir, spare);
  await reach(context, 'spare:after-put');
  // Whoever takes it removes what cannot be removed now.
  return discard(join(spare, '.git'), trash).catch(() => ({ deleted: Promise.resolve() }));
}

/**
 * Puts a spare tree at `dir`, where nothing is, and renews it to a commit; `fill` makes the `.git` in it. False when
 * there is none that can serve: `dir` is free then.
 */
export async function takeSpare(
  context: GitContext,
  options: {
    readonly dir: string;
    readonly pool: string;
    readonly commit: string;
    readonly fill: () => Promise<void>;
  },
): Promise<boolean> {
  const { dir, pool, commit } = options;
  const trash = trashOf(pool);
  for (const name of await newestFirst(pool)) {
    await reach(context, 'spare:before-take');
    await mkdir(dirname(dir), { recursive: true });
    const taken = await rename(join(pool, name), dir).then(
      () => true,
      () => false,
    );
    if (!taken) continue;
    await reach(context, 'spare:after-take');
    const file = await recordOf(context, dir);
    // Its last user may have closed it to everybody.
    await chmod(dir, 0o777 & ~process.umask());
    void (await discard(join(dir, '.git'), trash)).deleted;
    await options.fill();
    const renewed = await renewTree(context, { dir, record: file, commit, trash });
    await rm(file, { force: true });
    await reach(context, 'spare:after-renew');
    if (renewed) return true;
    void (await discard(dir, trash)).deleted;
  }
  return false;
}

/** Deletes all spare trees of a pool. */
export async function emptyPool(context: GitContext, pool: string): Promise<void> {
  const trash = trashOf(pool);
  for (const name of await readdir(pool).catch(() => [])) {
    const spare = join(pool, name);
    const file = await recordOf(context, spare).catch(() => null);
    if (file !== null) await rm(file, { force: true });
    await (
      await discard(spare, trash)
    ).deleted;
  }
}

/** Names of the spare trees; each tells when it was put there. */
async function newestFirst(pool: string): Promise<readonly string[]> {
  const names = await readdir(pool).catch(() => []);
  const time = (name: string): bigint => BigInt(/\d+$/.exec(name)?.[0] ?? 0);
  return names.toSorted((one, other) => Number(time(other) - time(one)));
}

/** Where the record of a folder lies. */
async function recordOf(context: GitContext, dir: string): Promise<string> {
  const { dev, ino } = await lstat(dir, { bigint: true });
  return join(context.state, 'records', `${dev}.${ino}`);
}

function trashOf(pool: string): string {
  return join(dirname(pool), '.trash');
}

/** Deletes the records of trees that are gone. `folders` hold those that may be there. */
export async function sweepRecords(context: GitContext, folders: readonly string[]): Promise<void> {
  const records = join(context.state, 'records');
  const names = await readdir(records).catch(() => []);
  if (names.length === 0) return;
  const known = new Set<string>();
  for (const folder of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      const file = await recordOf(context, join(folder, name)).catch(() => null);
      if (file !== null) known.add(basename(file));
    }
  }
  for (const name of names) if (!known.has(name)) await rm(join(records, name), { force: true });
}
