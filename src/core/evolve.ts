/**
 * The fold: one event, one step of state. Pure but for the maps that the fold owns: values are replaced, never changed,
 * so that whoever holds an old value keeps a true one. An event that the lifecycle does not have is a broken log or a
 * bug, and throws (S10).
 */
import { awayAfter } from './evolve/away.ts';
import { treeGateKey, type Event } from './events.ts';
import { pullAfter } from './pull.ts';
import { tendedAfter } from './tended-trees.ts';
import { ratesAfter } from './schedule/rates.ts';
import { noSpend, plus, warningShare, withDay } from './spend.ts';
import { evolveWorker } from './evolve/worker.ts';
import { limitKeys, underLimits } from './limits.ts';
import { forgetAnswer, forgetTroubles, settled, without } from './evolve/fold-troubles.ts';
import { plannedWorkers } from './evolve/planned-workers.ts';
import { noteRun } from './restless.ts';
import { replaceWorker, workersIn } from './run-index.ts';
import type { RepositoryState, RunState, WorkerState } from './state.ts';

export type FoldRun = Omit<RunState, 'workers' | 'trees'> & {
  readonly workers: Map<string, WorkerState>;
  readonly trees: Map<string, import('./events.ts').TreeVerdict>;
};

/** State as the fold holds it; everyone else takes it as `RepositoryState`. */
export interface FoldState extends RepositoryState {
  seq: number;
  epoch: number;
  readonly runs: Map<string, FoldRun>;
}

/** State before the first event. */
export function emptyState(): FoldState {
  return { seq: 0, epoch: 0, runs: new Map() };
}

/** Folds one event into the state; throws when it does not follow from it. */
export function evolve(state: FoldState, event: Event): void {
  if (event.seq !== state.seq + 1) {
    throw new Error(`event ${event.seq} does not follow ${state.seq}`);
  }
  state.seq = event.seq;
  if (event.type === 'loop.started') {
    state.epoch = event.data.epoch;
    return;
  }
  if (event.run === undefined) return;
  foldRun(state, event, event.run);
  noteRun(state.runs, event.run);
}

function foldRun(state: FoldState, event: Event, id: string): void {
  if (event.type === 'run.started') {
    state.runs.set(id, startedRun(id, event.at, event.data));
    return;
  }
  const run = state.runs.get(id);
  if (run === undefined) throw new Error(`event ${event.seq} names the unknown run ${id}`);
  if (event.type === 'plan.amended') {
    state.runs.set(id, amendedRun(run, event.at, event.data));
    return;
  }
  if (event.worker !== undefined) {
    const worker = run.workers.get(event.worker);
    if (worker === undefined)
      throw new Error(`event ${event.seq} names the unknown worker ${event.worker}`);
    replaceWorker(run, evolveWorker(worker, event));
  }
  const patch = evolveRun(run, event);
  if (patch !== null) state.runs.set(id, { ...run, ...patch });
}

function startedRun(
  id: string,
  at: number,
  data: Extract<Event, { type: 'run.started' }>['data'],
): FoldRun {
  return {
    id,
    state: 'running',
    plan: data.plan,
    scope: data.scope,
    checkout: data.checkout ?? '',
    base: data.base,
    integration: data.integration,
    target: data.target,
    tip: null,
    startedAt: at,
    endedAt: null,
    reason: null,
    cancelling: false,
    pausedAt: null,
    approve: data.approve === true,
    workers: plannedWorkers(data.plan, at),
    trees: new Map(),
    reviewing: [],
    tending: [],
    pull: null,
    mergedOrder: [],
    published: {},
    pushed: {},
    diverged: {},
    landing: null,
    landed: null,
    spent: noSpend,
    day: null,
    dayBefore: null,
    raised: noSpend,
    told: 0,
    sources: data.sources ?? null,
    machine: null,
    missing: [],
    turnedAway: {},
    rates: [],
    batched: [],
    troubles: {},
  };
}

/** Workers that join are new; all others stay where they are, also those that are not of the plan any more. */
function amendedRun(
  run: FoldRun,
  at: number,
  { plan, scope }: Extract<Event, { type: 'plan.amended' }>['data'],
): FoldRun {
  // Another map, since what is known of the old one rests on the old edges.
  const workers = new Map(run.workers);
  for (const [id, worker] of plannedWorkers(plan, at))
    if (!workers.has(id)) workers.set(id, worker);
  return { ...run, plan, scope, workers, ...batchedBefore(run, plan) };
}

