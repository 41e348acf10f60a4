/** How much a folder takes. */
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes on the disk of all files below a path; links are not followed, what cannot be read counts as nothing. */
export async function folderBytes(path: string): Promise<number> {
  const facts = await lstat(path).catch(() => null);
  if (facts === null) return 0;
  // POSIX: blocks of 512 bytes. Some file systems do not count them.
  const own = facts.blocks > 0 ? facts.blocks * 512 : facts.size;
  if (!facts.isDirectory()) return own;
  let sum = own;
  for (const name of await readdir(path).catch(() => []))
    sum += await folderBytes(join(path, name));
  return sum;
}
