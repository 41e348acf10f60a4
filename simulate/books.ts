/** What the checker's ledger holds of a run and of each worker, and the plain questions about it. */
import type {
  EventData,
  Block,
  ChangeVerdict,
  KeptWork,
  LandPlan,
  TreeGate,
  Work,
} from '../src/core/events.ts';
import type { Edge, Plan, WorkerDefinition } from '../src/core/plan.ts';
import type { WorkerStateName } from '../src/core/lifecycle.ts';

export interface WorkerBook {
  readonly id: string;
  definition: WorkerDefinition;
  state: WorkerStateName;
  /** When it entered its state. */
  since: number;
  attempt: number;
  phase: 'tree' | 'setup' | 'launch' | 'running' | 'ended' | 'collected';
  /** Edges that were satisfied at some moment, by position. */
  readonly satisfied: Set<number>;
  notBefore: number;
  /** Name of the agent of its last attempt. */
  agent: string;
  /** Whether its agent's provider turned it away, and it waits for that. */
  turnedAway: boolean;
  inputsChecked: boolean;
  claims: boolean;
  /** Whether the last attempt goes on in the tree of the one before, which its agent may have rewritten. */
  continues: boolean;
  readonly superseded: Set<string>;
  blockedBy: string | null;
  block: Block | null;
  merge: { base: string; tip: string; commit: string | null; tree: string | null } | null;
  merged: EventData['worker.merged'] | null;
  /** Its tip when it last conflicted with integration. */
  conflicted: string | null;
  /** Whether its work is what a person submitted. */
  submitted: boolean;
  /** Whether the log says that its last resolution removed lines of others. */
  removes: boolean;
  work: Work | null;
  change: ChangeVerdict[];
  readonly approvals: { path: string; patch: string }[];
  readonly kept: KeptWork[];
  /** What a person dropped: the name that it has since, and its commit. */
  readonly dropped: { readonly ref: string; readonly commit: string }[];
  handoff: boolean;
  /** Fresh input tokens of the last attempt, as the log counts them. */
  counted: number;
  refused: number;
  failures: number;
  /** Number of the review that goes on. */
  reviewing: number | null;
  /** Words of reviewers on what is its work now. */
  reviews: {
    readonly by: string;
    readonly tip: string;
    /** Hash of the definition that it was judged by. */
    readonly definition: string;
    readonly approves: boolean;
  }[];
  /** Times that findings sent it back since the last retry, and what for last. */
  reworks: number;
  lost: number;
  satisfies: boolean;
  noChange: boolean;
  stopAsked: boolean;
  /** What its attempt asked, by id. */
  readonly asks: Map<
    string,
    { readonly at: number; readonly afterMs: number; answer: string | null; delivered: boolean }
  >;
  /** What was said last of the launch of an attempt. */
  approval: {
    attempt: number;
    definition: string;
    said: 'requested' | 'granted' | 'denied';
    at: number;
  } | null;
}

/** What the log says of a run's pull request. */
export interface PullBook {
  state: 'asked' | 'open' | 'closed';
  /** What it shows. */
  shown: string | null;
  /** Ids of what went back. */
  readonly said: Set<string>;
  /** Workers that mend, with whose work. */
  readonly followUps: Map<string, string>;
}

export interface RunBook {
  readonly id: string;
  plan: Plan;
  readonly workers: Map<string, WorkerBook>;
  readonly waves: ReadonlyMap<string, number>;
  state: string;
  tip: string | null;
  cancelling: boolean;
  /** Agents that are not installed. */
  missing: readonly string[];
  /** Agents without quota whose place others take, with the worker that was turned away. */
  readonly away: Map<string, { readonly until: number; readonly worker: string }>;
  /** Whether every launch waits for a person. */
  approve: boolean;
  readonly merged: string[];
  /** Whether its queue ever tested batches. */
  batches: boolean;
  /** Trees that a person wants made or removed. */
  readonly tending: Map<string, 'made' | 'removed'>;
  landing:
    | (LandPlan & {
        onto: string;
        tip: string;
        sync?: true;
        /** How many had been merged when it began. */
        members: number;
        commit: string | null;
        tree: string | null;
      })
    | null;
  /** What landed, `REF COMMIT`. */
  readonly landed: Set<string>;
  pull: PullBook | null;
  /** Last result of each gate on each tree, as the log has it. */
  readonly trees: Map<string, string>;
}

