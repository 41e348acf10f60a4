/** What a person asks of what is kept and of working trees. */

/** What git says of a worker's tree, needed to accept `submit`. */
export interface TreeFacts {
  readonly exists: boolean;
  /** A merge, rebase or cherry-pick under way, or conflict markers; null when neither. */
  readonly unfinished: string | null;
}

/** Each names a run and a worker. */
export type HomeRequest =
  /** Kept work is wanted no more; `elsewhere` is whether all that it holds stands in what is merged too. */
  {
    readonly kind: 'drop-kept';
    readonly run: string;
    readonly worker: string;
    readonly ref: string;
    readonly force: boolean;
    readonly elsewhere: boolean;
  };
