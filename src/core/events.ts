/**
 * Everything that can happen, named once. State is a fold of these; logs, reports and the API render them.
 *
 * An event that enters a worker state is `worker.<state>` (`starting` is `worker.started`) and carries `from` and
 * `reason`. Times inside the core are milliseconds since 1970 (`at`); the codec writes them as ISO 8601.
 */
import type { HomeEvents } from './home-events.ts';
import type { RunLimits, RunSources } from './limits.ts';
import type { Limits, Plan } from './plan.ts';
import type {
  AttemptEnd,
  Block,
  BudgetScope,
  ChangeVerdict,
  Entered,
  Judgement,
  KeptWork,
  LandPlan,
  Machine,
  PermissionRequest,
  Principal,
  ProcessIdentity,
  PrunedRef,
  RemovedLines,
  ReviewWord,
  RunBase,
  Spend,
  TreeVerdict,
  Usage,
  Work,
} from './event-values.ts';

export { pathPatch, treeGateKey } from './event-values.ts';
export type * from './event-values.ts';

/** Where a live attempt that is stopped leaves its worker; `retry` as after an attempt that failed. */
export type StopTarget = 'cancelled' | 'paused' | 'blocked' | 'failed' | 'ready' | 'retry';

/** A limit, and what is used of it. */
export interface BudgetNews {
  readonly scope: BudgetScope;
  readonly limit: Limits;
  readonly used: Spend;
}

/** Data of each event type. */
export interface EventData extends HomeEvents {
  'loop.started': {
    readonly pid: number;
    readonly host: string;
    readonly version: string;
    readonly epoch: number;
  };
  'loop.ended': { readonly reason: string };

  'run.started': {
    /** Checkout that its home is in: '' or left out for the main one, else `worktrees/<name>`. */
    readonly checkout?: string;
    readonly plan: Plan;
    readonly base: RunBase;
    readonly integration: string;
    readonly target: string | null;
    /** Workers that this run executes; null means all. */
    readonly scope: readonly string[] | null;
    /** Every launch waits for a person; absent when only those do whose definition says so. */
    readonly approve?: true;
    /** From where beside the files its configuration came; absent when from nowhere. */
    readonly sources?: RunSources;
  };
  /** The run has another plan from here on; what follows for each worker stands in events of its own. */
  'plan.amended': {
    readonly plan: Plan;
    readonly scope: readonly string[] | null;
    readonly by: Principal;
    readonly added: readonly string[];
    readonly changed: readonly string[];
    readonly removed: readonly string[];
  };
  /** Other limits hold from here on: those that differ as they were and as they are, what is in one alone had or has none. */
  'limits.changed': {
    readonly before: Partial<RunLimits>;
    readonly after: Partial<RunLimits>;
    /** From where they come now; absent when that stays as it was. */
    readonly sources?: RunSources;
    readonly by: Principal;
  };
  /** What the machine has: told to a run when that makes a difference for what it may start. */
  'machine.observed': Machine;
  /** Agents of the plan that are not installed where the run is, as far as others may take their place. */
  'agents.missing': { readonly agents: readonly string[] };
  /** Less space is free than the reserve: nothing starts until there is more. */
  'disk.low': { readonly free: number; readonly reserve: number };
  'run.prepared': { readonly commit: string };
  'run.waiting': { readonly workers: readonly string[] };
  'run.running': { readonly reason: string };
  'run.complete': Record<never, never>;
  'run.failed': { readonly workers: readonly string[]; readonly reason: string };
  'run.cancelled': { readonly by: Principal };
  'run.cancel_requested': { readonly by: Principal };
  'run.paused': { readonly by: Principal };
  /** From here on launches wait for a person, or do so no more. */
  'run.approval_set': { readonly approve: boolean; readonly by: Principal };

  'worker.pending': Entered & {
    readonly by: Principal;
    readonly note: string | null;
    readonly clean: boolean;
  };
  'worker.ready': Entered & {
    readonly notBefore: number | null;
    readonly counts: 'failed' | 'lost' | 'interrupted' | 'quota' | 'rework' | null;
    /** What the next attempt starts in; null leaves it as it was. */
    readonly tree: 'clean' | 'continue' | null;
    /** What it is sent back with; absent when it is not. */
    readonly rework?: Block;
    /** The agent that has no quota until then, where another may take its place; absent when none may. */
    readonly away?: { readonly agent: string; readonly until: number };
  };
  'worker.started': Entered & {
    readonly attempt: number;
    readonly continues: boolean;
    readonly claims: boolean;
    /** There is no tree to make: the launch makes its empty folder. */
    readonly direct?: true;
    /** The agent that makes the attempt, with why; absent when it is the worker's own. */
    readonly agent?: { readonly name: string; readonly why: string };
  };
  'worker.active': Entered & { readonly process: ProcessIdentity };
  'worker.verifying': Entered & { readonly submitted: boolean };
  /** `person`: one of its reviewers is a person, for whom others do not wait. */
  'worker.reviewing': Entered & { readonly person?: true };
  'worker.merging': Entered;
  'worker.complete': Entered & { readonly noChange: boolean };
  'worker.blocked': Entered & { readonly block: Block; readonly blockedBy: string | null };
  /** `withRun`: it goes on when its run is resumed. */
  'worker.paused': Entered & { readonly by: Principal; readonly withRun?: true };
  /** `by` when no attempt failed. */
  'worker.failed': Entered & { readonly blockedBy: string | null; readonly by?: Principal };
  'worker.skipped': Entered & { readonly by: Principal; readonly satisfies: boolean };
  'worker.cancelled': Entered & { readonly by: Principal };

