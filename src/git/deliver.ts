/** Brings commits of the mirror into the user's repository, where nothing but the named refs of ours changes. */
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { output } from './git.ts';
import { freeRefs } from './stale-locks.ts';

const quiet = ['core.logAllRefUpdates=false', 'fetch.prune=false', 'fetch.pruneTags=false'];
const fetch = ['fetch', '-q', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'];

/** Settings with which a git that moves refs of the user's repository does nothing else there. */
export const quietly: readonly string[] = quiet.flatMap((setting) => ['-c', setting]);

/** Fetches a commit with all that it needs and holds it by a ref below `refs/czar/`. For use inside `failing`. */
export async function deliver(
  context: GitContext,
  ...wanted: readonly { readonly commit: string; readonly ref: string }[]
): Promise<void> {
  if (wanted.length === 0) return;
  await freeRefs(
    context,
    wanted.map(({ ref }) => ref),
  );
  const refspecs = wanted.map(({ commit, ref }) => `+${commit}:${ref}`);
  await output(
    [...quietly, ...fetch, '--update-shallow', context.mirror, ...new Set(refspecs)],
    inUserRepository(context),
  );
}
