/** The record of who ends an attempt or a review, made before it is ended. */
import { join } from 'node:path';
import { makeWithinHome, obstacle } from '../../process/generated-folder.ts';
import { markStopped, readStatus, voidAttempt, type StopReason } from '../../process/status.ts';
import type { Workplace } from '../workplace.ts';

/**
 * Notes it, and claims what was never claimed, so that it never starts. Where an agent put something in place of all the
 * folders there is nowhere to note it, and what runs is to be ended all the same.
 */
export function noteStop({ git }: Workplace, attemptDir: string, why: StopReason): void {
  if (obstacle(join(git.home, 'runs')) !== null) return;
  makeWithinHome(git.home, attemptDir);
  if (readStatus(attemptDir).kind === 'none') voidAttempt(attemptDir);
  // An exit that is on record is its own, whatever is asked now.
  if (readStatus(attemptDir).kind !== 'exited') markStopped(attemptDir, why);
}
