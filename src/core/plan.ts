/**
 * The plan: what a run executes, after validation. Plain data, the same for every front (worker files, a Czarina
 * folder, later stories and workflows). Nothing here knows a file format; `src/plan/` produces it.
 *
 * Everything is resolved: defaults filled in, `all` expanded to edges, agents chosen, durations in milliseconds.
 */

export type WorkerKind = 'worker' | 'story' | 'step' | 'task';
export type Priority = 'critical' | 'high' | 'normal' | 'low';
export type EdgeKind = 'output' | 'knowledge' | 'sequential';
/** How far a dependency must have come. `approved` without a review means the same as `verified`. */
export type Requirement = 'verified' | 'approved' | 'complete';

export interface Edge {
  readonly on: string;
  readonly kind: EdgeKind;
  readonly requires: Requirement;
  /** Whether a skipped dependency satisfies the edge. */
  readonly allowSkipped: boolean;
  /** Paths that must exist in the dependent's tree before it starts (output edges). */
  readonly inputs: readonly string[];
  readonly reason: string | null;
  /** Where the edge comes from: written out, the word `all`, or a phase barrier of a Czarina project. */
  readonly via: 'explicit' | 'all' | 'phase';
}

export interface Budget {
  readonly tokens: number | null;
  readonly costUsd: number | null;
  readonly realityMultiplier: number;
  /** Tokens at which the worker stops; null means tokens × realityMultiplier. */
  readonly limit: number | null;
  readonly onExceeded: 'block' | 'fail' | 'warn';
}

/** What may be spent; null where there is no limit. */
export interface Limits {
  readonly tokens: number | null;
  readonly costUsd: number | null;
}

/** What a million tokens cost, USD. */
export interface Price {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
}

/** Reviewers of a worker: agents in the order in which they are asked, then a person. */
export interface Review {
  readonly agents: readonly string[];
  readonly person: boolean;
  /** Approvals that are needed. */
  readonly quorum: number;
}

export interface Retry {
  /** Failed attempts until the worker is failed; at least 1. */
  readonly maxAttempts: number;
  readonly backoff: 'exponential' | 'linear' | 'fixed';
  readonly initialMs: number;
  readonly maxMs: number;
  readonly from: 'clean' | 'continue';
}

/**
 * How a worker takes part in a resource. `share`: it takes its amount. `read`: with other readers, never with a writer.
 * `write`: never with a reader or writer. `exclusive`: alone.
 */
export type ResourceMode = 'share' | 'read' | 'write' | 'exclusive';

/** What an attempt takes of a resource: pieces, bytes of memory and disk, requests at once of what has a rate. */
export interface ResourceRequest {
  readonly amount: number;
  readonly mode: ResourceMode;
}

/** What there is of a resource; null where it is not limited. */
export interface Capacity {
  /** At the same time; of `cpu`, `memory` and `disk` null means what the machine has. */
  readonly amount: number | null;
  readonly requestsPerMinute: number | null;
  readonly tokensPerMinute: number | null;
}

/** What an attempt may use at once; null without a limit. */
export interface AttemptLimits {
  /** Processes and their threads. */
  readonly processes: number | null;
  readonly memoryBytes: number | null;
}

export interface WorkerDefinition {
  readonly id: string;
  readonly kind: WorkerKind;
  /** File that defines it, relative to the repository root, and the line where the definition begins. */
  readonly source: { readonly file: string; readonly line: number };
  readonly role: string | null;
  readonly mission: string | null;
  readonly firstAction: string | null;
  /** Free text for the agent: the Markdown below the front matter. */
  readonly instructions: string;
  readonly agent: { readonly name: string; readonly why: string };
  /** Who takes its place when it is not installed or has no quota, in this order; absent when nobody does. */
  readonly fallback?: readonly string[];
  /** For its agent; one that takes its place uses its own. */
  readonly model: string | null;
  /** Branch name as written; null means `czar/<run>/<id>`. */
  readonly branch: string | null;
  readonly workspace: 'branch' | 'empty';
  readonly edges: readonly Edge[];
  readonly budget: Budget | null;
  readonly deliverables: readonly string[];
  /** Globs it may change; null means anything, and no part in serialisation. */
  readonly owns: readonly string[] | null;
  readonly references: readonly string[];
  readonly tasks: readonly string[];
  readonly successCriteria: readonly string[];
  /** Shell commands that check the work. */
  readonly verify: readonly string[];
  readonly setup: readonly string[];
  readonly teardown: readonly string[];
  readonly copy: readonly string[];
  readonly link: readonly string[];
  readonly handoff: 'required' | 'optional';
  /** Who must approve a change before it is merged; absent when nobody must. */
  readonly review?: Review;
  readonly priority: Priority;
  readonly retry: Retry;
  readonly timeoutMs: number | null;
  /** Silence after which a live attempt counts as stalled, and what follows; absent when that is not looked at. */
  readonly stall?: { readonly afterMs: number; readonly restart: boolean };
  /** What an attempt may use of the machine; absent for the default alone. */
  readonly limits?: AttemptLimits;
  /** CEL expression; null means always. */
  readonly when: string | null;
  readonly labels: Readonly<Record<string, string>>;
  /** What each attempt takes from its start to its end, by name; absent when that is nothing. */
  readonly resources?: Readonly<Record<string, ResourceRequest>>;
  /** Each launch waits for a person; absent when it does not. */
  readonly approve?: true;
  /** What happens when nobody answers for so long; absent when it waits. */
  readonly unanswered?: {
    readonly instead: 'deny' | 'skip' | 'fail';
    readonly afterMs: number;
  };
  /** Hash of this definition: what approvals and verdicts are bound to. */
  readonly hash: string;
}

