/** The lock by which git keeps another git from the index of a checkout, taken by a landing and told from git's own. */
import { link, lstat, open, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const lockText = 'czar is landing\n';
/** So long a git may outlive the landing that started it, milliseconds. */
const outlivesMs = 10_000;
/** What a file system says that has no second names for a file. */
const noLinks: ReadonlySet<unknown> = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/**
 * Takes git's lock of the index in a git directory; a lock of ours that a killed landing left is ours again. It comes
 * with its text in it: an empty one could be that of a git at work.
 */
export async function takeLock(gitDir: string): Promise<boolean> {
  const path = lockPath(gitDir);
  const making = join(gitDir, 'index.czar-lock');
  await writeFile(making, lockText);
  try {
    await link(making, path);
    return true;
  } catch (error) {
    const code = codeOf(error);
    if (noLinks.has(code)) return await takeWithoutLinks(path);
    if (code !== 'EEXIST') throw error;
    return await isOurs(path);
  } finally {
    await rm(making, { force: true });
  }
}

/** Gives the lock back, if it is ours. */
export async function releaseLock(gitDir: string): Promise<void> {
  const path = lockPath(gitDir);
  if (await isOurs(path)) await unlink(path).catch(() => undefined);
}

/**
 * Removes the lock that a git of ours left which was killed with its landing. One that outlives the landing may be at
 * work for a while yet.
 */
export async function removeStaleLock(path: string): Promise<void> {
  for (;;) {
    const found = await lstat(path).catch(() => null);
    if (found === null) return;
    if (Date.now() - found.mtimeMs > outlivesMs) return await rm(path, { force: true });
    await sleep(100);
  }
}

async function takeWithoutLinks(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx');
    await file.writeFile(lockText);
    await file.close();
    return true;
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error;
    return await isOurs(path);
  }
}

async function isOurs(path: string): Promise<boolean> {
  return (await readFile(path, 'utf8').catch(() => '')) === lockText;
}

function lockPath(gitDir: string): string {
  return join(gitDir, 'index.lock');
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
