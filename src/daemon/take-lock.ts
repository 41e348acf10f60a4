/** Taking the repository's lock for a loop: verbs that decide for themselves hold it for a moment, and are waited for. */
import { acquireLock, type Owner } from '../journal/lock.ts';

/** How often and at what distance (milliseconds) the lock is tried while such a verb holds it: about two seconds. */
const tries = 40;
const pauseMs = 50;

/** The lock, or who has it: at once when that is a loop, which has a socket. */
export async function takeLock(
  folder: string,
  owner: Owner,
): Promise<ReturnType<typeof acquireLock>> {
  for (let left = tries; ; left -= 1) {
    const taken = acquireLock(folder, owner);
    const passing = 'owner' in taken && taken.owner?.socket == null;
    if (!passing || left === 0) return taken;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