/** How a program is spoken to: any program, one that speaks the Agent Client Protocol, or one whose own is known. */
export type AdapterName = 'command' | 'acp' | 'claude' | 'codex';

/** How an agent is started. */
export interface AgentDefinition {
  readonly name: string;
  readonly adapter: AdapterName;
  /**
   * Program and arguments. With the adapter `command`, `{prompt}`, `{prompt_file}` and `{worktree}` are replaced, never
   * through a shell; the others add what they need.
   */
  readonly command: readonly string[];
  /** Names of environment variables it is given beside the allow-list. */
  readonly env: readonly string[];
  /** It has a home folder of its own, with copies of these of the user's; absent for the user's home. */
  readonly home?: { readonly files: readonly string[] };
  /** Its tokens are counted on their way between it and its provider; absent for as it reports them. */
  readonly meter?: true;
}

/** Somebody who is told of events, and how. Secrets stand here by the name of their environment variable alone. */
export interface NotifyTarget {
  readonly to:
    | { readonly kind: 'command'; readonly argv: readonly string[] }
    | { readonly kind: 'webhook'; readonly url: string; readonly secretEnv: string }
    | { readonly kind: 'desktop' };
  /** Types of events. */
  readonly events: readonly string[];
  /** Only the events of these workers, and those of no worker; absent for all. */
  readonly workers?: readonly string[];
}

/** What agents may do without asking. */
export interface Permissions {
  /** Files in their tree; also the commands of `allow`; everything. */
  readonly policy: 'read' | 'edit' | 'work' | 'full';
  /** Commands, `*` for anything. */
  readonly allow: readonly string[];
}

export interface Policies {
  /** Names of variables whose values are secrets, beside those that look like it; absent when there are none. */
  readonly redact?: readonly string[];
  /** What agents may do; absent for `work` with the usual commands. */
  readonly permissions?: Permissions;
  /** Limits of the run and of the day (UTC); absent when there are none. */
  readonly budget?: { readonly run: Limits; readonly day: Limits };
  /** By model or agent, for agents that do not tell what they cost; absent when none is known. */
  readonly prices?: Readonly<Record<string, Price>>;
  /** Who is told of what; absent when nobody is. */
  readonly notify?: readonly NotifyTarget[];
  /** What there is of things that workers share, by name; absent when nothing is declared. */
  readonly resources?: Readonly<Record<string, Capacity>>;
  /** Free space below which nothing starts, bytes; absent for 1 GB, or a tenth of a smaller disk. */
  readonly diskReserveBytes?: number;
  /** Whether branches of merged workers, and what has landed, are pushed to `origin`; absent when they are not. */
  readonly push?: true;
  /** How working trees are tied to a repository; absent for a clone each. */
  readonly isolation?: 'worktree';
  /** How often findings send a worker back to its agent; absent for 3. */
  readonly maxRework?: number;
  /** Between two starts of the same provider, milliseconds; absent for the usual 200. */
  readonly staggerMs?: number;
  readonly maxParallel: number;
  readonly maxParallelChecks: number;
  readonly barrier: 'none' | 'wave';
  readonly ownership: 'serialize' | 'warn';
  /** A ready worker gains one priority level for every such span of waiting, milliseconds. */
  readonly agingMs: number;
  /** Tree gates of the run: shell commands on the combined tree. */
  readonly checks: readonly string[];
  /** How often a command that failed is tried again on the same tree, because it is known to be flaky; absent for never. */
  readonly checkRetries?: number;
  /** How the merge queue tests; absent for one merge after another. */
  readonly mergeQueue?: 'batch' | 'speculative';
  /** Commands of `checks` and `verify` that are run and shown and judge nothing, because they are known to be flaky; absent for none. */
  readonly quarantine?: readonly string[];
  /** Prepares a check tree for `checks` (shell commands), and every worker without a `setup` of its own. */
  readonly setup: readonly string[];
  /** Globs whose change needs a person, per path. */
  readonly protect: readonly string[];
  /** An attempt that no loop watched for so long ends itself, milliseconds. */
  readonly unattendedMs: number;
  /** Time limit of one check or setup command, milliseconds. */
  readonly checkTimeoutMs: number;
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number;
  /** Files above this size are kept aside, never committed on an agent's behalf, bytes. */
  readonly maxFileBytes: number;
  /** What an attempt may bring into the mirror, bytes; absent for 1 GB. */
  readonly maxWorkBytes?: number;
}

export interface Plan {
  /** Project name, for display. */
  readonly name: string;
  /** Hash over everything below but the limits: the revision of the plan. */
  readonly revision: string;
  /** In plan order (PRODUCT: priority, then file name and position, then id). */
  readonly workers: readonly WorkerDefinition[];
  /** Workers that amendments took out of a run's plan, as they were; absent when there are none. */
  readonly removed?: readonly WorkerDefinition[];
  readonly agents: Readonly<Record<string, AgentDefinition>>;
  readonly policies: Policies;
  /** For each worker that owns something, the others whose claims overlap with its own. */
  readonly overlaps: Readonly<Record<string, readonly string[]>>;
}

/** Tokens at which a worker's budget is used up, or null when it has none. */
export function tokenLimit(budget: Budget | null): number | null {
  if (budget === null) return null;
  if (budget.limit !== null) return budget.limit;
  return tokenForecast(budget);
}

/** Tokens that the worker is expected to need in reality. */
export function tokenForecast(budget: Budget | null): number | null {
  if (budget === null || budget.tokens === null) return null;
  return Math.round(budget.tokens * budget.realityMultiplier);
}
