/** Who holds the repository's lock, as far as the system tells: a daemon, a `czar run`, or nobody. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readOwner, type DaemonFacts, type Owner } from '../journal/lock.ts';
import { bootId, identify, liveness } from '../process/identity.ts';
import type { Place } from './place.ts';

export type { Owner } from '../journal/lock.ts';

/** The process that says it holds the lock and is not known to be gone; null without one. */
export function holderOf(place: Pick<Place, 'state'>): Owner | null {
  const owner = readOwner(place.state);
  return owner !== null && isThere(owner) ? owner : null;
}

/** The process that led the runs and ended without goodbye; null when one lives, or none did that. */
export function diedHolder(place: Pick<Place, 'state'>): Owner | null {
  const owner = readOwner(place.state);
  return owner === null || owner.socket === null || isThere(owner) ? null : owner;
}

/** The daemon that holds the lock; null without one. */
export function daemonOf(
  place: Pick<Place, 'state'>,
): (Owner & { readonly daemon: DaemonFacts }) | null {
  const owner = holderOf(place);
  return owner?.daemon === undefined ? null : { ...owner, daemon: owner.daemon };
}

/** Where the owner listens, and who that is; null when it does not. */
export function listenerOf(
  owner: Pick<Owner, 'pid' | 'socket'> | null,
): { readonly pid: number; readonly socket: string } | null {
  return owner === null || owner.socket === null ? null : { pid: owner.pid, socket: owner.socket };
}

/** The process that starts this one again: its parent, while that lives. */
export function guardianOf(parent: number): DaemonFacts['guardian'] {
  const found = parent > 1 ? identify(parent) : 'gone';
  return typeof found === 'string' ? null : { pid: found.pid, start: found.start };
}

/** Whether this process is not known to be gone. */
export function isThere({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  return liveness({ pid, start, boot: bootId() }) !== 'gone';
}

/** Whether exactly this process is known to run: what cannot be told is never signalled. */
export function isAlive({ pid, start }: { readonly pid: number; readonly start: string }): boolean {
  return liveness({ pid, start, boot: bootId() }) === 'alive';
}

/** The file in which a guardian says that it gave up. */
export function gaveUpFile(place: Pick<Place, 'state'>): string {
  return join(place.state, 'guardian-gave-up');
}

/** How often the daemon died before its guardian gave up, and with what exit code last; null when none has. */
export function guardianGaveUp(
  place: Pick<Place, 'state'>,
): { readonly deaths: number; readonly code: number } | null {
  try {
    return decodeGaveUp(readFileSync(gaveUpFile(place), 'utf8'));
  } catch {
    return null;
  }
}

/** What a guardian says when it gives up, such as `6 137`; null when that means nothing. */
export function decodeGaveUp(text: string): ReturnType<typeof guardianGaveUp> {
  const [deaths, code] = text.trim().split(' ').map(Number);
  return Number.isInteger(deaths) && Number.isInteger(code)
    ? { deaths: deaths ?? 0, code: code ?? 0 }
    : null;
}
