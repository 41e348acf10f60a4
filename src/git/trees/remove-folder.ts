/** Removes a folder with whatever an agent or a check left in it. */
import { chmod, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';

/** Removes a folder if it can be removed; folders that were made read-only are made writable first. */
export async function removeFolder(dir: string): Promise<void> {
  const options = { recursive: true, force: true, maxRetries: 3 };
  try {
    await rm(dir, options);
  } catch {
    await makeWritable(dir);
    // What still cannot be removed is left: the next one to remove it tries again.
    await rm(dir, options).catch(() => undefined);
  }
}

async function makeWritable(dir: string): Promise<void> {
  await chmod(dir, 0o700).catch(() => undefined);
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) if (entry.isDirectory()) await makeWritable(join(dir, entry.name));
}
