/**
 * A run whose mirror is gone, such as by `rm`: no work of it can be brought home, so nothing of it is begun that would
 * only use up attempts.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunState } from '../core/state.ts';
import type { GitContext } from '../git/context.ts';
import { integrationRef, readRef } from '../git/refs.ts';

/** What is lost and what helps, for a person; null when the mirror has the run, or the run has not come so far. */
export async function lostMirror(
  git: GitContext,
  run: RunState | undefined,
): Promise<{ readonly what: string; readonly next: string } | null> {
  if (run === undefined || run.tip === null) return null;
  // Not its ref: that goes when an old run is pruned, and what it led to stays.
  if (existsSync(join(git.mirror, 'HEAD')) && (await hasCommit(git, run.tip))) return null;
  const ref = integrationRef(run.id);
  return {
    what: `run ${run.id} cannot go on: the mirror that has its work is gone (${git.mirror}); what was merged or kept stands under refs/czar of your repository`,
    next: `restore that folder from a backup, or start anew with czar run --new; git merge ${ref} brings in what was merged`,
  };
}

/** Whether a mirror, damaged or not, gives the commit. */
async function hasCommit(git: GitContext, commit: string): Promise<boolean> {
  return readRef(git, `${commit}^{commit}`).then(
    (found) => found !== null,
    () => false,
  );
}