  /** A failed attempt: what went wrong in one sentence. */
  'worker.error': { readonly error: string; readonly exit: number | null; readonly final: boolean };
  'worker.merged': {
    readonly commit: string;
    readonly tree: string;
    readonly base: string;
    readonly tip: string;
    readonly files: {
      readonly created: number;
      readonly modified: number;
      readonly deleted: number;
    };
    readonly commits: number;
    /** The merge that was tested in its place, when it entered integration together with that one. */
    readonly tested?: { readonly commit: string; readonly tree: string };
  };
  'worker.stop_requested': {
    readonly to: StopTarget;
    readonly by: Principal;
    readonly reason: string;
    /** Not the worker is to be paused but its run: it goes on as soon as the run does. Without it, it stays paused then. */
    readonly withRun?: true;
  };
  'worker.noted': {
    readonly by: Principal;
    readonly kind: 'answer' | 'note';
    readonly text: string;
    /** Its last prompt was written before that: only another attempt reads it. */
    readonly late?: true;
  };

  /** Its agent made a task and calls it `ref` from now on. */
  'worker.task_listed': { readonly task: string; readonly ref: string };
  'worker.task_started': { readonly task: string };
  'worker.task_completed': { readonly task: string };
  'worker.checkpoint': { readonly name: string };
  'worker.reported_blocked': { readonly text: string };
  /** With `wait` its attempt goes on, and waits for so long. */
  'worker.asked': {
    readonly text: string;
    readonly wait?: { readonly id: string; readonly ms: number };
  };
  /** A question that its attempt waits with has an answer, or none any more: nobody gave one in time, or it gave up. */
  'worker.answered': { readonly id: string; readonly text: string | null; readonly by: Principal };
  'worker.handoff': { readonly text: string };
  'worker.usage': Usage & {
    readonly source: 'reported' | 'metered' | 'estimated';
    /** The model that was asked, where it is told. */
    readonly model?: string;
  };
  'budget.warned': BudgetNews;
  'budget.exceeded': BudgetNews;
  'budget.raised': Spend & { readonly scope: BudgetScope; readonly by: Principal };
  /** A line of a report or output that claims to be a report and is not acceptable. */
  'worker.report_refused': { readonly error: string };
  /** How far the attempt's report file and output have been read: lines before count once. */
  'attempt.read': { readonly reportOffset: number; readonly outputOffset: number };

  'attempt.prepared': { readonly branch: string; readonly worktree: string; readonly base: string };
  'attempt.setup_started': Record<never, never>;
  'attempt.setup_passed': Record<never, never>;
  /** What the agent calls its session: it can be taken up again by that. */
  'attempt.session': { readonly agent: string; readonly session: string };
  'attempt.ended': {
    readonly end: AttemptEnd;
    readonly judgement: Judgement;
    readonly lastWords: readonly string[];
  };
  'work.collected': {
    readonly work: Work | null;
    /** What a person should know of how it was found, each one sentence; absent when there is nothing. */
    readonly notes?: readonly string[];
  };
  /** A command of a worker's teardown failed: what it was to take away may still be there. Its work is at home. */
  'teardown.failed': { readonly command: string; readonly findings: readonly string[] };
  'work.kept': { readonly kept: KeptWork };
  'inputs.checked': { readonly missing: readonly string[] };

  'gate.started': {
    readonly subject: 'branch' | 'merge' | 'land';
    readonly commit: string;
    readonly tree: string;
  };
  'gate.passed': { readonly verdict: ChangeVerdict | TreeVerdict };
  'gate.failed': { readonly verdict: ChangeVerdict | TreeVerdict };
  'gate.inconclusive': { readonly verdict: ChangeVerdict | TreeVerdict };
  'protect.approved': { readonly path: string; readonly patch: string; readonly by: Principal };

