/** Data of the events of what a person sees to: kept work, trees, pull requests. */
import type { Principal, PullOrder, PullRemark } from './event-values.ts';

export interface HomeEvents {
  /** A person wants it no more: it stands at `to` from here on, until a prune, and counts as kept no longer. */
  'kept.dropped': {
    readonly ref: string;
    readonly to: string;
    readonly commit: string;
    readonly by: Principal;
  };
  /** A person wants a worker's tree made before its attempt, or taken away after. */
  'tree.requested': { readonly want: 'made' | 'removed'; readonly by: Principal };
  'tree.made': { readonly branch: string; readonly worktree: string; readonly base: string };
  /** What it held is kept or merged; `branch` is whether its branch went too. */
  'tree.removed': { readonly worktree: string; readonly branch: boolean };
  /** What is merged is to become a pull request: the branch is pushed from here on, and one opened or brought up to date. */
  'pull.requested': PullOrder & { readonly by: Principal };
  /** It is open with this commit; `by` is the program that opened it. */
  'pull.opened': {
    readonly number: number;
    readonly url: string;
    readonly tip: string;
    readonly program: string;
  };
  /** What was said of it went back: to a new worker that mends the work of `owner`, or to nobody (null) after too many rounds. */
  'pull.sent_back': {
    readonly number: number;
    readonly remarks: readonly (PullRemark & {
      readonly owner: string;
      readonly worker: string | null;
    })[];
    readonly by: Principal;
  };
  'pull.closed': { readonly url: string; readonly merged: boolean };
}
