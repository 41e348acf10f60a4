/** How the working trees of a run are tied to a repository, and what follows from it for people. */
import type { Policies } from './plan.ts';

/** `clone`: a repository of its own for each worker; `worktree`: linked worktrees of the user's repository. */
export type IsolationKind = 'clone' | 'worktree';

/** The kind that a run uses. */
export function isolationKind(policies: Policies): IsolationKind {
  return policies.isolation ?? 'clone';
}

/** What agents share with the user, in a sentence; null when nothing. */
export function sharedWithUser(policies: Policies): string | null {
  return facts[isolationKind(policies)].shared;
}

/** The name by which git in a worker's tree merges the integration branch after a conflict. */
export function offeredAs(run: {
  readonly id: string;
  readonly plan: { readonly policies: Policies };
}): string {
  return facts[isolationKind(run.plan.policies)].offered(run.id);
}

const facts: Readonly<
  Record<
    IsolationKind,
    { readonly shared: string | null; readonly offered: (run: string) => string }
  >
> = {
  clone: { shared: null, offered: () => 'refs/czar/integration' },
  worktree: {
    shared:
      'isolation: worktree: agents share the configuration, hooks, branches, tags and stash of your repository; changes there are reported, not prevented',
    offered: (run) => `refs/czar/integration/${run}`,
  },
};
