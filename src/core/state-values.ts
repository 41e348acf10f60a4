/** Values that the state is made of and that no rule of its own holds for. */
import type { BlockKind, BlockStep, PullOrder, ReviewWord, Spend } from './events.ts';

/** What a run has spent on one day (UTC). */
export interface DayState {
  /** Days since 1970. */
  readonly day: number;
  readonly used: Spend;
  /** What was added, through this run, to the limit of the day. */
  readonly added: Spend;
  /** Share of the day's limit that was told of last, in this run. */
  readonly told: number;
}

/** A use of a resource that is limited by the minute. */
export interface RateUse {
  readonly at: number;
  readonly name: string;
  readonly requests: number;
  readonly tokens: number;
}

/** A reviewer's word with its result. */
export interface ReviewVerdict extends ReviewWord {
  readonly result: 'approve' | 'changes_requested';
  readonly at: number;
}

export interface ReviewState {
  /** Reviews by agents ever begun. */
  readonly made: number;
  /** The one that goes on: its process may live whatever state the worker is in. */
  readonly running: { readonly n: number; readonly reviewer: string; readonly tip: string } | null;
  /** Reviews of this tip that gave no verdict, and why the last one did not. */
  readonly misses: number;
  readonly missed: string;
  /** No review before this time, milliseconds since 1970. */
  readonly notBefore: number | null;
  readonly verdicts: readonly ReviewVerdict[];
}

/** One time that the worker was sent back with findings. */
export interface Rework {
  readonly at: number;
  /** The attempt whose work it was. */
  readonly attempt: number;
  readonly kind: BlockKind;
  readonly step: BlockStep;
  readonly text: string;
  readonly files: readonly string[];
}

/** What was kept and a person wants no more. */
export interface DroppedWork {
  /** The name that it was kept under. */
  readonly ref: string;
  /** The name that it has until a prune. */
  readonly to: string;
  readonly commit: string;
}

/** A pull request that a run became. */
export interface PullState extends PullOrder {
  /** `asked` until it is known to be open. */
  readonly state: 'asked' | 'open' | 'merged' | 'closed';
  readonly number: number | null;
  readonly url: string | null;
  /** The commit that it was last brought to; null before. */
  readonly shown: string | null;
  /** Remarks that went back, or were left to a person, by their ids. */
  readonly seen: readonly string[];
  /** Workers that mend what was said of it, oldest first, each with the one whose work that was about. */
  readonly followUps: readonly { readonly worker: string; readonly owner: string }[];
}
