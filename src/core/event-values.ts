/** What events hold: blocks, verdicts, work, ends of attempts. Plain values, the same in the log and in the state. */
import type { WorkerStateName } from './lifecycle.ts';

/** Who asked for something: the user, czar by a rule, or an agent. */
export type Principal = 'user' | 'policy' | 'agent';

/** Every worker transition says where it came from and why. */
export interface Entered {
  readonly from: WorkerStateName | null;
  readonly reason: string;
}

/** What blocks a worker, and in which step it was blocked. */
export type BlockKind =
  | 'dependency'
  | 'inputs'
  | 'when'
  | 'question'
  | 'blocker'
  | 'lost'
  | 'gate'
  | 'inconclusive'
  | 'protect'
  | 'nothing_changed'
  | 'conflict'
  | 'review'
  | 'infrastructure'
  | 'budget'
  | 'denied';

export type BlockStep = 'pending' | 'ready' | 'attempt' | 'verifying' | 'reviewing' | 'merging';

export interface Block {
  readonly kind: BlockKind;
  readonly step: BlockStep;
  /** One sentence for a person. */
  readonly text: string;
  /** Word for word what gates, git or the agent said. */
  readonly findings: readonly string[];
  /** Files concerned: conflicts, violations, missing inputs. */
  readonly files: readonly string[];
}

/** A process that is surely the one meant: pid, start time and boot. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
  readonly boot: string;
}

export type GateName = 'deliverables' | 'handoff' | 'ownership' | 'protect' | 'verify' | 'checks';
export type VerdictResult = 'pass' | 'fail' | 'inconclusive';

/** Bound to the tip and the patch of a branch. */
export interface ChangeVerdict {
  readonly gate: 'deliverables' | 'handoff' | 'ownership' | 'protect';
  readonly result: VerdictResult;
  readonly tip: string;
  readonly patch: string;
  readonly definition: string;
  readonly findings: readonly string[];
  readonly files: readonly string[];
}

/** One command that judges a tree, with what prepares the tree for it. */
export interface TreeGate {
  readonly gate: 'verify' | 'checks';
  readonly command: string;
  readonly setup: readonly string[];
  /** The worker whose `verify` it is; null for the run's `checks`. */
  readonly owner: string | null;
}

/** Bound to tree, command and setup: an equal tree is not tested twice. */
export interface TreeVerdict {
  readonly gate: 'verify' | 'checks';
  readonly result: VerdictResult;
  readonly tree: string;
  readonly command: string;
  readonly setup: readonly string[];
  readonly findings: readonly string[];
  /** Output of the command, relative to the home; null when there is none. */
  readonly log: string | null;
  readonly durationMs: number;
  /** Tries that it took, where the first did not pass and others were allowed; absent for one. */
  readonly tries?: number;
  /** The command was in quarantine: it did not pass, and that judged nothing. */
  readonly quarantined?: true;
}

export type Severity = 'critical' | 'high' | 'medium' | 'low';

/** What a reviewer found; `file` is null when it is of the whole, `line` counts from 1. */
export interface ReviewFinding {
  readonly severity: Severity;
  readonly file: string | null;
  readonly line: number | null;
  readonly text: string;
}

/** What a reviewing agent came to. A verdict; or why there is none: when it may be asked again (null for now), and whether that is its own fault. */
export type ReviewerSaid =
  | {
      readonly kind: 'verdict';
      readonly result: 'approve' | 'changes_requested';
      readonly text: string;
      readonly findings: readonly ReviewFinding[];
    }
  | {
      readonly kind: 'none';
      readonly reason: string;
      readonly notBefore: number | null;
      readonly counts: boolean;
    };

/** What a reviewer says of a change, bound to the tip and the patch that it looked at. */
export interface ReviewWord {
  /** `user`, or the name of the agent. */
  readonly reviewer: string;
  readonly by: Principal;
  /** Number of the worker's review by an agent; null for a person's. */
  readonly n: number | null;
  readonly tip: string;
  readonly patch: string;
  readonly definition: string;
  readonly text: string;
  readonly findings: readonly ReviewFinding[];
}

