/**
 * Who gets what now: agent slots, check slots, ownership, resources. All that an attempt needs is taken at once, in the event that
 * starts it, or not at all. Slots, claims and resources are shared by all runs of the repository.
 */
import { lacksBudget, reservationOf } from '../budget.ts';
import { spaceLack } from '../disk-space.ts';
import type { NewEvent } from '../events.ts';
import { foreignHolder, takesClaim } from './foreign-claim.ts';
import { isFinal } from '../lifecycle.ts';
import { waveOf } from './order.ts';
import { inUse, lackOf, withStart, type InUse, type ResourceLack } from './resources.ts';
import { subjectOf } from '../decide/review.ts';
import { quotaUntil } from './quota.ts';
import { reviewLacksBudget, reviewOutcome } from '../review.ts';
import { restlessRuns } from '../restless.ts';
import { countIn, workersIn } from '../run-index.ts';
import { noSpend, plus } from '../spend.ts';
import { changePassed, treeOf, tipOf } from '../settle.ts';
import {
  approvalOf,
  definitionOf,
  isRunLive,
  needsApproval,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from '../state.ts';
import { readyOrder, reservedFor, reservers } from './waiting-line.ts';
import { staggerOf, staggerEnd } from './stagger.ts';
import { nextAgent } from './which-agent.ts';
import { toTest } from './merge-chain.ts';
import { branchGates, landGates, openGates } from '../tree-gates.ts';

/** What keeps a ready worker from starting; null when nothing does. */
export type WaitingFor =
  | {
      readonly kind:
        'slot' | 'repository' | 'inputs' | 'barrier' | 'paused' | 'approval' | 'budget';
    }
  | { readonly kind: 'backoff' | 'quota' | 'stagger'; readonly until: number }
  /** `worker` is `<run>/<id>` when it is of another run. */
  | { readonly kind: 'ownership'; readonly worker: string }
  | ({ readonly kind: 'resource' } & ResourceLack);

/** Starts as many ready workers as there are grants for. */
export function grantStarts(
  state: RepositoryState,
  run: RunState,
  now: number,
): readonly NewEvent[] {
  if (run.cancelling || run.state === 'paused') return [];
  let free = freeSlots(state, run);
  if (free <= 0) return [];
  const events: NewEvent[] = [];
  const claimed: string[] = [];
  let granted = noSpend;
  let shared: Shared | null = null;
  const justStarted = new Set<string>();
  for (const worker of readyOrder(run, now)) {
    if (free <= 0) break;
    const { name, why } = nextAgent(state, run, worker.id, now);
    if (justStarted.has(name)) continue;
    if (obstacle(state, run, worker, now) !== null) continue;
    const claims = takesClaim(run, worker.id);
    if (claims && claimed.some((other) => overlap(run, worker.id, other))) continue;
    if (lacksBudget({ state, run, now }, worker, granted)) continue;
    if (spaceLack(run, worker) !== null) continue;
    if (asksFor(run, worker)) {
      shared ??= sharedNow(state, now);
      if (lackIn(shared, run, worker, now) !== null) continue;
      shared = { ...shared, use: withStart(shared.use, run, worker.id, now) };
    }
    granted = plus(granted, reservationOf(run, worker));
    if (claims) claimed.push(worker.id);
    if (staggerOf(run, name) > 0) justStarted.add(name);
    free -= 1;
    const attempt = worker.attempts + 1;
    const continues = worker.attempts > 0 && !worker.nextClean && worker.worktree !== null;
    const reason = continues ? 'continues in its tree' : 'granted';
    events.push({
      type: 'worker.started',
      run: run.id,
      worker: worker.id,
      attempt,
      data: {
        from: 'ready',
        reason,
        attempt,
        continues,
        claims,
        ...(isDirect(run, worker) ? { direct: true } : {}),
        ...(why === null ? {} : { agent: { name, why } }),
      },
    });
  }
  return events;
}

/** Starts reviews by agents, each in a slot of the agents: what is nearly done goes before what is not begun. */
export function grantReviews(
  state: RepositoryState,
  run: RunState,
  now: number,
): readonly NewEvent[] {
  if (run.cancelling || run.state === 'paused' || run.tip === null) return [];
  const waiting = workersIn(run, 'reviewing');
  if (waiting.length === 0) return [];
  let free = freeSlots(state, run);
  const events: NewEvent[] = [];
  for (const worker of waiting) {
    if (free <= 0) break;
    const reviewer = reviewerDue({ state, run, now }, worker);
    if (reviewer === null) continue;
    free -= 1;
    events.push({
      type: 'review.started',
      run: run.id,
      worker: worker.id,
      data: { n: (worker.review?.made ?? 0) + 1, reviewer, ...subjectOf(run, worker) },
    });
  }
  return events;
}

/** The agent whose review of the worker is due now; null when none is. */
function reviewerDue(
  at: { readonly state: RepositoryState; readonly run: RunState; readonly now: number },
  worker: WorkerState,
): string | null {
  const { running = null, notBefore = null } = worker.review ?? {};
  if (running !== null || (notBefore !== null && notBefore > at.now)) return null;
  const outcome = reviewOutcome(at.run, worker);
  if (outcome.kind !== 'agent' || reviewLacksBudget(at, worker)) return null;
  return quotaUntil(at.state, outcome.name, at.now) === null ? outcome.name : null;
}

/** Whether nothing is to be prepared: an empty workspace that nobody has worked in, without commands or files for it. */
function isDirect(run: RunState, worker: WorkerState): boolean {
  const { workspace, copy, link } = definitionOf(run, worker.id);
  return (
    workspace === 'empty' &&
    worker.attempts === 0 &&
    worker.worktree === null &&
    copy.length === 0 &&
    link.length === 0 &&
    setupOf(run, worker.id).length === 0
  );
}

/** What a ready worker waits for, in the order in which it would be told; null when it may start now. */
export function waitingFor(
  state: RepositoryState,
  run: RunState,
  worker: WorkerState,
  now: number,
): WaitingFor | null {
  if (worker.state !== 'ready') return null;
  if (run.state === 'paused') return { kind: 'paused' };
  const found = obstacle(state, run, worker, now);
  if (found !== null) return found;
  if (lacksBudget({ state, run, now }, worker)) return { kind: 'budget' };
  const resource = resourceLack(state, run, worker, now);
  if (resource !== null) return { kind: 'resource', ...resource };
  return freeSlots(state, run) <= 0 ? { kind: 'slot' } : null;
}

/** The resource that a ready worker would have to wait for, with why; null when it could have all that it asks for. */
export function resourceLack(
  state: RepositoryState,
  run: RunState,
  worker: WorkerState,
  now: number,
): ResourceLack | null {
  const space = spaceLack(run, worker);
  if (space !== null) return { name: 'disk', lack: { kind: 'space', ...space } };
  return asksFor(run, worker) ? lackIn(sharedNow(state, now), run, worker, now) : null;
}

function asksFor(run: RunState, { id }: WorkerState): boolean {
  return definitionOf(run, id).resources !== undefined;
}

/** What of resources is in use, and who is to have some first. */
interface Shared {
  readonly use: InUse;
  readonly first: ReturnType<typeof reservers>;
}

const known = new WeakMap<
  RepositoryState,
  Shared & { readonly seq: number; readonly at: number }
>();

/** Found once for each state and time. */
function sharedNow(state: RepositoryState, now: number): Shared {
  const found = known.get(state);
  if (found?.seq === state.seq && found.at === now) return found;
  const use = inUse(state, now);
  const first = reservers(
    state,
    now,
    use,
    (run, worker) =>
      obstacle(state, run, worker, now) === null &&
      spaceLack(run, worker) === null &&
      !lacksBudget({ state, run, now }, worker),
  );
  const shared = { use, first, seq: state.seq, at: now };
  known.set(state, shared);
  return shared;
}

function lackIn(
  { use, first }: Shared,
  run: RunState,
  worker: WorkerState,
  now: number,
): ResourceLack | null {
  return lackOf(run, worker.id, use) ?? reservedFor(first, run, worker, now);
}

function obstacle(
  state: RepositoryState,
  run: RunState,
  worker: WorkerState,
  now: number,
): WaitingFor | null {
  const own = notDue(run, worker, now);
  if (own !== null) return own;
  const { name, until } = nextAgent(state, run, worker.id, now);
  if (until !== null) return { kind: 'quota', until };
  const apart = staggerEnd(state, run, name);
  if (apart !== null && apart > now) return { kind: 'stagger', until: apart };
  if (needsApproval(run, worker.id) && approvalOf(run, worker)?.state !== 'granted')
    return { kind: 'approval' };
  const holder = claimHolder(run, worker);
  if (holder !== null) return { kind: 'ownership', worker: holder };
  const other = foreignHolder(state, run, worker);
  return other === null
    ? null
    : { kind: 'ownership', worker: `${other.run.id}/${other.worker.id}` };
}

/** What of the worker's own keeps it from starting, whatever others hold; null when nothing does. */
export function notDue(run: RunState, worker: WorkerState, now: number): WaitingFor | null {
  if (run.tip === null) return { kind: 'repository' };
  if (worker.notBefore !== null && worker.notBefore > now)
    return { kind: worker.quotaInRow > 0 ? 'quota' : 'backoff', until: worker.notBefore };
  if (!worker.inputsChecked && inputsOf(run, worker.id).length > 0) return { kind: 'inputs' };
  return heldByBarrier(run, worker) ? { kind: 'barrier' } : null;
}

/** Paths that must exist in the tree the worker starts from. */
export function inputsOf(run: RunState, id: string): readonly string[] {
  return definitionOf(run, id).edges.flatMap((edge) => edge.inputs);
}

/** Whether the wave barrier holds the worker: some worker of an earlier wave is neither final nor blocked by failure. */
export function heldByBarrier(run: RunState, worker: WorkerState): boolean {
  if (run.plan.policies.barrier !== 'wave') return false;
  const wave = waveOf(run.plan, worker.id);
  for (const other of run.workers.values()) {
    if (waveOf(run.plan, other.id) < wave && !isFinal(other.state) && other.blockedBy === null)
      return true;
  }
  return false;
}

function freeSlots(state: RepositoryState, run: RunState): number {
  let live = 0;
  for (const one of restlessRuns(state)) {
    live += one.reviewing.length;
    if (isRunLive(one)) live += countIn(one, 'starting', 'active');
  }
  return run.plan.policies.maxParallel - live;
}

function overlap(run: RunState, id: string, other: string): boolean {
  return overlapsOf(run, id).includes(other);
}

/** Workers whose claims overlap with that of one. An id may be a name that every object has. */
function overlapsOf({ plan }: RunState, id: string): readonly string[] {
  return Object.hasOwn(plan.overlaps, id) ? (plan.overlaps[id] ?? []) : [];
}

/**
 * A worker whose claim is in the way. One that waits for superseded dependencies lends its claim to each of them; one that
 * the barrier holds, to those of waves before it.
 */
export function claimHolder(run: RunState, worker: WorkerState): string | null {
  if (!takesClaim(run, worker.id)) return null;
  for (const id of overlapsOf(run, worker.id)) {
    const other = run.workers.get(id);
    if (other === undefined || !other.claims || other.id === worker.id) continue;
    if (other.state === 'merging' && other.superseded.includes(worker.id)) continue;
    if (isWavesBehind(run, other, worker)) continue;
    return other.id;
  }
  return null;
}

/** Whether one is ready and held by the barrier, in a later wave than the other. */
function isWavesBehind(run: RunState, one: WorkerState, other: WorkerState): boolean {
  return (
    one.state === 'ready' &&
    waveOf(run.plan, one.id) > waveOf(run.plan, other.id) &&
    heldByBarrier(run, one)
  );
}

/**
 * Check slots: the merges under way, then work on its branch, then setup of new trees. The landing's check takes one
 * whether one is free or not: a person waits for it, and the slots may be those of workers that no loop goes on with.
 */
export function grantChecks(state: RepositoryState, run: RunState): readonly NewEvent[] {
  const events = landingCheck(run);
  if (!isRunLive(run) || run.state === 'paused') return events;
  let free = run.plan.policies.maxParallelChecks - checksUnderWay(state) - events.length;
  for (const candidate of checkCandidates(run)) {
    if (free <= 0) break;
    free -= 1;
    events.push(candidate);
  }
  return events;
}

function landingCheck(run: RunState): NewEvent[] {
  const { landing } = run;
  if (landing?.built == null || landing.checking) return [];
  if (openGates(run, landGates(run), landing.built.tree).length === 0) return [];
  return [{ type: 'gate.started', run: run.id, data: { subject: 'land', ...landing.built } }];
}

function checkCandidates(run: RunState): readonly NewEvent[] {
  const merges: NewEvent[] = toTest(run).flatMap(({ worker: { id, merge } }) =>
    merge?.built == null
      ? []
      : [
          {
            type: 'gate.started',
            run: run.id,
            worker: id,
            data: { subject: 'merge', ...merge.built },
          },
        ],
  );
  const branches: NewEvent[] = [];
  const setups: NewEvent[] = [];
  for (const worker of workersIn(run, 'starting', 'verifying')) {
    const place = { run: run.id, worker: worker.id };
    if (
      !worker.checking &&
      changePassed(run, worker) &&
      openGates(run, branchGates(run, worker.id), treeOf(worker)).length > 0
    ) {
      branches.push({
        type: 'gate.started',
        ...place,
        data: { subject: 'branch', commit: tipOf(worker), tree: treeOf(worker) },
      });
    }
    const { attempt } = worker;
    if (
      worker.state === 'starting' &&
      attempt?.phase === 'setup' &&
      !attempt.setupGranted &&
      setupOf(run, worker.id).length > 0
    ) {
      setups.push({ type: 'attempt.setup_started', ...place, attempt: attempt.n, data: {} });
    }
  }
  return [...merges, ...branches, ...setups];
}

/** Commands that prepare the worker's tree. */
export function setupOf(run: RunState, id: string): readonly string[] {
  const definition = definitionOf(run, id);
  return definition.setup.length > 0 ? definition.setup : run.plan.policies.setup;
}

function checksUnderWay(state: RepositoryState): number {
  let count = 0;
  for (const run of restlessRuns(state)) {
    if (run.landing?.checking === true) count += 1;
    if (!isRunLive(run)) continue;
    for (const worker of workersIn(run, 'starting', 'verifying', 'merging')) {
      if (worker.merge?.checking === true) count += 1;
      if (worker.checking) count += 1;
      if (worker.state === 'starting' && worker.attempt?.setupGranted === true) count += 1;
    }
  }
  return count;
}