/** Who stands in the queue, when it stops to test batches. */
function batchedBefore(run: FoldRun, after: RunState['plan']): Pick<RunState, 'batched'> | null {
  if (run.plan.policies.mergeQueue !== 'batch' || after.policies.mergeQueue === 'batch')
    return null;
  return { batched: workersIn(run, 'merging').map(({ id }) => id) };
}

/** Its workers with a review that has not ended, once the fold has told the worker. */
function reviewingAfter(run: FoldRun, id: string): RunPatch | null {
  const runs = run.workers.get(id)?.review?.running != null;
  if (run.reviewing.includes(id) === runs) return null;
  return {
    reviewing: runs ? [...run.reviewing, id] : run.reviewing.filter((other) => other !== id),
  };
}

type RunPatch = Partial<Omit<RunState, 'workers' | 'trees'>>;

/** What the event changes on the run itself; null when nothing. */
function evolveRun(run: FoldRun, event: Event): RunPatch | null {
  switch (event.type) {
    case 'machine.observed':
      return { machine: event.data };
    case 'agents.missing':
      return { missing: event.data.agents };
    case 'worker.started':
      return { ...ratesAfter(run, event), ...tendedAfter(run, event) };
    case 'pull.requested':
    case 'pull.opened':
    case 'pull.sent_back':
    case 'pull.closed':
      return { pull: pullAfter(run.pull, event) };
    case 'tree.requested':
    case 'tree.made':
    case 'tree.removed':
      return { ...forgetTroubles(run, event.worker), ...tendedAfter(run, event) };
    case 'run.prepared':
      return { tip: event.data.commit, troubles: {} };
    case 'run.waiting':
      return { state: 'waiting' };
    case 'run.running':
      return {
        state: 'running',
        endedAt: null,
        reason: null,
        pausedAt: null,
        cancelling: false,
        troubles: {},
      };
    case 'run.complete':
      return { state: 'complete', endedAt: event.at, pausedAt: null };
    case 'run.failed':
      return {
        state: 'failed',
        endedAt: event.at,
        reason: event.data.reason,
        pausedAt: null,
      };
    case 'run.cancelled':
      return { state: 'cancelled', endedAt: event.at, pausedAt: null };
    case 'run.paused':
      return { state: 'paused', pausedAt: event.at };
    case 'run.approval_set':
      return { approve: event.data.approve };
    case 'limits.changed': {
      const { before, after, sources } = event.data;
      const gone = limitKeys.filter((key) => before[key] !== undefined);
      const anew =
        before.budget === undefined && after.budget === undefined
          ? {}
          : { told: 0, ...withDay(run, event.at, { told: 0 }) };
      const plan = underLimits(run.plan, after, gone);
      return { plan, sources: sources ?? run.sources, ...anew, ...batchedBefore(run, plan) };
    }
    case 'run.cancel_requested':
      return { cancelling: true };
    case 'review.started':
    case 'review.approved':
    case 'review.changes_requested':
    case 'review.inconclusive':
      return reviewingAfter(run, event.worker ?? '');
    case 'worker.merged':
      return { tip: event.data.commit, mergedOrder: [...run.mergedOrder, event.worker ?? ''] };
    case 'gate.passed':
    case 'gate.failed':
    case 'gate.inconclusive':
      if (!('tree' in event.data.verdict)) return null;
      run.trees.set(treeGateKey(event.data.verdict), event.data.verdict);
      return event.worker === undefined && run.landing !== null
        ? { landing: { ...run.landing, checking: false } }
        : null;
    case 'gate.started':
      return event.data.subject === 'land' && run.landing !== null
        ? { landing: { ...run.landing, checking: true } }
        : null;
    case 'worker.pending':
      if (event.data.by !== 'user' || event.data.from === 'paused')
        return forgetTroubles(run, event.worker);
      forgetRefusals(run);
      return { ...forgetTroubles(run, event.worker), ...awayAfter(run, event) };
    case 'worker.verifying':
    case 'worker.merging':
      if (event.data.from === 'blocked') forgetRefusals(run);
      return forgetTroubles(run, event.worker);
    case 'worker.ready':
      return { ...forgetTroubles(run, event.worker), ...awayAfter(run, event) };
    case 'worker.blocked':
      return forgetTroubles(run, event.worker);
    case 'answer.delivered':
      return forgetAnswer(run, event.worker, event.data.id);
    case 'refs.published':
      return {
        published: { ...run.published, ...event.data.refs },
        diverged: without(run.diverged, event.data.refs),
        ...settled(run, 'publish'),
      };
    case 'refs.pushed':
      return { pushed: { ...run.pushed, ...event.data.refs }, ...settled(run, 'push') };
    case 'refs.diverged':
      return { diverged: { ...run.diverged, [event.data.ref]: event.data.why } };
    case 'worker.usage': {
      const used = { tokens: event.data.input + event.data.output, costUsd: event.data.costUsd };
      return {
        spent: plus(run.spent, used),
        ...withDay(run, event.at, { used }),
        ...ratesAfter(run, event),
      };
    }
    case 'budget.warned':
    case 'budget.exceeded': {
      const told = event.type === 'budget.warned' ? warningShare : 1;
      if (event.data.scope === 'run') return { told };
      return event.data.scope === 'day' ? withDay(run, event.at, { told }) : null;
    }
    case 'budget.raised': {
      const { tokens, costUsd, scope } = event.data;
      const added = { tokens, costUsd };
      if (scope === 'run') return { raised: plus(run.raised, added), told: 0 };
      return scope === 'day' ? withDay(run, event.at, { added, told: 0 }) : null;
    }
    case 'land.started':
      forgetRefusals(run);
      return { landing: { ...event.data, held: run.mergedOrder, built: null, checking: false } };
    case 'land.built':
      return run.landing === null
        ? null
        : { landing: { ...run.landing, built: event.data }, ...settled(run, 'build-landing') };
    case 'land.refused':
    case 'run.synced': {
      const tip = event.type === 'run.synced' ? { tip: event.data.commit } : {};
      return { landing: null, ...tip, ...settled(run, 'build-landing', 'commit-landing', 'check') };
    }
    case 'run.landed': {
      const { target, commit } = event.data;
      return {
        landing: null,
        landed: { target, commit, tip: run.landing?.tip ?? '', at: event.at },
        // A person is here: what could not be pushed before is tried again with it.
        ...settled(run, 'build-landing', 'commit-landing', 'check', 'push'),
      };
    }
    case 'effect.failed': {
      const { key, tries, error } = event.data;
      return { troubles: { ...run.troubles, [key]: { tries, at: event.at, error } } };
    }
    case 'loop.started':
    case 'loop.ended':
    case 'prune.started':
    case 'prune.done':
    case 'uninstall.started':
    case 'run.started':
    case 'plan.amended':
    case 'disk.low':
    case 'worker.active':
    case 'worker.reviewing':
    case 'worker.complete':
    case 'worker.paused':
    case 'worker.failed':
    case 'worker.skipped':
    case 'worker.cancelled':
    case 'worker.error':
    case 'worker.stop_requested':
    case 'worker.noted':
    case 'worker.task_listed':
    case 'worker.task_started':
    case 'worker.task_completed':
    case 'worker.checkpoint':
    case 'worker.reported_blocked':
    case 'worker.asked':
    case 'worker.answered':
    case 'worker.handoff':
    case 'worker.report_refused':
    case 'permission.requested':
    case 'permission.answered':
    case 'permission.denied':
    case 'attempt.session':
    case 'attempt.read':
    case 'attempt.prepared':
    case 'attempt.setup_started':
    case 'attempt.setup_passed':
    case 'attempt.ended':
    case 'work.collected':
    case 'teardown.failed':
    case 'work.kept':
    case 'kept.dropped':
    case 'inputs.checked':
    case 'protect.approved':
    case 'approval.requested':
    case 'approval.granted':
    case 'approval.denied':
    case 'merge.started':
    case 'merge.built':
    case 'merge.conflict':
    case 'merge.resolved':
    case 'merge.abandoned':
    case 'dependency.superseded':
      return null;
  }
}

/** A person unblocked a gate: what did not pass is tried again, what passed stays. */
function forgetRefusals(run: FoldRun): void {
  for (const [key, verdict] of run.trees) {
    if (verdict.result !== 'pass') run.trees.delete(key);
  }
}
