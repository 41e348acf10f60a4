/** The names of a run's branches against what the user's repository already has. Reads only. */
import { checkouts } from './checkouts.ts';
import { inUserRepository } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, git, gitFailure, output, yes } from './git.ts';
import type { Failed } from './git.ts';
import { isBranchName } from './refs.ts';

export interface BranchFacts {
  readonly name: string;
  /** Commit of the branch in the user's repository; null when there is none. */
  readonly commit: string | null;
  /** Commits that it has and base has not: such a branch is continued. */
  readonly ahead: number;
  /** Commits that base has and it has not; 0 when there is no such branch. */
  readonly behind: number;
  /** Whether some checkout stands on it or rebases it. */
  readonly checkedOut: boolean;
  /** Why no branch of this name can be made, in one sentence; null when one can. */
  readonly collision: string | null;
}

/** Looks up each name; `base` is the commit that the run starts from. */
export async function branchFacts(
  context: GitContext,
  options: { readonly names: readonly string[]; readonly base: string },
): Promise<{ readonly kind: 'branches'; readonly branches: readonly BranchFacts[] } | Failed> {
  return failing(async () => {
    const call = inUserRepository(context);
    const list = await output(
      ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads/'],
      call,
    );
    const existing = new Map<string, string>();
    for (const each of list.toString('utf8').split('\n')) {
      const space = each.indexOf(' ');
      if (space > 0)
        existing.set(each.slice(space + 1 + 'refs/heads/'.length), each.slice(0, space));
    }
    const out = new Set(
      (await checkouts(context)).filter(({ own }) => !own).map((checkout) => checkout.ref),
    );
    const branches: BranchFacts[] = [];
    for (const name of options.names) {
      const commit = existing.get(name) ?? null;
      const { base } = options;
      branches.push({
        name,
        commit,
        ahead: commit === null ? 0 : await countAhead(context, base, commit),
        behind: commit === null ? 0 : await countAhead(context, commit, base),
        checkedOut: out.has(`refs/heads/${name}`),
        collision: collision(name, options.names, existing),
      });
    }
    return { kind: 'branches', branches };
  });
}

/** Whether the user's branch has the commit in its history; not, when there is no such branch or commit any more. */
export async function branchHolds(
  context: GitContext,
  branch: string,
  commit: string,
): Promise<boolean | Failed> {
  return refHolds(context, `refs/heads/${branch}`, commit);
}

/** The same of any ref of the user's repository (full name). */
export async function refHolds(
  context: GitContext,
  ref: string,
  commit: string,
): Promise<boolean | Failed> {
  return failing(async () => {
    const call = inUserRepository(context);
    const names = [commit, ref];
    const there = await output(['cat-file', '--batch-check'], { ...call, input: names.join('\n') });
    if (/ missing$/m.test(there.toString('utf8'))) return false;
    return yes(['merge-base', '--is-ancestor', ...names], call);
  });
}

function collision(
  name: string,
  planned: readonly string[],
  existing: ReadonlyMap<string, string>,
): string | null {
  if (!isBranchName(name)) return `git does not take ${JSON.stringify(name)} for a branch name`;
  const taken = (other: string): boolean => existing.has(other) || planned.includes(other);
  const parts = name.split('/');
  for (let n = 1; n < parts.length; n += 1) {
    const above = parts.slice(0, n).join('/');
    if (taken(above)) return `a branch named ${above} is in the way of ${name}`;
  }
  const below = [...existing.keys(), ...planned].find((other) => other.startsWith(`${name}/`));
  if (below !== undefined) return `a branch named ${below} is in the way of ${name}`;
  const folded = [...existing.keys(), ...planned].find(
    (other) => other !== name && other.toLowerCase() === name.toLowerCase(),
  );
  return folded === undefined ? null : `${name} and ${folded} differ only in upper and lower case`;
}

async function countAhead(context: GitContext, base: string, commit: string): Promise<number> {
  const args = ['rev-list', '--count', `${base}..${commit}`, '--'];
  const result = await git(args, inUserRepository(context));
  if (result.code !== 0) throw gitFailure(args, result);
  return Number(result.stdout.toString('utf8').trim());
}
