/**
 * Locks and half-written objects that a git or a loop left which was killed, as when the machine went down. In the mirror
 * only czar writes, its git always with the mirror as its working folder: when nobody is in it, they have no owner. In the
 * user's repository only locks of refs that are czar's alone are looked at, and their age tells.
 */
import { readdirSync, statSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isOccupied } from '../process/occupants.ts';
import type { GitContext } from './context.ts';

/** How long a git that outlived its loop is given to end, milliseconds. */
const patienceMs = 2_000;

/** Removes locks of refs and settings of the mirror, and objects that were never finished, that nobody owns. For the holder of the repository's lock. */
export async function removeStaleLocks({ mirror }: GitContext): Promise<void> {
  if ((await leftIn(mirror)).length === 0) return;
  const deadline = Date.now() + patienceMs;
  while (isOccupied(mirror) === true && Date.now() < deadline) await sleep(20);
  // Where it cannot be told, the lock stays, and what needs the ref fails with git's own words.
  if (isOccupied(mirror) !== false) return;
  for (const left of await leftIn(mirror)) await rm(left, { force: true, recursive: true });
}

/** Locks and half-written objects in the mirror, whoever owns them. */
export async function leftIn(mirror: string): Promise<readonly string[]> {
  return [...(await locksOf(mirror)), ...unfinishedObjects(join(mirror, 'objects'))];
}

/** `tmp_obj_…` among loose objects, `pack/tmp_…`, and what was received and not taken over. */
function unfinishedObjects(objects: string): readonly string[] {
  return namesIn(objects).flatMap((name) => {
    if (name.startsWith('tmp_')) return [join(objects, name)];
    if (!/^(?:[0-9a-f]{2}|pack)$/.test(name)) return [];
    const within = namesIn(join(objects, name)).filter((each) => each.startsWith('tmp_'));
    return within.map((each) => join(objects, name, each));
  });
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

async function locksOf(mirror: string): Promise<readonly string[]> {
  const top = await readdir(mirror).catch(() => []);
  const refs = await readdir(join(mirror, 'refs'), { recursive: true }).catch(() => []);
  return [...top, ...refs.map((name) => join('refs', name))]
    .filter((name) => name.endsWith('.lock'))
    .map((name) => join(mirror, name));
}

/** How old a lock of a ref is when its git was killed: one that lives holds it for milliseconds. */
const abandonedMs = 5_000;

/**
 * Waits until nobody holds these refs of the user's repository, and takes away locks that a killed git left: only for refs
 * that czar alone writes. The loose refs lie in files; where they do not, there is nothing of it to find.
 */
export async function freeRefs(
  { commonDir, signal }: GitContext,
  refs: readonly string[],
): Promise<void> {
  for (const ref of refs) {
    const lock = join(commonDir, `${ref}.lock`);
    for (let age = ageOf(lock); age !== null; age = ageOf(lock)) {
      if (signal?.aborted === true) return;
      if (age >= abandonedMs) await rm(lock, { force: true });
      else await sleep(Math.min(100, abandonedMs - age));
    }
  }
}

/** Milliseconds since it was last written; null when it is not there. A clock that was set back makes it old. */
function ageOf(file: string): number | null {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined || !found.isFile()) return null;
  const age = Date.now() - found.mtimeMs;
  return age < 0 ? abandonedMs : age;
}
