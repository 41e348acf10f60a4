/** Branches of workers as git has them now. */
import type { RunState, WorkerState } from '../../core/state.ts';
import { branchFacts } from '../../git/branch-facts.ts';
import type { Failed } from '../../git/git.ts';
import type { BranchesDocument } from '../../report/branches-schema.ts';
import { timestamp } from '../../report/figures.ts';
import type { Place } from '../place.ts';
import { mirrorOf } from './run-facts.ts';

/** The branches of these workers; those that have none yet are left out. */
export async function branchStatus(
  place: Place,
  run: RunState,
  workers: readonly WorkerState[],
): Promise<{ readonly kind: 'found'; readonly document: BranchesDocument } | Failed> {
  const git = mirrorOf(place);
  const branches: BranchesDocument['branches'] = [];
  for (const { id, state, branch } of workers) {
    if (branch === null) continue;
    const { integration, target } = run;
    const facts = await branchFacts(git, { branch, against: target, integration });
    if (facts.kind === 'failed') return facts;
    const diverged = run.diverged[`refs/heads/${branch}`] ?? null;
    const named = { worker: id, state, branch, diverged };
    branches.push(
      facts.kind === 'none'
        ? { ...named, ...noBranch }
        : {
            ...named,
            commit: facts.commit,
            commits: facts.commits,
            latest_commit: `${facts.commit} ${facts.subject}`,
            latest_at: timestamp(facts.at),
            commits_ahead: facts.ahead,
            commits_behind: facts.behind,
            unmerged: facts.unmerged,
          },
    );
  }
  return { kind: 'found', document: { v: 1, run: run.id, against: run.target, branches } };
}

const noBranch = {
  commit: null,
  commits: 0,
  latest_commit: null,
  latest_at: null,
  commits_ahead: null,
  commits_behind: null,
  unmerged: null,
};