/** The book of a run that begins. */
export function openBook(id: string, plan: Plan, approve: boolean): RunBook {
  const workers = new Map(plan.workers.map((one) => [one.id, openWorker(one)]));
  const waves = new Map<string, number>();
  const wave = (worker: string): number => {
    const known = waves.get(worker);
    if (known !== undefined) return known;
    const edges = workers.get(worker)?.definition.edges ?? [];
    const found = 1 + Math.max(0, ...edges.map((edge) => wave(edge.on)));
    waves.set(worker, found);
    return found;
  };
  for (const one of plan.workers) wave(one.id);
  return {
    id,
    plan,
    workers,
    waves,
    state: 'running',
    tip: null,
    tending: new Map(),
    cancelling: false,
    missing: [],
    away: new Map(),
    approve,
    merged: [],
    batches: plan.policies.mergeQueue === 'batch',
    landing: null,
    landed: new Set(),
    pull: null,
    trees: new Map(),
  };
}

function openWorker(definition: WorkerDefinition): WorkerBook {
  return {
    id: definition.id,
    definition,
    state: 'pending',
    since: 0,
    attempt: 0,
    phase: 'tree',
    satisfied: new Set(),
    notBefore: 0,
    agent: definition.agent.name,
    turnedAway: false,
    inputsChecked: false,
    claims: false,
    continues: false,
    superseded: new Set(),
    blockedBy: null,
    block: null,
    merge: null,
    merged: null,
    conflicted: null,
    submitted: false,
    removes: false,
    work: null,
    change: [],
    approvals: [],
    kept: [],
    dropped: [],
    handoff: false,
    counted: 0,
    refused: 0,
    failures: 0,
    reviewing: null,
    reviews: [],
    reworks: 0,
    lost: 0,
    satisfies: false,
    noChange: false,
    stopAsked: false,
    asks: new Map(),
    approval: null,
  };
}

export function isLive(worker: WorkerBook): boolean {
  return worker.state === 'starting' || worker.state === 'active';
}

export function isOver(worker: WorkerBook): boolean {
  return (
    ['complete', 'failed', 'skipped', 'cancelled'].includes(worker.state) ||
    (worker.state === 'blocked' && worker.blockedBy !== null)
  );
}

export function treeKey(tree: string, gate: Pick<TreeGate, 'command' | 'setup'>): string {
  return JSON.stringify([tree, gate.command, gate.setup]);
}

/** What a person said of the worker's next launch; null when it needs nobody's word, or nobody was asked. */
export function saidOf(
  run: RunBook,
  worker: WorkerBook,
): 'requested' | 'granted' | 'denied' | null {
  if (!mustAsk(run, worker)) return null;
  const { approval, definition, attempt } = worker;
  const current = approval?.attempt === attempt + 1 && approval.definition === definition.hash;
  return current ? (approval?.said ?? null) : null;
}

/** Whether a launch of the worker needs a person's word. */
export function mustAsk(run: RunBook, worker: WorkerBook): boolean {
  return run.approve || worker.definition.approve === true;
}

/** Whether the edge is satisfied as things stand. */
export function edgeHolds(run: RunBook, edge: Edge): boolean {
  const on = run.workers.get(edge.on);
  if (on === undefined) return true;
  if (on.state === 'complete') return true;
  if (on.state === 'merging') return edge.requires !== 'complete';
  if (on.state === 'reviewing') return edge.requires === 'verified';
  return on.state === 'skipped' && (edge.allowSkipped || on.satisfies);
}
