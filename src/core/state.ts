/**
 * The state that the log folds to. Values are immutable; the maps that hold them belong to the fold (`evolve`), which
 * alone changes them. Everyone else sees them read-only.
 */
import type {
  AttemptEnd,
  Block,
  ChangeVerdict,
  EventData,
  Judgement,
  KeptWork,
  LandPlan,
  Machine,
  PermissionRequest,
  Principal,
  ProcessIdentity,
  RunBase,
  Spend,
  StopTarget,
  TreeVerdict,
  Usage,
  Work,
} from './events.ts';
import type { WorkerStateName } from './lifecycle.ts';
import type { RunSources } from './limits.ts';
import type { Plan, WorkerDefinition } from './plan.ts';
import type {
  DayState,
  DroppedWork,
  PullState,
  RateUse,
  ReviewState,
  Rework,
} from './state-values.ts';

export type * from './state-values.ts';

export interface RepositoryState {
  /** Sequence number of the last event folded in; 0 before the first. */
  readonly seq: number;
  readonly runs: ReadonlyMap<string, RunState>;
  /** Epoch of the loop that wrote last (A1): an older one may append nothing. */
  readonly epoch: number;
}

export type RunStateName = 'running' | 'waiting' | 'paused' | 'complete' | 'failed' | 'cancelled';

export interface RunState {
  readonly id: string;
  readonly state: RunStateName;
  readonly plan: Plan;
  readonly scope: readonly string[] | null;
  /** Checkout that its home is in: '' for the main one, else `worktrees/<name>`. */
  readonly checkout: string;
  readonly base: RunBase;
  /** Name of the integration branch in the user's repository. */
  readonly integration: string;
  /** Branch that `land` moves by default; null when the run started from a detached HEAD. */
  readonly target: string | null;
  /** Commit that integration stands at in the mirror; null until the run is prepared. */
  readonly tip: string | null;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly reason: string | null;
  readonly cancelling: boolean;
  /** Since when it is paused; null when it is not. */
  readonly pausedAt: number | null;
  /** Whether every launch of it waits for a person. */
  readonly approve: boolean;
  readonly workers: ReadonlyMap<string, WorkerState>;
  /** Verdicts on trees, by `treeGateKey`. */
  readonly trees: ReadonlyMap<string, TreeVerdict>;
  /** Workers with a review by an agent that has not ended. */
  readonly reviewing: readonly string[];
  /** Workers in the order in which they were merged. */
  readonly mergedOrder: readonly string[];
  /** What czar last wrote into the user's repository, by full ref name. */
  readonly published: Readonly<Record<string, string>>;
  readonly diverged: Readonly<Record<string, string>>;
  /** What was pushed, or could not be and is not tried again, by full ref name. */
  readonly pushed: Readonly<Record<string, string>>;
  readonly landing: Landing | null;
  /** The pull request that it became; null without one. */
  readonly pull: PullState | null;
  /** Trees that a person wants made or taken away, and that are not yet. */
  readonly tending: readonly { readonly worker: string; readonly want: 'made' | 'removed' }[];
  readonly landed: {
    readonly target: string;
    readonly commit: string;
    /** Commit of integration that it brought home. */
    readonly tip: string;
    readonly at: number;
  } | null;
  /** From where beside the files its configuration comes; null for nowhere. */
  readonly sources: RunSources | null;
  /** What its workers have used. */
  readonly spent: Spend;
  /** The last day on which it spent or added anything; null before the first. */
  readonly day: DayState | null;
  /** The one before that; null when there is none. */
  readonly dayBefore: DayState | null;
  /** What was added to its budget. */
  readonly raised: Spend;
  /** Share of its budget that was told of last. */
  readonly told: number;
  /** What was last told of the machine; null while that makes no difference. */
  readonly machine: Machine | null;
  /** Agents of its plan that are not installed, whose fallbacks take their place. */
  readonly missing: readonly string[];
  /** Agents without quota whose place another may take, with the worker that was turned away. */
  readonly turnedAway: Readonly<
    Record<string, { readonly until: number; readonly worker: string }>
  >;
  /** What its workers used of resources with a rate, in the minute before the last such use. */
  readonly rates: readonly RateUse[];
  /** Workers that stood in the merge queue when it last stopped to test batches: what was begun together stays so. */
  readonly batched: readonly string[];
  /** Failures of effects since they last succeeded, by intent key. */
  readonly troubles: Readonly<
    Record<string, { readonly tries: number; readonly at: number; readonly error: string }>
  >;
}

export interface Landing extends LandPlan {
  /** The target enters integration, not the other way round: `onto` is integration then, and `tip` the target. */
  readonly sync?: true;
  readonly onto: string;
  readonly tip: string;
  readonly date: number;
  /** Workers whose work was merged when it began, in their order. */
  readonly held: readonly string[];
  readonly built: { readonly commit: string; readonly tree: string } | null;
  readonly checking: boolean;
}

