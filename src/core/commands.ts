/**
 * Everything that can be asked of the loop: what a person wants, and what the outcome of an effect was (A4: an outcome
 * is nothing until `decide` has made events of it).
 */
import type {
  AttemptEnd,
  BudgetScope,
  ChangeVerdict,
  Judgement,
  KeptWork,
  LandPlan,
  MergedWorker,
  Machine,
  LimitKind,
  Principal,
  ProcessIdentity,
  PrunedRef,
  RemovedLines,
  Report,
  ReviewFinding,
  ReviewerSaid,
  RunBase,
  TreeVerdict,
  Usage,
  Work,
} from './events.ts';
import type { HomeRequest, TreeFacts, TreeOutcome } from './home-requests.ts';
import type { IntentKind } from './intents.ts';
import type { RunLimits, RunSources } from './limits.ts';
import type { Plan } from './plan.ts';

export type { TreeFacts } from './home-requests.ts';

/** What a person asks. Each names a run; most name a worker. */
export type Request =
  | {
      readonly kind: 'start-run';
      readonly run: string;
      /** Which checkout of the repository it belongs to; the main one when left out. */
      readonly checkout?: string;
      readonly plan: Plan;
      readonly base: RunBase;
      readonly integration: string;
      readonly target: string | null;
      readonly scope: readonly string[] | null;
      /** Every launch waits for a person; left out when only those do whose definition says so. */
      readonly approve?: boolean;
      /** From where beside the files the configuration came; left out when from nowhere. */
      readonly sources?: RunSources;
      /** Agents of the plan that are not installed and whose place others may take; left out when there are none. */
      readonly missing?: readonly string[];
    }
  /** Those agents as they are now. */
  | {
      readonly kind: 'set-missing-agents';
      readonly run: string;
      readonly agents: readonly string[];
    }
  | {
      readonly kind: 'retry';
      readonly run: string;
      readonly worker: string;
      readonly note: string | null;
      readonly clean: boolean;
    }
  /** Retry every failed worker of the run. */
  | { readonly kind: 'retry-failed'; readonly run: string }
  | {
      readonly kind: 'submit';
      readonly run: string;
      readonly worker: string;
      readonly tree: TreeFacts;
    }
  | {
      readonly kind: 'skip';
      readonly run: string;
      readonly worker: string;
      readonly satisfy: boolean;
    }
  | { readonly kind: 'cancel'; readonly run: string; readonly worker: string | null }
  | {
      readonly kind: 'answer';
      readonly run: string;
      readonly worker: string;
      /** The question that its attempt waits with; left out for the only one, or for what blocks it. */
      readonly ask?: string | undefined;
      readonly text: string;
    }
  | {
      readonly kind: 'unblock';
      readonly run: string;
      readonly worker: string;
      readonly note: string | null;
    }
  | {
      readonly kind: 'approve-path';
      readonly run: string;
      readonly worker: string;
      readonly path: string;
    }
  /** `worker` is null for the whole run. */
  | { readonly kind: 'pause'; readonly run: string; readonly worker: string | null }
  | { readonly kind: 'resume'; readonly run: string; readonly worker: string | null }
  | {
      readonly kind: 'tell';
      readonly run: string;
      readonly worker: string;
      readonly text: string;
    }
  /** `worker` is null unless the scope is `worker`; what is added is not negative. */
  | {
      readonly kind: 'raise-budget';
      readonly run: string;
      readonly scope: BudgetScope;
      readonly worker: string | null;
      readonly tokens: number;
      readonly costUsd: number;
    }
  /** The plan files, as they are now, become the run's next revision. */
  | {
      readonly kind: 'amend';
      readonly run: string;
      readonly plan: Plan;
      readonly scope: readonly string[] | null;
      /** Agents of the plan that are not here and whose place others take; left out where they were not looked for. */
      readonly missing?: readonly string[];
    }
  /** The limits that the configuration gives now; with `sources` null it comes from where it came from. */
  | {
      readonly kind: 'set-limits';
      readonly run: string;
      readonly limits: RunLimits;
      readonly sources: RunSources | null;
    }
  /** Launches of workers, and what attempts wait with (`WORKER/p1`); `workers` is null for all that ask. */
  | { readonly kind: 'approve'; readonly run: string; readonly workers: readonly string[] | null }
  | {
      readonly kind: 'deny';
      readonly run: string;
      readonly workers: readonly string[] | null;
      readonly why: string | null;
    }
  /** A person's word on a change; `tip` is the commit that was looked at, null for whatever is there now. */
  | {
      readonly kind: 'review';
      readonly run: string;
      readonly worker: string;
      readonly result: 'approve' | 'changes_requested';
      readonly tip: string | null;
      readonly text: string;
      readonly findings: readonly ReviewFinding[];
    }
  /** Whether launches of a live run wait for a person. */
  | { readonly kind: 'set-approval'; readonly run: string; readonly approve: boolean }
  | HomeRequest
  | ({ readonly kind: 'land'; readonly run: string; readonly onto: string } & LandPlan)
  /** The target, which stands at `onto`, enters the integration of a live run. */
  | {
      readonly kind: 'sync';
      readonly run: string;
      readonly target: string;
      readonly onto: string;
    };

