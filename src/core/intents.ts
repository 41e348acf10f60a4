/**
 * Everything that czar can be about to do. `schedule` derives the intents from state alone, so a restart finds the
 * same ones (A2); `key` is stable, and for one key at most one effect is under way (A3).
 *
 * What each effect needs stands in the intent: performing one reads no state.
 */
import type { TreeGate, TreeVerdict, ChangeVerdict } from './events.ts';

interface Keyed {
  readonly key: string;
  readonly run: string;
}

interface ForWorker extends Keyed {
  readonly worker: string;
}

interface ForAttempt extends ForWorker {
  readonly attempt: number;
}

/** One check tree: a commit, prepared by `setup`, on which commands run one after another. */
export interface CheckIntent extends Keyed {
  readonly kind: 'check';
  readonly subject: 'branch' | 'merge' | 'land';
  readonly worker: string | null;
  readonly commit: string;
  readonly tree: string;
  readonly gates: readonly TreeGate[];
}

/** The verdicts that a merge takes as values: without all of them there is no merge (S4). */
export interface Admission {
  readonly change: readonly ChangeVerdict[];
  readonly trees: readonly TreeVerdict[];
}

/** A worker whose merge enters integration: its merge commit, and the verdicts on its change. */
export interface MergeMember {
  readonly worker: string;
  readonly base: string;
  readonly tip: string;
  readonly commit: string;
  readonly tree: string;
  readonly change: readonly ChangeVerdict[];
}

export type Intent =
  /** Mirror made and fetched, the base known there, the integration ref created. */
  | (Keyed & { readonly kind: 'prepare-run'; readonly base: string })
  /** Whether the inputs of the worker's edges exist in the integration tip. */
  | (ForWorker & {
      readonly kind: 'check-inputs';
      readonly commit: string;
      readonly paths: readonly string[];
    })
  | (ForAttempt & {
      readonly kind: 'prepare-tree';
      readonly branch: string;
      readonly commit: string;
      /** Whether the tree of the attempt before goes on. */
      readonly continues: boolean;
    })
  /** A person asked for the worker's tree, or for it to go; `attempt` is the last one, 0 before the first. */
  | (ForAttempt & {
      readonly kind: 'tend-tree';
      readonly want: 'made' | 'removed';
      readonly branch: string;
      readonly commit: string;
    })
  | (ForAttempt & { readonly kind: 'setup' })
  | (ForAttempt & { readonly kind: 'launch' })
  /** Follow a live attempt to its end: reports, output, exit, time limit. */
  | (ForAttempt & { readonly kind: 'watch' })
  /** Put an answer where the attempt looks for it. */
  | (ForAttempt & {
      readonly kind: 'answer';
      readonly id: string;
      readonly decision: 'allow' | 'deny';
      readonly text: string | null;
    })
  | (ForAttempt & { readonly kind: 'stop'; readonly why: 'timeout' | 'requested' | 'interrupted' })
  /** End what is left of the process tree, bring the commits home, keep the rest. */
  | (ForAttempt & {
      readonly kind: 'collect';
      readonly commit: 'all' | 'none';
      readonly integration: string;
    })
  /** Run what tears down what `setup` or the agent put up, once the work of an attempt is at home. */
  | (ForAttempt & { readonly kind: 'teardown' })
  /** Deliverables, handoff, ownership, protect. */
  | (ForWorker & { readonly kind: 'judge'; readonly integration: string })
  | CheckIntent
  /** An agent looks at the change: started, or followed to its end and heard. */
  | (ForWorker & {
      readonly kind: 'review';
      readonly n: number;
      readonly reviewer: string;
      readonly tip: string;
      readonly integration: string;
    })
  /** Nobody waits for the review any more: its processes are ended. */
  | (ForWorker & { readonly kind: 'end-review'; readonly n: number; readonly reviewer: string })
  | (ForWorker & {
      readonly kind: 'build-merge';
      readonly base: string;
      readonly tip: string;
      readonly date: number;
    })
  | (ForWorker & {
      readonly kind: 'commit-merge';
      readonly base: string;
      readonly tip: string;
      readonly commit: string;
      readonly tree: string;
      readonly admission: Admission;
      /** Who enters with it, ahead of it: the first stands on integration, each next one on the one before. */
      readonly ahead: readonly MergeMember[];
    })
  /** Bring the user's repository up to date: `refs/czar/**` and the run's branches. */
  | (Keyed & { readonly kind: 'publish'; readonly refs: Readonly<Record<string, string>> })
  /** Bring branches of the user's repository to its remote. */
  | (Keyed & { readonly kind: 'push'; readonly refs: Readonly<Record<string, string>> })
  | (Keyed & {
      readonly kind: 'build-landing';
      readonly target: string;
      readonly onto: string;
      readonly tip: string;
      readonly mode: 'merge' | 'squash' | 'ff';
      readonly date: number;
      /** The target enters integration: `onto` is integration, `tip` the target. */
      readonly sync?: true;
    })
  | (Keyed & {
      readonly kind: 'commit-landing';
      readonly target: string;
      readonly onto: string;
      readonly commit: string;
      readonly tree: string;
      readonly admission: Admission;
      readonly sync?: true;
    });

export type IntentKind = Intent['kind'];

/**
 * Effects that are soon over and are left to end when nobody wants them any more: what they did is recorded as ever, and no
 * git is killed while it holds a lock of the user's repository.
 */
export const runsOut: ReadonlySet<Intent['kind']> = new Set([
  'publish',
  'push',
  'commit-merge',
  'commit-landing',
]);