export interface TaskState {
  readonly task: string;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
  /** What its agent calls it in its own list; absent where it does not. */
  readonly ref?: string;
}

/** What a running attempt waits for an answer to. */
export interface Ask {
  /** Its own name for it, `p1` or `q1`. */
  readonly id: string;
  readonly what:
    | { readonly kind: 'permission'; readonly request: PermissionRequest }
    | { readonly kind: 'question'; readonly text: string };
  readonly at: number;
  /** What follows when nobody answers for so long, milliseconds. */
  readonly afterMs: number;
  readonly instead: 'deny' | 'fail';
  readonly answer: {
    readonly decision: 'allow' | 'deny';
    readonly text: string | null;
    readonly by: Principal;
  } | null;
  /** Whether the answer lies where its attempt looks for it. */
  readonly delivered: boolean;
}

/** Where an attempt stands. It is live from `tree` to `running`. */
export type AttemptPhase = 'tree' | 'setup' | 'launch' | 'running' | 'ended' | 'collected';

export interface AttemptState {
  readonly n: number;
  readonly phase: AttemptPhase;
  readonly startedAt: number;
  readonly endedAt: number | null;
  /** Whether it goes on in the tree of the attempt before. */
  readonly continues: boolean;
  /** Who makes it, when that is not the worker's own agent, with why; else null. */
  readonly agent: { readonly name: string; readonly why: string } | null;
  /** Whether a check slot was granted for its setup. */
  readonly setupGranted: boolean;
  readonly base: string | null;
  readonly process: ProcessIdentity | null;
  /** Whether it has told what it used. */
  readonly reported: boolean;
  /** What it has told so far. */
  readonly used: Usage;
  /** Present once something was counted on the way to its provider: then what it tells itself of tokens does not count. */
  readonly metered?: true;
  readonly end: AttemptEnd | null;
  readonly judgement: Judgement | null;
  readonly lastWords: readonly string[];
  /** What the agent said that ends its turn: the last `blocked` or `ask`. */
  readonly stopWord: { readonly kind: 'blocker' | 'question'; readonly text: string } | null;
  /** What it waits, or has waited, for an answer to, oldest first: what is open, and the last that are settled. */
  readonly asks: readonly Ask[];
  readonly reportOffset: number;
  readonly outputOffset: number;
}

export interface MergeState {
  readonly base: string;
  readonly tip: string;
  readonly date: number;
  readonly built: { readonly commit: string; readonly tree: string } | null;
  /** Whether a check slot was granted for its tree gates. */
  readonly checking: boolean;
}

/** Something the agent is told in its next prompt, word for word. */
export interface Note {
  readonly kind: 'answer' | 'note' | 'finding' | 'failure' | 'interrupted' | 'kept';
  readonly text: string;
  readonly at: number;
  /** Present when it was said after the last prompt was written. */
  readonly late?: true;
}

export interface Activity {
  readonly at: number;
  readonly text: string;
}

