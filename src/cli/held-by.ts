/** What is said when another process holds the repository: which one, what it is at, and what to do then. */
import type { Owner } from '../daemon/holder.ts';
import { exits, type Failure } from './exit.ts';

/** `verb` of the owner is known unless it leads runs, or holds the repository for a moment only. */
export function heldBy(owner: Pick<Owner, 'pid' | 'verb' | 'daemon'> | null): Failure {
  const verb = owner?.verb;
  const waits =
    owner?.daemon === undefined
      ? 'wait until it has ended, then the same again'
      : 'czar daemon restart, if it goes on not answering; then the same again';
  return {
    exit: exits.refused,
    what:
      verb === undefined
        ? 'another czar holds this repository and does not answer'
        : `a czar ${verb} is at work in this repository`,
    where: owner === null ? null : `pid ${owner.pid}`,
    next:
      verb === undefined
        ? waits
        : 'wait until it has ended, or end it with Ctrl-C where it runs; then the same again',
  };
}