  /** An agent waits with what it wants to do; when nobody answers for so long, it is denied, or its worker fails too. */
  'permission.requested': {
    readonly id: string;
    readonly request: PermissionRequest;
    readonly afterMs: number;
    readonly instead: 'deny' | 'fail';
  };
  /** By the agent itself when it waits no longer. */
  'permission.answered': {
    readonly id: string;
    readonly decision: 'allow' | 'deny';
    readonly text: string | null;
    readonly by: Principal;
  };
  /** The answer lies where its attempt looks for it. */
  'answer.delivered': { readonly id: string };
  /** An agent reviews: the worker's n-th review, which is no attempt and holds a slot of the agents. */
  'review.started': {
    readonly n: number;
    readonly reviewer: string;
    readonly tip: string;
    readonly patch: string;
    readonly definition: string;
  };
  'review.approved': ReviewWord;
  'review.changes_requested': ReviewWord;
  /** A review by an agent that ended without a verdict; with `counts` it is its own fault. */
  'review.inconclusive': {
    readonly n: number;
    readonly reviewer: string;
    readonly reason: string;
    readonly notBefore: number | null;
    readonly counts: boolean;
  };

  /** An agent was kept from what its permissions do not cover. */
  'permission.denied': {
    readonly tool: string;
    readonly detail: string;
    readonly by: Principal;
  };

  /** A launch waits for a person: `attempt` is the one that would start, `definition` the hash of what it would do. */
  'approval.requested': { readonly attempt: number; readonly definition: string };
  'approval.granted': {
    readonly attempt: number;
    readonly definition: string;
    readonly by: Principal;
  };
  'approval.denied': {
    readonly attempt: number;
    readonly definition: string;
    readonly by: Principal;
    readonly why: string | null;
  };

  'merge.started': { readonly base: string; readonly tip: string; readonly date: number };
  'merge.built': { readonly commit: string; readonly tree: string };
  'merge.conflict': {
    readonly base: string;
    readonly files: readonly string[];
    readonly messages: readonly string[];
  };
  /**
   * The branch holds the tip of integration (`onto`) that it conflicted with: lines that it removed of those that came
   * with it, and the workers that changed these files.
   */
  'merge.resolved': {
    readonly tip: string;
    readonly onto: string;
    readonly removed: readonly RemovedLines[];
    readonly others: readonly string[];
  };
  /** The merge that was under way is given up; the worker's next state is another event. */
  'merge.abandoned': {
    readonly reason: string;
    /** It conflicts with a candidate ahead of it, which may never be merged: it is built again on integration. */
    readonly aside?: true;
  };

  'dependency.superseded': { readonly dependency: string; readonly dependent: string };
  'refs.published': { readonly refs: Readonly<Record<string, string>> };
  /**
   * Branches are at `remote` where they stand in `refs`, but for those that it did not take: `left` says why. Null when
   * there is no remote: then there is nothing to push to.
   */
  'refs.pushed': {
    readonly remote: string | null;
    readonly refs: Readonly<Record<string, string>>;
    readonly left: Readonly<Record<string, string>>;
  };
  'refs.diverged': { readonly ref: string; readonly expected: string | null; readonly why: string };

  /** With `sync` the other way round: the target (`tip`) enters integration, which stands at `onto`. */
  'land.started': LandPlan & {
    readonly onto: string;
    readonly tip: string;
    readonly date: number;
    readonly sync?: true;
  };
  'land.built': { readonly commit: string; readonly tree: string };
  'land.refused': {
    readonly reason: string;
    readonly files: readonly string[];
    readonly sync?: true;
  };
  /** The target, as it stood at `tip`, is in integration, which stands at `commit` now. */
  'run.synced': {
    readonly target: string;
    readonly tip: string;
    readonly base: string;
    readonly commit: string;
  };
  'run.landed': {
    readonly target: string;
    readonly commit: string;
    readonly mode: 'merge' | 'squash' | 'ff';
    /** Files of the target's checkout that could not follow its branch; absent when there are none. */
    readonly notUpdated?: readonly string[];
  };

  /**
   * What is deleted now, because a person asked for it: outputs of runs, refs with the commits that they stood at, copies
   * of files that were kept aside. The core does not act on it.
   */
  'prune.started': {
    readonly by: Principal;
    /** Runs whose outputs are deleted. */
    readonly outputs: readonly string[];
    readonly refs: readonly PrunedRef[];
    /** Runs whose files that lay aside are deleted. */
    readonly aside: readonly string[];
  };
  'prune.done': { readonly outputs: number; readonly refs: number; readonly bytes: number };
  /** Everything that czar made is removed from here on; `bundle` holds what was not merged, null when nothing was. */
  'uninstall.started': { readonly by: Principal; readonly bundle: string | null };

  /** An effect that failed for reasons outside the work (disk, git, process table); it is tried again or gives up. */
  'effect.failed': {
    readonly key: string;
    readonly effect: string;
    readonly error: string;
    readonly tries: number;
  };
}

export type EventType = keyof EventData;

/** An event as `decide` and `advance` produce it: no sequence number, no time. */
export type NewEvent = {
  [T in EventType]: {
    readonly type: T;
    readonly run?: string;
    readonly worker?: string;
    readonly attempt?: number;
    readonly data: EventData[T];
  };
}[EventType];

/** An event of the log. `at` is milliseconds since 1970; `seq` has no gaps and counts from 1. */
export type Event = NewEvent & { readonly seq: number; readonly at: number };

/** The event of one type. */
export type EventOf<T extends EventType> = Extract<Event, { type: T }>;