export interface WorkerState {
  readonly id: string;
  readonly state: WorkerStateName;
  /** State that it came from, and since when it is in this one. */
  readonly from: WorkerStateName | null;
  readonly since: number;
  readonly reason: string;
  readonly block: Block | null;
  /** Root of a failure that travelled here. */
  readonly blockedBy: string | null;
  /** Since when it has been ready without a start: what aging counts. */
  readonly readySince: number | null;
  /** No start before this time (backoff), milliseconds since 1970. */
  readonly notBefore: number | null;
  /** Dependencies that were sent back after this worker started on less than `complete`. */
  readonly superseded: readonly string[];
  /** Whether its ownership claim is taken. */
  readonly claims: boolean;
  readonly inputsChecked: boolean;
  /** Attempts ever made. */
  readonly attempts: number;
  /** Failed attempts since the start or the last retry. */
  readonly failures: number;
  readonly lostInRow: number;
  /** Every time that findings sent it back, the newest last, and how many of them count since the last retry. */
  readonly reworks: readonly Rework[];
  readonly reworksUsed: number;
  /** What its reviewers do and said; null before the first review. */
  readonly review: ReviewState | null;
  /** Attempts in a row that ended because the provider had no more. */
  readonly quotaInRow: number;
  /** The last session of an agent, for the next attempt to go on with; null when there is none, or it begins anew. */
  readonly session: { readonly agent: string; readonly id: string } | null;
  readonly attempt: AttemptState | null;
  /** Whether the next attempt starts in a clean tree, and whether there is a tree to continue. */
  readonly nextClean: boolean;
  /** What was said of the launch of one attempt, asked for with one definition. */
  readonly approval: {
    readonly attempt: number;
    /** Hash of the definition. */
    readonly definition: string;
    readonly state: 'asked' | 'granted' | 'denied';
    readonly at: number;
  } | null;
  readonly branch: string | null;
  readonly worktree: string | null;
  readonly stop: {
    readonly to: StopTarget;
    readonly reason: string;
    readonly withRun: boolean;
  } | null;
  /** Whether it was paused because its run was, and goes on with it. */
  readonly pausedWithRun: boolean;
  /** What was collected last; null before, and again when the tree must be collected anew. */
  readonly work: Work | null;
  /** Whether a person said that the tree as it stands is the work. */
  readonly submitted: boolean;
  /** Whether a check slot was granted for its verify on the branch. */
  readonly checking: boolean;
  readonly verdicts: readonly ChangeVerdict[];
  readonly approvals: readonly { readonly path: string; readonly patch: string }[];
  /** When it entered the merge queue. */
  readonly queuedAt: number | null;
  readonly merge: MergeState | null;
  /** Tip that conflicted with integration last; null when none did. */
  readonly conflicted: string | null;
  /** What its resolution of a conflict did with the lines of others; null before one. */
  readonly resolution: EventData['merge.resolved'] | null;
  /** Whether it conflicted with a candidate ahead of it, so that its next merge is built on integration itself. */
  readonly aside: boolean;
  readonly merged: { readonly commit: string; readonly tree: string; readonly at: number } | null;
  readonly mergedFacts: {
    readonly created: number;
    readonly modified: number;
    readonly deleted: number;
    readonly commits: number;
  } | null;
  readonly noChange: boolean;
  /** Whether skipping it satisfied its edges. */
  readonly satisfies: boolean;
  readonly kept: readonly KeptWork[];
  /** What was kept and a person wants no more, under the name that it has until a prune. */
  readonly dropped: readonly DroppedWork[];
  readonly usage: Usage & { readonly source: 'reported' | 'metered' | 'estimated' | 'none' };
  /** What was added to its budget. */
  readonly raised: Spend;
  /** Share of its budget that was told of last. */
  readonly told: number;
  readonly tasks: readonly TaskState[];
  readonly handoff: string | null;
  readonly notes: readonly Note[];
  /** What happened last, newest last: at most `activityKept` lines. */
  readonly latest: readonly Activity[];
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

/** Definition of a worker of the run; throws when the id is not of this plan, which is a bug. */
export function definitionOf(run: Pick<RunState, 'id' | 'plan'>, id: string): WorkerDefinition {
  const found = definitions(run.plan).get(id);
  if (found === undefined) throw new Error(`no worker ${id} in the plan of run ${run.id}`);
  return found;
}

/** Whether a launch of the worker waits for a person. */
export function needsApproval(run: RunState, id: string): boolean {
  return run.approve || definitionOf(run, id).approve === true;
}

/** What was said of the worker's next attempt, as it is defined now; null when nobody was asked. */
export function approvalOf(
  run: RunState,
  { id, approval, attempts }: WorkerState,
): WorkerState['approval'] {
  if (approval === null || approval.attempt !== attempts + 1) return null;
  return approval.definition === definitionOf(run, id).hash ? approval : null;
}

/** Whether the worker stands still until a person says that it may start. */
export function awaitsApproval(run: RunState, worker: WorkerState): boolean {
  return (
    worker.state === 'ready' &&
    needsApproval(run, worker.id) &&
    approvalOf(run, worker)?.state === 'asked'
  );
}

const byPlan = new WeakMap<Plan, ReadonlyMap<string, WorkerDefinition>>();

/** Whether the worker is of the run's plan: one that an amendment took out is not. */
export function isPlanned({ plan }: Pick<RunState, 'plan'>, id: string): boolean {
  return plan.removed?.every((one) => one.id !== id) ?? true;
}

/** Workers that the run's plan has: those that amendments took out do not count. */
export function workersOf(run: Pick<RunState, 'plan' | 'workers'>): readonly WorkerState[] {
  return run.plan.workers.flatMap(({ id }) => run.workers.get(id) ?? []);
}

/** Definitions of a plan by id, also of workers that were taken out; built once for each plan. */
export function definitions(plan: Plan): ReadonlyMap<string, WorkerDefinition> {
  const known = byPlan.get(plan);
  if (known !== undefined) return known;
  const all = [...plan.workers, ...(plan.removed ?? [])];
  const map = new Map(all.map((worker) => [worker.id, worker]));
  byPlan.set(plan, map);
  return map;
}

/** Whether the run can still change by itself or by a person's word. */
export function isRunLive(run: RunState): boolean {
  return run.state === 'running' || run.state === 'waiting' || run.state === 'paused';
}
