/** Removes a folder at once and in any size: renamed aside first, which takes no time, and deleted after that. */
import { lstat, mkdir, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { removeFolder } from './remove-folder.ts';

/** Name of the folder beside a removed one in which it waits for its deletion. */
export const trashName = '.trash';

/**
 * Moves a folder into the trash, which is beside it unless another on the same file system is named. The folder's name is free when the first promise is fulfilled; `deleted`
 * settles when the files are gone. What could not be deleted stays in the trash for `emptyTrash`.
 */
export async function discard(
  path: string,
  trash: string = join(dirname(path), trashName),
): Promise<{ readonly deleted: Promise<void> }> {
  await mkdir(trash, { recursive: true });
  const aside = join(trash, `${basename(path)}.${process.pid}.${process.hrtime.bigint()}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (isMissing(error)) return { deleted: Promise.resolve() };
    throw error;
  }
  const deleted = removeFolder(aside);
  pending.add(deleted);
  void deleted.finally(() => pending.delete(deleted));
  return { deleted };
}

/** Deletions that are under way. */
const pending = new Set<Promise<void>>();

/** Waits until nothing of what was discarded is left to delete. */
export async function allDeleted(): Promise<void> {
  while (pending.size > 0) await Promise.all(pending);
}

/** Makes something at the path, or nothing: what fails half-way is taken away again, and a full disk gets its space back. */
export async function makeOrRemove<T>(path: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await removeFolder(path);
    throw error;
  }
}

/** Deletes what a killed process left in the trash of a folder. */
export async function emptyTrash(folder: string): Promise<void> {
  const trash = join(folder, trashName);
  const names = await readdir(trash).catch(() => []);
  for (const name of names) await removeFolder(join(trash, name));
}

/** Whether something of that name is there; links are not followed. */
export async function isThere(path: string | Buffer): Promise<boolean> {
  try {
    await lstat(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Whether a path is not there: not, whether it cannot be looked at. */
export function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR')
  );
}
