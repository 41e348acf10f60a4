/** Which refs of the user's repository are behind what the log says. */
import { workersWithRefs } from './run-index.ts';
import type { RunState } from './state.ts';

/** Refs that are not as they should be, with the commits that they should be at. */
export function unpublished(run: RunState): Readonly<Record<string, string>> {
  const wanted: Record<string, string> = {};
  if (run.tip === null) return wanted;
  const want = (ref: string, commit: string): void => {
    if (run.published[ref] !== commit) wanted[ref] = commit;
  };
  want(`refs/heads/${run.integration}`, run.tip);
  for (const worker of workersWithRefs(run)) {
    if (worker.work !== null && worker.branch !== null)
      want(`refs/heads/${worker.branch}`, worker.work.tip);
    for (const kept of worker.kept) want(kept.ref, kept.commit);
  }
  return wanted;
}
