/** What git says of branches of the user's repository: how many commits, which is the latest, how far ahead. Reads only. */
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, line } from './git.ts';
import type { Failed } from './git.ts';
import { readRefIn } from './refs.ts';

export interface BranchFacts {
  readonly kind: 'branch';
  readonly commit: string;
  /** Commits of its whole history. */
  readonly commits: number;
  readonly subject: string;
  /** Of the latest commit, milliseconds since 1970. */
  readonly at: number;
  /** Commits that the other has not, and that only the other has; null when there is no other. */
  readonly ahead: number | null;
  readonly behind: number | null;
  /** Commits that integration has not; null when there is no such branch. */
  readonly unmerged: number | null;
}

/** A branch against another one and against integration; names without `refs/heads/`. */
export async function branchFacts(
  context: GitContext,
  of: { readonly branch: string; readonly against: string | null; readonly integration: string },
): Promise<BranchFacts | { readonly kind: 'none' } | Failed> {
  return failing(async () => {
    const place = inUserRepository(context);
    const commit = await readRefIn(place, `refs/heads/${of.branch}`);
    if (commit === null) return { kind: 'none' };
    const tipOf = async (branch: string | null): Promise<string | null> =>
      branch === null ? null : readRefIn(place, `refs/heads/${branch}`);
    const [other, merged] = await Promise.all([tipOf(of.against), tipOf(of.integration)]);
    const count = async (...range: readonly string[]): Promise<number> =>
      Number(await line(['rev-list', '--count', ...range], place));
    const log = await line(['log', '-1', '--format=%ct %s', '--end-of-options', commit], place);
    const space = log.indexOf(' ');
    return {
      kind: 'branch',
      commit,
      commits: await count(commit),
      subject: log.slice(space + 1),
      at: Number(log.slice(0, space)) * 1000,
      ahead: other === null ? null : await count(`${other}..${commit}`),
      behind: other === null ? null : await count(`${commit}..${other}`),
      unmerged: merged === null ? null : await count(`${merged}..${commit}`),
    };
  });
}
