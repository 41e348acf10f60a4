/** Which refs of the user's repository are behind what the log says. */
import { isPushing } from './push.ts';
import { workersWithRefs } from './run-index.ts';
import type { RunState } from './state.ts';
import { triesAllowed } from './trouble.ts';

/** Refs that are not as they should be, with the commits that they should be at. */
export function unpublished(run: RunState): Readonly<Record<string, string>> {
  const wanted: Record<string, string> = {};
  if (run.tip === null) return wanted;
  const want = (ref: string, commit: string): void => {
    if (run.published[ref] !== commit) wanted[ref] = commit;
  };
  want(`refs/heads/${run.integration}`, run.tip);
  if (whyNotOnBranch(run) !== null) want(mergedRef(run), run.tip);
  for (const worker of workersWithRefs(run)) {
    if (worker.work !== null && worker.branch !== null)
      want(`refs/heads/${worker.branch}`, worker.work.tip);
    for (const kept of worker.kept) want(kept.ref, kept.commit);
    for (const dropped of worker.dropped) want(dropped.to, dropped.commit);
  }
  return wanted;
}

/** Why the integration branch does not hold what is merged: somebody has moved it; null when it does, as far as known. */
export function whyNotOnBranch(run: RunState): string | null {
  return run.diverged[`refs/heads/${run.integration}`] ?? null;
}

/** The ref of the user's repository that has what is merged: where somebody has moved the branch, one of ours alone. */
export function mergedRef(run: RunState): string {
  const free = whyNotOnBranch(run) === null;
  return free ? `refs/heads/${run.integration}` : `refs/czar/integration/${run.id}`;
}

/** The same, as it is shown. */
export function mergedName(run: RunState): string {
  return mergedRef(run).replace(/^refs\/heads\//, '');
}

/** Refs that are brought up to date next; those that the user moved are left alone unless they are tried once more. */
export function publishable(run: RunState, retryDiverged: boolean): readonly string[] {
  return Object.keys(unpublished(run)).filter((ref) => retryDiverged || !(ref in run.diverged));
}

/** Key of the effect that brings them up to date. */
export function publishKey(run: RunState): string {
  return `${run.id}/publish:`;
}

/** Why refs of the user's repository stay behind for now, after several tries; null when they do not. */
export function publishTrouble(run: RunState): string | null {
  const trouble = run.troubles[publishKey(run)];
  const behind = publishable(run, false).length > 0;
  return behind && trouble !== undefined && trouble.tries >= triesAllowed ? trouble.error : null;
}

/** Whether refs of the user's repository, or of its remote, are about to be brought up to date: until then a run has not come home. */
export function isPublishing(run: RunState): boolean {
  return (publishable(run, false).length > 0 && publishTrouble(run) === null) || isPushing(run);
}