/** A file that is not committed on an agent's behalf. */
export interface LeftOut {
  readonly path: string;
  readonly why: string;
  /** Its copy, relative to the checkout; null when there is none. Absent for what was carried into the tree. */
  readonly aside?: string | null;
}

export interface KeptWork {
  /** `refs/czar/kept/<run>/<worker>/<n>`. */
  readonly ref: string;
  readonly commit: string;
  readonly files: readonly string[];
  /** Files that were not stored. */
  readonly leftOut: readonly LeftOut[];
  readonly why: string;
}

/** One path that a worker changed; `before` and `after` are blob ids ('' where there is none), its patch identity. */
export interface ChangedPath {
  readonly path: string;
  readonly status: 'A' | 'M' | 'D' | 'T';
  readonly before: string;
  readonly after: string;
}

/** Identity of the patch of one path: what a person's approval of a protected path is bound to. */
export function pathPatch(changed: ChangedPath): string {
  return `${changed.before}..${changed.after}`;
}

/** What a worker's tree holds, as git in the mirror sees it. */
export interface Work {
  /** Commit the branch stands at. */
  readonly tip: string;
  /** Commit the attempt started from. */
  readonly base: string;
  readonly tree: string;
  /** Identity of the change `integration...tip`: equal patches have equal ids; '' when nothing changed. */
  readonly patch: string;
  /** Commits on the branch that integration does not have. */
  readonly commits: number;
  readonly changed: readonly ChangedPath[];
  /** The commit that czar made of what the agent left uncommitted, or null. */
  readonly committedFor: { readonly commit: string; readonly files: readonly string[] } | null;
  readonly kept: readonly KeptWork[];
}

/** Whose budget. */
export type BudgetScope = 'worker' | 'run' | 'day';

/** What counts against budgets. */
export interface Spend {
  /** Fresh input and output. */
  readonly tokens: number;
  readonly costUsd: number;
}

/** The machine that the loop runs on. Sizes in bytes; `disk` is the file system with the least space free. */
export interface Machine {
  readonly cpu: number;
  readonly memory: number;
  readonly disk: number;
  readonly free: number;
}

export interface Usage {
  /** Fresh input, without cached reads. */
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly costUsd: number;
}

/** One line of an attempt's report file, or of its output, already validated. */
export type Report =
  /** `listed`: read off a list that the agent tells whole each time, so that it counts once. */
  | { readonly kind: 'task-start'; readonly task: string; readonly listed?: true }
  | { readonly kind: 'task-complete'; readonly task: string; readonly listed?: true }
  /** A task that the agent has made in a list of its own, and what it calls it there. */
  | { readonly kind: 'task-listed'; readonly task: string; readonly ref: string }
  | { readonly kind: 'task-moved'; readonly ref: string; readonly to: 'started' | 'completed' }
  | { readonly kind: 'checkpoint'; readonly name: string }
  | { readonly kind: 'blocked'; readonly text: string }
  /** With `wait` its agent waits where it is; without, its turn ends. */
  | {
      readonly kind: 'ask';
      readonly text: string;
      readonly wait?: { readonly id: string; readonly ms: number };
    }
  /** It wants to do something that its permissions do not settle, and waits for the answer. */
  | { readonly kind: 'permission'; readonly id: string; readonly request: PermissionRequest }
  /** It waits no longer for an answer. */
  | { readonly kind: 'gave-up'; readonly id: string }
  | { readonly kind: 'handoff'; readonly text: string }
  /** `total`: not what was used since the last one, but by the whole attempt so far. */
  /** `metered`: counted on the way to its provider, not told by the agent. */
  | {
      readonly kind: 'usage';
      readonly usage: Usage;
      readonly total?: true;
      readonly metered?: true;
      /** The model that was asked, where it is told: in its provider's words. */
      readonly model?: string;
    }
  /** The agent's own name for its session. */
  | { readonly kind: 'session'; readonly id: string }
  /** Something that it wanted to do and was not allowed; `detail` is the exact command or path. */
  | { readonly kind: 'denied'; readonly tool: string; readonly detail: string };

