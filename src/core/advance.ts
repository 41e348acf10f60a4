/**
 * What follows by itself. After every command the loop calls `advance` until nothing more follows; the events are
 * appended in the same transaction. A function of state and `now` alone, so that a restart finds the same (A2).
 *
 * One call returns the events of the first rule that has any: every rule sees a state in which those before it rest.
 */
import { askApprovals } from './approval.ts';
import { unansweredAsks } from './asks.ts';
import { watchBudgets } from './budget.ts';
import { edgeState, supersededBy } from './edges.ts';
import type { Block, NewEvent } from './events.ts';
import { grantChecks, grantReviews, grantStarts } from './schedule/grant.ts';
import { isFinal, isLive } from './lifecycle.ts';
import { mergeIsThrough, nextCandidate } from './schedule/merge-chain.ts';
import { restlessRuns } from './restless.ts';
import { frontier, underWay, workersIn } from './run-index.ts';
import { reviewingOutcome } from './review.ts';
import { runOutcome } from './run-outcome.ts';
import { endOfStop } from './attempt-outcome.ts';
import { landingOutcome, mergingOutcome, strandedMerges, verifyingOutcome } from './settle.ts';
import {
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from './state.ts';
import { unanswered } from './unanswered.ts';
import { held, released } from './with-run.ts';

/** Evaluates a CEL expression; the only knowledge that the core takes from outside. */
export type EvaluateWhen = (
  expression: string,
  context: {
    readonly run: { readonly id: string; readonly base: string };
    readonly workers: Readonly<
      Record<
        string,
        { readonly state: string; readonly no_change: boolean; readonly attempts: number }
      >
    >;
  },
) => boolean | { readonly error: string };

export interface AdvanceOptions {
  readonly now: number;
  /** No new attempts: the loop was told to end. */
  readonly draining: boolean;
  readonly when: EvaluateWhen;
}

/** The next events that follow by themselves; empty when the state rests. */
export function advance(state: RepositoryState, options: AdvanceOptions): readonly NewEvent[] {
  for (const run of restlessRuns(state)) {
    const refusal = landingOutcome(run);
    if (refusal !== null) return [refusal];
    if (!isRunLive(run)) {
      const granted = grantChecks(state, run);
      if (granted.length > 0) return granted;
      continue;
    }
    for (const rule of rules) {
      const events = rule(state, run, options);
      if (events.length > 0) return events;
    }
  }
  return [];
}

type Rule = (state: RepositoryState, run: RunState, options: AdvanceOptions) => readonly NewEvent[];

const rules: readonly Rule[] = [
  (_state, run) => cancelling(run),
  (_state, run) => held(run),
  (_state, run) => released(run),
  (_state, run, { when }) =>
    each(run, frontier(run), (worker) => dependenciesOf(run, worker, when)),
  (_state, run) => each(run, workersIn(run, 'blocked'), (worker) => freed(run, worker)),
  (_state, run) => superseding(run),
  (state, run, { now }) => watchBudgets(state, run, now),
  (_state, run) => each(run, workersIn(run, 'starting'), stoppedBeforeLaunch),
  (_state, run) =>
    each(run, workersIn(run, 'verifying'), (worker) => verifyingOutcome(run, worker)),
  (_state, run) =>
    each(run, workersIn(run, 'reviewing'), (worker) => reviewingOutcome(run, worker)),
  (_state, run) => mergingOutcome(run),
  (_state, run) => strandedMerges(run),
  (_state, run, { now }) => beginMerge(run, now),
  (state, run) => grantChecks(state, run),
  (_state, run, { now }) => unanswered(run, now),
  (_state, run, { now }) => unansweredAsks(run, now),
  (_state, run, { now }) => askApprovals(run, now),
  (state, run, { now, draining }) => (draining ? [] : grantReviews(state, run, now)),
  (state, run, { now, draining }) => (draining ? [] : grantStarts(state, run, now)),
  (state, run, { now }) => runOutcome(state, run, now),
];

function each(
  run: RunState,
  workers: Iterable<WorkerState>,
  rule: (worker: WorkerState) => NewEvent | null,
): readonly NewEvent[] {
  const events: NewEvent[] = [];
  for (const worker of workers) {
    const event = rule(worker);
    if (event !== null) events.push({ ...event, run: run.id, worker: worker.id });
  }
  return events;
}

/** What a cancelled run has left: whatever is neither live nor being carried through. */
function cancelling(run: RunState): readonly NewEvent[] {
  if (!run.cancelling) return [];
  return each(run, run.workers.values(), (worker) => {
    if (isFinal(worker.state) || isLive(worker.state) || mergeIsThrough(run, worker)) return null;
    return {
      type: 'worker.cancelled',
      data: { from: worker.state, reason: 'the run was cancelled', by: 'user' },
    };
  });
}

/** pending → ready, blocked or skipped, as its dependencies say. */
function dependenciesOf(run: RunState, worker: WorkerState, when: EvaluateWhen): NewEvent | null {
  if (worker.state !== 'pending') return null;
  let skippedBy: string | null = null;
  let open = false;
  for (const edge of definitionOf(run, worker.id).edges) {
    const edgeNow = edgeState(run, edge);
    if (edgeNow.kind === 'failed') return blockedByFailure(worker, 'pending', edgeNow.root);
    if (edgeNow.kind === 'open') open = true;
    if (edgeNow.kind === 'skipped') skippedBy = edge.on;
  }
  if (open) return null;
  if (skippedBy !== null) return skipped(`its dependency ${skippedBy} was skipped`);
  const answer = evaluate(run, worker, when);
  if (answer === true) {
    return {
      type: 'worker.ready',
      data: {
        from: 'pending',
        reason: 'its dependencies are there',
        notBefore: null,
        counts: null,
        tree: null,
      },
    };
  }
  if (answer === false) return skipped('its condition does not hold');
  const block: Block = {
    kind: 'when',
    step: 'pending',
    text: `when: ${answer.error}`,
    findings: [],
    files: [],
  };
  return {
    type: 'worker.blocked',
    data: { from: 'pending', reason: block.text, block, blockedBy: null },
  };
}

function evaluate(
  run: RunState,
  worker: WorkerState,
  when: EvaluateWhen,
): boolean | { readonly error: string } {
  const definition = definitionOf(run, worker.id);
  if (definition.when === null) return true;
  const dependencies = definition.edges.flatMap((edge) => run.workers.get(edge.on) ?? []);
  const workers = Object.fromEntries(
    dependencies.map((one) => [
      one.id,
      { state: one.state, no_change: one.noChange, attempts: one.attempts },
    ]),
  );
  return when(definition.when, { run: { id: run.id, base: run.base.commit }, workers });
}

function skipped(reason: string): NewEvent {
  return {
    type: 'worker.skipped',
    data: { from: 'pending', reason, by: 'policy', satisfies: false },
  };
}

function blockedByFailure(
  worker: WorkerState,
  step: 'pending' | 'merging',
  root: string,
): NewEvent {
  const block: Block = {
    kind: 'dependency',
    step,
    text: `blocked by ${root}`,
    findings: [],
    files: [],
  };
  return {
    type: 'worker.blocked',
    data: { from: worker.state, reason: block.text, block, blockedBy: root },
  };
}

/**
 * blocked by failure → pending or merging, once that failure is settled. When another one stands in the way, it is
 * named anew by the rules that follow.
 */
function freed(run: RunState, worker: WorkerState): NewEvent | null {
  if (worker.state !== 'blocked' || worker.block?.kind !== 'dependency') return null;
  if (worker.block.step === 'merging') {
    const dependency = supersededBy(run, worker);
    const root =
      dependency === null || !hasFailed(dependency)
        ? null
        : (dependency.blockedBy ?? dependency.id);
    if (root !== null && root === worker.blockedBy) return null;
    return { type: 'worker.merging', data: { from: 'blocked', reason: 'the failure was settled' } };
  }
  const roots = definitionOf(run, worker.id).edges.map((edge) => edgeState(run, edge));
  if (roots.some((edge) => edge.kind === 'failed' && edge.root === worker.blockedBy)) return null;
  return {
    type: 'worker.pending',
    data: {
      from: 'blocked',
      reason: 'the failure was settled',
      by: 'policy',
      note: null,
      clean: worker.nextClean,
    },
  };
}

function hasFailed(worker: WorkerState): boolean {
  return worker.state === 'failed' || worker.state === 'cancelled' || worker.blockedBy !== null;
}

/** A dependency that was sent back after a dependent started on less than its completion. */
function superseding(run: RunState): readonly NewEvent[] {
  const events: NewEvent[] = [];
  for (const worker of workersIn(run, ...underWay)) {
    if (worker.attempts === 0 || worker.block?.kind === 'dependency') continue;
    for (const edge of definitionOf(run, worker.id).edges) {
      if (edge.requires === 'complete' || worker.superseded.includes(edge.on)) continue;
      const dependency = run.workers.get(edge.on);
      const { kind } = edgeState(run, edge);
      if (dependency === undefined || kind === 'satisfied' || kind === 'skipped') continue;
      const data = { dependency: dependency.id, dependent: worker.id };
      events.push({ type: 'dependency.superseded', run: run.id, worker: worker.id, data });
      events.push({ type: 'dependency.superseded', run: run.id, worker: dependency.id, data });
    }
    const waitsFor = supersededBy(run, worker);
    if (
      worker.state === 'merging' &&
      worker.merge === null &&
      waitsFor !== null &&
      hasFailed(waitsFor)
    ) {
      const root = waitsFor.blockedBy ?? waitsFor.id;
      events.push({ ...blockedByFailure(worker, 'merging', root), run: run.id, worker: worker.id });
    }
  }
  return events;
}

/** A stop that was asked for while the attempt has no program yet. */
function stoppedBeforeLaunch(worker: WorkerState): NewEvent | null {
  const { stop, attempt } = worker;
  if (
    worker.state !== 'starting' ||
    stop === null ||
    attempt === null ||
    attempt.phase === 'launch'
  )
    return null;
  return endOfStop(worker, stop);
}

function beginMerge(run: RunState, now: number): readonly NewEvent[] {
  const next = nextCandidate(run);
  if (next?.worker.work == null) return [];
  const { base, worker } = next;
  return [
    {
      type: 'merge.started',
      run: run.id,
      worker: worker.id,
      data: { base, tip: next.worker.work.tip, date: now },
    },
  ];
}
