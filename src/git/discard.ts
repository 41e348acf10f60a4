/** Removes a folder at once and in any size: renamed aside first, which takes no time, and deleted after that. */
import { lstat, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** Name of the folder beside a removed one in which it waits for its deletion. */
export const trashName = '.trash';

/**
 * Moves a folder into the trash beside it. The folder's name is free when the first promise is fulfilled; `deleted`
 * settles when the files are gone. What could not be deleted stays in the trash for `emptyTrash`.
 */
export async function discard(path: string): Promise<{ readonly deleted: Promise<void> }> {
  const trash = join(dirname(path), trashName);
  await mkdir(trash, { recursive: true });
  const aside = join(trash, `${basename(path)}.${process.pid}.${process.hrtime.bigint()}`);
  try {
    await rename(path, aside);
  } catch (error) {
    if (isMissing(error)) return { deleted: Promise.resolve() };
    throw error;
  }
  return { deleted: remove(aside) };
}

/** Makes something at the path, or nothing: what fails half-way is taken away again, and a full disk gets its space back. */
export async function makeOrRemove<T>(path: string, make: () => Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    await remove(path);
    throw error;
  }
}

/** Deletes what a killed process left in the trash of a folder. */
export async function emptyTrash(folder: string): Promise<void> {
  const trash = join(folder, trashName);
  const names = await readdir(trash).catch(() => []);
  for (const name of names) await remove(join(trash, name));
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

function isMissing(error: unknown): boolean {
  return (
    error instanceof Error &&
    'code' in error &&
    (error.code === 'ENOENT' || error.code === 'ENOTDIR')
  );
}

async function remove(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => undefined);
}