/** What an agent wants to do. */
export interface PermissionRequest {
  readonly kind: 'command' | 'edit' | 'read' | 'fetch' | 'other';
  /** In the agent's words. */
  readonly title: string;
  /** The exact command. */
  readonly command?: string;
  /** The exact file, folder or address. */
  readonly path?: string;
}

/** What of the machine an attempt used too much of. */
export type LimitKind = 'processes' | 'memory';

export type AttemptEnd =
  /** The exit line was found. */
  | { readonly how: 'exited'; readonly code: number }
  /** Ended by czar or the kernel: a limit of time, processes or memory, a person, the loop's end, nobody watched. */
  | {
      readonly how: 'stopped';
      readonly why: 'timeout' | 'requested' | 'interrupted' | 'unattended' | LimitKind;
      readonly code: number | null;
    }
  /** No exit line: the exit is unknown and never counts as success. */
  | { readonly how: 'lost'; readonly why: string };

/** What an attempt's end means, as the agent's adapter reads it. */
export type Judgement =
  | { readonly kind: 'well' }
  /** Its provider has no more for it; `until` is when it has again, milliseconds since 1970, null when it did not say. */
  | { readonly kind: 'quota'; readonly reason: string; readonly until: number | null }
  /** `reason` is one sentence; `final` when a repeat cannot mend it. */
  | { readonly kind: 'failed'; readonly reason: string; readonly final: boolean }
  /** Not its own end, or an unknown one: it is continued. */
  | { readonly kind: 'lost'; readonly why: string };

export interface LandPlan {
  readonly target: string;
  readonly mode: 'merge' | 'squash' | 'ff';
  readonly partial: boolean;
}

/** What a run starts from. */
export interface RunBase {
  readonly ref: string;
  readonly commit: string;
  /** Changed files of the checkout that agents do not see. */
  readonly dirty: number;
  /** Changed files of the checkout that `commit` holds as a snapshot; absent when it is a commit of the user's. */
  readonly included?: number;
}

/** A ref that is deleted, and where it stood. */
export interface PrunedRef {
  /** The user's repository, or the mirror. */
  readonly in: 'repository' | 'mirror';
  readonly ref: string;
  readonly commit: string;
}

/** Lines of one file that others brought and a resolution of a conflict removed; `more` are not named. */
export interface RemovedLines {
  readonly path: string;
  readonly lines: readonly string[];
  readonly more: number;
}

/** A worker whose work has entered integration. */
export interface MergedWorker {
  readonly worker: string;
  readonly commit: string;
  readonly tree: string;
  readonly files: {
    readonly created: number;
    readonly modified: number;
    readonly deleted: number;
  };
  readonly commits: number;
}

/** What a verdict on a tree is bound to. */
export function treeGateKey(gate: {
  readonly tree: string;
  readonly command: string;
  readonly setup: readonly string[];
}): string {
  return JSON.stringify([gate.tree, gate.command, gate.setup]);
}

/** What somebody or something said of a pull request: a check that failed, or a comment. */
export interface PullRemark {
  /** The forge's, the same each time. */
  readonly id: string;
  readonly kind: 'check' | 'comment';
  /** Name of the check, or login of the person. */
  readonly by: string;
  /** Path in the repository, and its line; null where it names none. */
  readonly file: string | null;
  readonly line: number | null;
}

/** What becomes a pull request: a branch at a commit, into another branch. */
export interface PullOrder {
  readonly target: string;
  readonly branch: string;
  readonly tip: string;
}
