/**
 * What the outcome of an effect means. An outcome that does not belong to the present state any more (an older attempt,
 * a merge that was given up) means nothing: the fence of S2.
 */
import { openAsks, undelivered, unsettled } from '../asks.ts';
import { attemptLimitsOf, overLimitText } from '../attempt-limits.ts';
import { missingUsage, priceOf } from '../budget.ts';
import type { Outcome } from '../commands.ts';
import type { AttemptEnd, Judgement, KeptWork, NewEvent } from '../events.ts';
import {
  afterCollection,
  endedByRule,
  failedAttempt,
  interrupted,
  lostAttempt,
  madeByLaunch,
  stallReason,
  stopped,
  tearsDown,
} from '../attempt-outcome.ts';
import { tended } from '../tended-trees.ts';
import { synced } from './sync.ts';
import { landingRefused } from '../landing-refused.ts';
import { at, checked, mergeOutcome, verdictEvent } from './verdict.ts';
import { reviewEnded } from './review.ts';
import { resolved } from '../resolution.ts';
import { machineObserved } from '../disk-space.ts';
import { reportEvents } from './report-event.ts';
import { changeVerdicts, tipOf } from '../settle.ts';
import { agentNameOf } from '../schedule/which-agent.ts';
import { launchGivenUp, troubleOutcome } from '../trouble.ts';
import {
  definitionOf,
  type AttemptState,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from '../state.ts';

/** Events that follow from the outcome; none when it comes too late. */
export function decideOutcome(
  state: RepositoryState,
  outcome: Outcome,
  now: number,
): readonly NewEvent[] {
  if (outcome.kind === 'tick') return [];
  if (outcome.kind === 'machine-observed') return machineObserved(state, outcome.machine);
  if (outcome.kind === 'loop-started') {
    const { pid, host, version } = outcome;
    return [{ type: 'loop.started', data: { pid, host, version, epoch: state.epoch + 1 } }];
  }
  if (outcome.kind === 'loop-ended')
    return [{ type: 'loop.ended', data: { reason: outcome.reason } }];
  if (outcome.kind === 'pruned') {
    const { outputs, refs, bytes } = outcome;
    return [{ type: 'prune.done', data: { outputs, refs, bytes } }];
  }
  const run = state.runs.get(outcome.run);
  if (run === undefined) return [];
  switch (outcome.kind) {
    case 'run-prepared':
      return run.tip === null
        ? [{ type: 'run.prepared', run: run.id, data: { commit: outcome.commit } }]
        : [];
    case 'published':
      return publishedEvents(run, outcome.refs, outcome.diverged);
    case 'pushed': {
      const { remote, refs, left } = outcome;
      return [{ type: 'refs.pushed', run: run.id, data: { remote, refs, left } }];
    }
    case 'landing-built':
      if (run.landing === null || run.landing.built !== null || run.landing.date !== outcome.date)
        return [];
      return [
        { type: 'land.built', run: run.id, data: { commit: outcome.commit, tree: outcome.tree } },
      ];
    case 'landing-refused':
      if (run.landing === null) return [];
      return [landingRefused(run, outcome)];
    case 'landed':
      if (run.landing?.built?.commit !== outcome.commit) return [];
      if (run.landing.sync === true) return [synced(run, run.landing, outcome.commit)];
      return [
        {
          type: 'run.landed',
          run: run.id,
          data: {
            target: run.landing.target,
            commit: outcome.commit,
            mode: run.landing.mode,
            ...(outcome.notUpdated === undefined ? {} : { notUpdated: outcome.notUpdated }),
          },
        },
      ];
    case 'effect-failed':
      return troubleOutcome(run, outcome, now);
    case 'checked':
      return checked(run, outcome.worker, outcome.subject, outcome.verdicts);
    case 'inputs-checked':
    case 'tree-made':
    case 'tree-removed':
    case 'tree-prepared':
    case 'setup-passed':
    case 'setup-failed':
    case 'launched':
    case 'launch-failed':
    case 'reports':
    case 'stalled':
    case 'over-limit':
    case 'answer-delivered':
    case 'attempt-ended':
    case 'torn-down':
    case 'collected':
    case 'judged':
    case 'reviewed':
    case 'merge-built':
    case 'merge-conflict':
    case 'merge-committed':
    case 'merge-lost': {
      const worker = run.workers.get(outcome.worker);
      return worker === undefined
        ? []
        : ofWorker(run, worker, outcome, now).map((event) => at(run, worker, event));
    }
  }
}

type OfWorker = Extract<Outcome, { worker: string }>;

function ofWorker(
  run: RunState,
  worker: WorkerState,
  outcome: Exclude<OfWorker, { kind: 'effect-failed' | 'checked' }>,
  now: number,
): readonly NewEvent[] {
  switch (outcome.kind) {
    case 'inputs-checked':
      return inputsChecked(worker, outcome.missing);
    case 'tree-made':
    case 'tree-removed':
      return [...keptAnew(worker, outcome.kept), ...tended(run, worker, outcome)];
    case 'reviewed':
      return reviewEnded(run, worker, outcome);
    case 'judged':
      if (worker.state !== 'verifying' || worker.attempt?.phase !== 'collected') return [];
      if (changeVerdicts(run, worker).length > 0) return [];
      return [
        ...(outcome.resolved === undefined ? [] : [resolved(run, tipOf(worker), outcome.resolved)]),
        ...outcome.verdicts.filter((one) => one.tip === tipOf(worker)).map(verdictEvent),
      ];
    case 'merge-built':
    case 'merge-conflict':
    case 'merge-committed':
    case 'merge-lost':
      return mergeOutcome(run, worker, outcome);
    case 'collected':
      if (outcome.attempt !== worker.attempt?.n) return [];
      return collected(run, worker, outcome, now);
    case 'tree-prepared':
    case 'setup-passed':
    case 'setup-failed':
    case 'launched':
    case 'launch-failed':
    case 'reports':
    case 'stalled':
    case 'over-limit':
    case 'answer-delivered':
    case 'attempt-ended':
    case 'torn-down': {
      const { attempt } = worker;
      if (attempt === null || attempt.n !== outcome.attempt) return [];
      return ofAttempt(run, worker, attempt, outcome, now);
    }
  }
}

function ofAttempt(
  run: RunState,
  worker: WorkerState,
  attempt: AttemptState,
  outcome: Extract<
    Outcome,
    {
      kind:
        | 'tree-prepared'
        | 'setup-passed'
        | 'setup-failed'
        | 'launched'
        | 'launch-failed'
        | 'reports'
        | 'stalled'
        | 'over-limit'
        | 'answer-delivered'
        | 'attempt-ended'
        | 'torn-down';
    }
  >,
  now: number,
): readonly NewEvent[] {
  const awaits = (phase: AttemptState['phase']): boolean =>
    worker.state === 'starting' && attempt.phase === phase;
  switch (outcome.kind) {
    case 'tree-prepared': {
      const { branch, worktree, base } = outcome;
      const kept = keptAnew(worker, outcome.kept);
      if (!awaits('tree')) return kept;
      return [...kept, { type: 'attempt.prepared', data: { branch, worktree, base } }];
    }
    case 'setup-passed':
      return awaits('setup') ? [{ type: 'attempt.setup_passed', data: {} }] : [];
    case 'setup-failed':
      if (!awaits('setup')) return [];
      return failedAttempt(
        run,
        worker,
        { error: setupText(outcome.findings), exit: null, final: false },
        now,
      );
    case 'launched':
      if (!awaits('launch')) return [];
      return [
        ...madeByLaunch(run, attempt, outcome.worktree),
        {
          type: 'worker.active',
          data: { from: 'starting', reason: 'its program runs', process: outcome.process },
        },
      ];
    case 'launch-failed':
      if (!awaits('launch')) return [];
      return failedAttempt(
        run,
        worker,
        { error: outcome.error, exit: null, final: outcome.final },
        now,
      );
    case 'reports':
      if (!mayReport(worker, attempt)) return [];
      if (
        outcome.reportOffset <= attempt.reportOffset &&
        outcome.outputOffset <= attempt.outputOffset
      )
        return [];
      return [
        ...reportEvents(outcome.reports, {
          agent: agentNameOf(run, worker),
          price: priceOf(run, worker),
          model: attempt.agent === null ? definitionOf(run, worker.id).model : null,
          used: attempt.used,
          metered: attempt.metered === true,
          asks: attempt.asks,
          tasks: worker.tasks,
          unsettled: unsettled(definitionOf(run, worker.id)),
        }),
        ...outcome.refused.map((error): NewEvent => ({
          type: 'worker.report_refused',
          data: { error },
        })),
        {
          type: 'attempt.read',
          data: { reportOffset: outcome.reportOffset, outputOffset: outcome.outputOffset },
        },
      ];
    case 'answer-delivered':
      return undelivered(worker).some((ask) => ask.id === outcome.id)
        ? [{ type: 'answer.delivered', data: { id: outcome.id } }]
        : [];
    case 'stalled':
      // Who waits for a person is silent.
      if (openAsks(worker).length > 0) return [];
      return endedByRule(worker, attempt, stallReason(outcome.silentMs));
    case 'over-limit': {
      const reason = overLimitText(outcome.limit, attemptLimitsOf(definitionOf(run, worker.id)));
      return endedByRule(worker, attempt, reason);
    }
    case 'attempt-ended':
      return ended(run, worker, attempt, outcome, now);
    case 'torn-down':
      if (worker.state !== 'active' || attempt.phase !== 'collected') return [];
      return [
        ...outcome.failures.map((data): NewEvent => ({ type: 'teardown.failed', data })),
        ...afterCollection(run, worker, now),
      ];
  }
}

/** Whether lines of the attempt may still be read: while it lives, and until its work is collected. */
function mayReport(worker: WorkerState, attempt: AttemptState): boolean {
  return worker.state === 'active' || (worker.state === 'verifying' && attempt.phase === 'ended');
}

/** Kept work that the log does not have: it counts whatever became of the attempt. */
function keptAnew(worker: WorkerState, kept: readonly KeptWork[]): readonly NewEvent[] {
  // A name that a prune took may stand for other work since.
  const known = new Map(worker.kept.map((one) => [one.ref, one.commit]));
  // What is dropped may still be on its way to its other name.
  const dropped = new Map(worker.dropped.map((one) => [one.ref, one.commit]));
  return kept
    .filter((one) => known.get(one.ref) !== one.commit && dropped.get(one.ref) !== one.commit)
    .map((one): NewEvent => ({ type: 'work.kept', data: { kept: one } }));
}

/** Whether the agent was turned away or never began: then it has used nothing, and tells of nothing. */
function neverWorked(end: AttemptEnd, judgement: Judgement): boolean {
  if (judgement.kind === 'quota') return true;
  const code = end.how === 'exited' ? end.code : 0;
  return judgement.kind === 'failed' && judgement.final && (code === 126 || code === 127);
}

function ended(
  run: RunState,
  worker: WorkerState,
  attempt: AttemptState,
  { end, judgement, lastWords }: Extract<Outcome, { kind: 'attempt-ended' }>,
  now: number,
): readonly NewEvent[] {
  const over: NewEvent = { type: 'attempt.ended', data: { end, judgement, lastWords } };
  if (worker.state === 'active' && attempt.phase === 'running') {
    const missing = neverWorked(end, judgement) ? null : missingUsage(run, worker);
    return missing === null ? [over] : [missing, over];
  }
  // It was stopped, or found dead, before its program was on record: there is nothing to collect.
  if (worker.state !== 'starting') return [];
  if (worker.stop !== null) return [over, ...stopped(worker)];
  const givenUp = launchGivenUp(run, worker);
  if (givenUp !== null) return [over, ...lostAttempt(run, worker, givenUp, now)];
  if (end.how === 'stopped' && end.why === 'interrupted') return [over, interrupted(worker)];
  const why = judgement.kind === 'lost' ? judgement.why : 'it ended before it began';
  return [over, ...lostAttempt(run, worker, why, now)];
}

function collected(
  run: RunState,
  worker: WorkerState,
  { work, kept, notes = [] }: Extract<Outcome, { kind: 'collected' }>,
  now: number,
): readonly NewEvent[] {
  const receipts: NewEvent[] = [
    { type: 'work.collected', data: notes.length === 0 ? { work } : { work, notes } },
    ...keptAnew(worker, kept),
  ];
  if (worker.state === 'verifying' && worker.attempt?.phase === 'ended') return receipts;
  if (worker.state !== 'active' || worker.attempt?.phase !== 'ended') return [];
  if (tearsDown(run, worker)) return receipts;
  return [...receipts, ...afterCollection(run, { ...worker, work }, now)];
}

function inputsChecked(worker: WorkerState, missing: readonly string[]): readonly NewEvent[] {
  if (worker.state !== 'ready' || worker.inputsChecked) return [];
  const receipt: NewEvent = { type: 'inputs.checked', data: { missing } };
  if (missing.length === 0) return [receipt];
  const text = `inputs are missing: ${missing.join(', ')}`;
  return [
    receipt,
    {
      type: 'worker.blocked',
      data: {
        from: 'ready',
        reason: text,
        blockedBy: null,
        block: { kind: 'inputs', step: 'ready', text, findings: [], files: missing },
      },
    },
  ];
}

function publishedEvents(
  run: RunState,
  refs: Readonly<Record<string, string>>,
  diverged: Readonly<Record<string, string>>,
): readonly NewEvent[] {
  const news = Object.entries(diverged).filter(([ref, why]) => run.diverged[ref] !== why);
  return [
    ...(Object.keys(refs).length === 0
      ? []
      : [{ type: 'refs.published' as const, run: run.id, data: { refs } }]),
    ...news.map(([ref, why]): NewEvent => ({
      type: 'refs.diverged',
      run: run.id,
      data: { ref, expected: run.published[ref] ?? null, why },
    })),
  ];
}

/** Why a setup failed: of a command how it ended stands beside it, and what it said below. */
function setupText(findings: readonly string[]): string {
  const [command = '', ended, ...said] = findings;
  if (!command.startsWith('setup: ') || ended === undefined)
    return `setup failed: ${findings.join('\n')}`;
  return [`setup failed: ${command.slice('setup: '.length)}: ${ended}`, ...said].join('\n');
}
