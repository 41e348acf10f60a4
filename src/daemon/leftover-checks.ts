/** Ends checks and setups of a loop that was killed: what they come to, nobody hears any more. */
import { checkMark, endLeftovers } from '../gates/leftovers.ts';
import type { GitContext } from '../git/context.ts';

/** What they get between SIGTERM and SIGKILL, milliseconds. */
const graceMs = 2_000;

/** For who has the lock and has started none. */
export async function endLeftoverChecks(git: GitContext): Promise<void> {
  await endLeftovers(checkMark(git.state), graceMs);
}