export type RequestKind = Request['kind'];

type Facts = 'tree' | 'onto' | 'elsewhere' | 'there' | 'holds' | 'followUps' | 'plan';
type WithoutFacts<R> = R extends unknown ? Omit<R, Facts> : never;

/** What a person asks of a run, without the facts that the loop looks up itself (a tree's state, where a branch stands). */
export type Steering =
  | WithoutFacts<
      Exclude<Request, { kind: 'start-run' | 'set-missing-agents' | 'amend' | 'set-limits' }>
    >
  | { readonly kind: 'amend'; readonly run: string; readonly sources: ConfigSources };

/** From where, beside the home, a configuration comes. */
export interface ConfigSources {
  /** The user's file, absolute; null where there is no home folder. */
  readonly userFile: string | null;
  /** Name of the `env/NAME.yaml` that counts; null for none. */
  readonly environment: string | null;
  /** Environment variables. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** `key=value`, as flags say it; later ones win. */
  readonly flags: readonly string[];
}

interface OfAttempt {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
}

/** Outcomes of effects, and the loop's own beginning and end. */
export type Outcome =
  | {
      readonly kind: 'loop-started';
      readonly pid: number;
      readonly host: string;
      readonly version: string;
    }
  | { readonly kind: 'loop-ended'; readonly reason: string }
  /** Time has passed: nothing but `advance` follows. */
  | { readonly kind: 'tick' }
  /** What the machine has now: looked at before each turn. */
  | { readonly kind: 'machine-observed'; readonly machine: Machine }
  /** What was to be deleted is gone: numbers of runs and refs, and bytes. */
  | {
      readonly kind: 'pruned';
      readonly outputs: number;
      readonly refs: number;
      readonly bytes: number;
    }
  | { readonly kind: 'run-prepared'; readonly run: string; readonly commit: string }
  | {
      readonly kind: 'inputs-checked';
      readonly run: string;
      readonly worker: string;
      readonly missing: readonly string[];
    }
  | (OfAttempt & {
      readonly kind: 'tree-prepared';
      readonly branch: string;
      readonly worktree: string;
      readonly base: string;
      readonly kept: readonly KeptWork[];
    })
  | TreeOutcome
  | (OfAttempt & { readonly kind: 'setup-passed' })
  /** Setup of the worker's tree failed: a failed attempt. */
  | (OfAttempt & { readonly kind: 'setup-failed'; readonly findings: readonly string[] })
  | (OfAttempt & {
      readonly kind: 'launched';
      readonly process: ProcessIdentity;
      /** The folder that the launch made, relative to the checkout. */
      readonly worktree?: string;
    })
  /** The program could not be started; a repeat cannot mend it when `final`. */
  | (OfAttempt & {
      readonly kind: 'launch-failed';
      readonly error: string;
      readonly final: boolean;
    })
  | (OfAttempt & {
      readonly kind: 'reports';
      readonly reports: readonly Report[];
      readonly refused: readonly string[];
      readonly reportOffset: number;
      readonly outputOffset: number;
    })
  /** It has shown no sign of life for as long as its worker calls a stall, and is to begin again then. */
  | (OfAttempt & { readonly kind: 'stalled'; readonly silentMs: number })
  /** The answer lies where it looks for it. */
  | (OfAttempt & { readonly kind: 'answer-delivered'; readonly id: string })
  /** It uses more of the machine than it may. */
  | (OfAttempt & { readonly kind: 'over-limit'; readonly limit: LimitKind })
  | (OfAttempt & {
      readonly kind: 'attempt-ended';
      readonly end: AttemptEnd;
      readonly judgement: Judgement;
      readonly lastWords: readonly string[];
    })
  /** `kept` is what was kept of a folder without a repository. */
  | (OfAttempt & {
      readonly kind: 'collected';
      readonly work: Work | null;
      readonly notes?: readonly string[];
      readonly kept: readonly KeptWork[];
    })
  /** The teardown has run; what went wrong of it changes nothing. */
  | (OfAttempt & {
      readonly kind: 'torn-down';
      readonly failures: readonly {
        readonly command: string;
        readonly findings: readonly string[];
      }[];
    })
  | {
      readonly kind: 'judged';
      readonly run: string;
      readonly worker: string;
      readonly verdicts: readonly ChangeVerdict[];
      /** Present when it holds the integration that it conflicted with. */
      readonly resolved?: { readonly onto: string; readonly removed: readonly RemovedLines[] };
    }
  | {
      readonly kind: 'checked';
      readonly run: string;
      readonly subject: 'branch' | 'merge' | 'land';
      readonly worker: string | null;
      readonly verdicts: readonly TreeVerdict[];
    }
  /** A review by an agent is over: what it said, or why it said nothing. */
  | {
      readonly kind: 'reviewed';
      readonly run: string;
      readonly worker: string;
      readonly n: number;
      readonly said: ReviewerSaid;
      readonly usage: Usage | null;
    }
  | {
      readonly kind: 'merge-built';
      readonly run: string;
      readonly worker: string;
      readonly base: string;
      readonly tip: string;
      readonly commit: string;
      readonly tree: string;
    }
  | {
      readonly kind: 'merge-conflict';
      readonly run: string;
      readonly worker: string;
      readonly base: string;
      readonly tip: string;
      readonly files: readonly string[];
      readonly messages: readonly string[];
    }
  | {
      readonly kind: 'merge-committed';
      readonly run: string;
      /** The one whose tree was tested. */
      readonly worker: string;
      readonly commit: string;
      /** Everyone that entered with it, in order; it is the last. */
      readonly merged: readonly MergedWorker[];
    }
  /** The integration ref is not where the intent says: nothing was moved. */
  | {
      readonly kind: 'merge-lost';
      readonly run: string;
      readonly worker: string;
      readonly found: string;
    }
  | {
      readonly kind: 'published';
      readonly run: string;
      readonly refs: Readonly<Record<string, string>>;
      readonly diverged: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'pushed';
      readonly run: string;
      readonly remote: string | null;
      readonly refs: Readonly<Record<string, string>>;
      readonly left: Readonly<Record<string, string>>;
    }
  | {
      readonly kind: 'landing-built';
      readonly run: string;
      /** Date of the landing that it was built for: another one's is not it. */
      readonly date: number;
      readonly commit: string;
      readonly tree: string;
    }
  | {
      readonly kind: 'landing-refused';
      readonly run: string;
      readonly reason: string;
      readonly files: readonly string[];
    }
  | {
      readonly kind: 'landed';
      readonly run: string;
      readonly commit: string;
      /** Files of the target's checkout that could not follow its branch; absent when there are none. */
      readonly notUpdated?: readonly string[];
    }
  | {
      readonly kind: 'effect-failed';
      readonly run: string;
      readonly worker: string | null;
      readonly attempt: number | null;
      readonly key: string;
      readonly effect: IntentKind;
      readonly error: string;
    };

/** What old runs hold is about to be deleted, because a person asked for it. It is of no run, but of all that it names. */
export interface Prune {
  readonly kind: 'prune';
  /** Runs that lose something. */
  readonly runs: readonly string[];
  readonly outputs: readonly string[];
  readonly refs: readonly PrunedRef[];
  readonly aside: readonly string[];
}

export type Command = ((Request | Prune) & { readonly by: Principal }) | Outcome;

/** Why a request is refused. `consequence` is what the caller does about it. */
export interface Rejection {
  readonly consequence: 'reject' | 'ask' | 'retry';
  /** Exit code that it becomes: 2 wrong, 3 nothing to act on, 4 refused by the present state. */
  readonly exit: 2 | 3 | 4;
  readonly what: string;
  readonly next: string | null;
}
