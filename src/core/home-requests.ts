/** What a person asks of pull requests, of what is kept and of working trees. */
import type { KeptWork, PullRemark } from './events.ts';
import type { Plan } from './plan.ts';

/** With what it says, word for word, and the worker whose work it is about. */
export interface OwnedRemark extends PullRemark {
  readonly owner: string;
  readonly text: string;
}

/** What git says of a worker's tree, needed to accept `submit`. */
export interface TreeFacts {
  readonly exists: boolean;
  /** A merge, rebase or cherry-pick under way, or conflict markers; null when neither. */
  readonly unfinished: string | null;
}

interface OfWorker {
  readonly run: string;
  readonly worker: string;
}

/** Each names a run, and most a worker. */
export type HomeRequest =
  /** What is merged becomes a pull request. */
  | {
      readonly kind: 'request-pull';
      readonly run: string;
      readonly target: string;
      readonly partial: boolean;
    }
  /** What the person's czar found or made of it. */
  | {
      readonly kind: 'record-pull';
      readonly run: string;
      readonly number: number;
      readonly url: string;
      readonly tip: string;
      readonly program: string;
      readonly state: 'open' | 'merged' | 'closed';
    }
  /**
   * What was said of the pull request while it stood at `tip` goes back to whose work it is about. `plan` has a worker
   * for each owner in `followUps`; an owner that is not there has had its rounds.
   */
  | {
      readonly kind: 'send-back';
      readonly run: string;
      readonly number: number;
      readonly tip: string;
      readonly remarks: readonly OwnedRemark[];
      readonly plan: Plan;
      readonly followUps: Readonly<Record<string, string>>;
    }
  /** The tree that its first attempt will work in; `there` is whether it stands. */
  | (OfWorker & { readonly kind: 'make-tree'; readonly there: boolean })
  /** Its tree is to go; `holds` is what of it is neither merged nor kept, null when nothing is. */
  | (OfWorker & {
      readonly kind: 'remove-tree';
      readonly force: boolean;
      readonly there: boolean;
      readonly holds: string | null;
    })
  /** Kept work is wanted no more; `elsewhere` is whether all that it holds stands in what is merged too. */
  | (OfWorker & {
      readonly kind: 'drop-kept';
      readonly ref: string;
      readonly force: boolean;
      readonly elsewhere: boolean;
    });

/** What became of a tree that a person wants made or removed. */
export type TreeOutcome =
  | (OfWorker & {
      readonly kind: 'tree-made';
      readonly branch: string;
      readonly worktree: string;
      readonly base: string;
      readonly kept: readonly KeptWork[];
    })
  /** It is gone, with what it held kept; `branch` is whether its branch went too. */
  | (OfWorker & {
      readonly kind: 'tree-removed';
      readonly branch: boolean;
      readonly kept: readonly KeptWork[];
    });
