/**
 * Locks in the mirror that a git left which was killed with its loop, as when the machine went down. Only czar runs git
 * there, and always with the mirror as its working folder: when nobody is in it, a lock has no owner.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOccupied } from '../process/occupants.ts';
import type { GitContext } from './context.ts';

/** How long a git that outlived its loop is given to end, milliseconds. */
const patienceMs = 2_000;

/** Removes locks of refs and settings of the mirror that nobody owns. For the holder of the repository's lock. */
export async function removeStaleLocks({ mirror }: GitContext): Promise<void> {
  if ((await locksOf(mirror)).length === 0) return;
  const deadline = Date.now() + patienceMs;
  while (isOccupied(mirror) === true && Date.now() < deadline) await sleep(20);
  // Where it cannot be told, the lock stays, and what needs the ref fails with git's own words.
  if (isOccupied(mirror) !== false) return;
  for (const lock of await locksOf(mirror)) await rm(lock, { force: true });
}

async function locksOf(mirror: string): Promise<readonly string[]> {
  const top = await readdir(mirror).catch(() => []);
  const refs = await readdir(join(mirror, 'refs'), { recursive: true }).catch(() => []);
  return [...top, ...refs.map((name) => join('refs', name))]
    .filter((name) => name.endsWith('.lock'))
    .map((name) => join(mirror, name));
}
