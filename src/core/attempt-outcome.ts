/** How an attempt that has ended, and whose work is at home, goes on: done, tried again, failed, or blocked. */
import type { Block, NewEvent } from './events.ts';
import { quotaEnd } from './schedule/quota-wait.ts';
import { definitionOf, type AttemptState, type RunState, type WorkerState } from './state.ts';

/** Lost attempts in a row that are started again; one more blocks. */
export const lostInRowAllowed = 3;

/** What follows when the process is gone and the work is collected. */
export function afterAttempt(run: RunState, worker: WorkerState, now: number): readonly NewEvent[] {
  const { attempt } = worker;
  if (attempt?.judgement == null) return [];
  const { end, judgement, stopWord } = attempt;
  if (stopWord !== null) {
    const { kind, text } = stopWord;
    return [blocked(worker, { kind, step: 'attempt', text, findings: [], files: [] })];
  }
  switch (judgement.kind) {
    case 'well':
      return [
        {
          type: 'worker.verifying',
          data: { from: worker.state, reason: 'its agent ended well', submitted: false },
        },
      ];
    case 'failed': {
      const exit = end === null || end.how === 'lost' ? null : end.code;
      return failedAttempt(
        run,
        worker,
        { error: judgement.reason, exit, final: judgement.final },
        now,
      );
    }
    case 'quota': {
      const until = quotaEnd(judgement.until, worker.quotaInRow, now);
      const { agent, fallback } = definitionOf(run, worker.id);
      const name = attempt.agent?.name ?? agent.name;
      return [
        {
          type: 'worker.ready',
          data: {
            from: worker.state,
            reason: `no quota: ${judgement.reason}`,
            // With others who may take its place it is the agent that waits, not the worker.
            ...(fallback === undefined
              ? { notBefore: until }
              : { notBefore: null, away: { agent: name, until } }),
            counts: 'quota',
            tree: 'continue',
          },
        },
      ];
    }
    case 'lost':
      return lostAttempt(run, worker, judgement.why, now);
  }
}

/** Whether something is to be torn down between the collection of an attempt's work and what follows from its end. */
export function tearsDown(run: RunState, { id, worktree }: WorkerState): boolean {
  return worktree !== null && definitionOf(run, id).teardown.length > 0;
}

/** What follows from an attempt's end once its work is at home, and what it had put up is torn down. */
export function afterCollection(
  run: RunState,
  worker: WorkerState,
  now: number,
): readonly NewEvent[] {
  if (worker.stop?.to === 'retry') return afterRule(run, worker, now);
  if (worker.stop !== null && !outranBudget(worker)) return stopped(worker);
  const end = worker.attempt?.end;
  if (end?.how === 'stopped' && end.why === 'interrupted') return [interrupted(worker)];
  return afterAttempt(run, worker, now);
}

interface Failure {
  readonly error: string;
  readonly exit: number | null;
  /** A repeat cannot mend it. */
  readonly final: boolean;
}

/** A failed attempt: tried again after the backoff while attempts are left, else failed. */
export function failedAttempt(
  run: RunState,
  worker: WorkerState,
  failure: Failure,
  now: number,
): readonly NewEvent[] {
  if (worker.stop !== null) return stopped(worker);
  const { retry } = definitionOf(run, worker.id);
  const failures = worker.failures + 1;
  const over = failure.final || failures >= retry.maxAttempts;
  const error: NewEvent = { type: 'worker.error', data: { ...failure, final: over } };
  if (over) {
    return [
      error,
      {
        type: 'worker.failed',
        data: { from: worker.state, reason: failure.error, blockedBy: null },
      },
    ];
  }
  const notBefore = now + backoffMs(retry, failures);
  return [
    error,
    {
      type: 'worker.ready',
      data: {
        from: worker.state,
        reason: `attempt failed: ${failure.error}`,
        notBefore,
        counts: 'failed',
        tree: retry.from,
      },
    },
  ];
}

/** An attempt whose end is unknown or not its own: continued, at most three times in a row. */
export function lostAttempt(
  run: RunState,
  worker: WorkerState,
  why: string,
  now: number,
): readonly NewEvent[] {
  if (worker.stop !== null) return stopped(worker);
  if (worker.lostInRow >= lostInRowAllowed) {
    const text = `lost ${worker.lostInRow + 1} times in a row: ${why}`;
    return [blocked(worker, { kind: 'lost', step: 'attempt', text, findings: [], files: [] })];
  }
  const { retry } = definitionOf(run, worker.id);
  const notBefore = worker.lostInRow === 0 ? null : now + backoffMs(retry, worker.lostInRow);
  return [
    {
      type: 'worker.ready',
      data: {
        from: worker.state,
        reason: `lost: ${why}`,
        notBefore,
        counts: 'lost',
        tree: 'continue',
      },
    },
  ];
}

/** Why an attempt that is silent for too long is stopped. */
export function stallReason(silentMs: number): string {
  return `stalled: nothing printed, reported or committed for ${silentMs / 1_000} s`;
}

/** Stops an attempt that broke a rule, unless something else stops it already. */
export function endedByRule(
  worker: WorkerState,
  attempt: AttemptState,
  reason: string,
): readonly NewEvent[] {
  if (worker.state !== 'active' || attempt.phase !== 'running' || worker.stop !== null) return [];
  return [{ type: 'worker.stop_requested', data: { to: 'retry', by: 'policy', reason } }];
}

/** What follows when one that broke a rule is stopped: a failed attempt, unless it had said or done what counts. */
export function afterRule(run: RunState, worker: WorkerState, now: number): readonly NewEvent[] {
  const { attempt, stop } = worker;
  const own = attempt?.judgement?.kind === 'well' || attempt?.stopWord != null;
  if (own || stop === null) return afterAttempt(run, worker, now);
  const failure = { error: stop.reason, exit: null, final: false };
  return failedAttempt(run, { ...worker, stop: null }, failure, now);
}

/** The end that a person asked for; nothing when nobody did. */
export function stopped(worker: WorkerState): readonly NewEvent[] {
  const { stop } = worker;
  return stop === null ? [] : [endOfStop(worker, stop)];
}

/** Where a stop that was asked for leads. */
export function endOfStop(worker: WorkerState, stop: NonNullable<WorkerState['stop']>): NewEvent {
  const { reason } = stop;
  const from = worker.state;
  const entered = { from, reason, by: 'user' as const };
  switch (stop.to) {
    case 'cancelled':
      return { type: 'worker.cancelled', data: entered };
    case 'paused':
      return {
        type: 'worker.paused',
        data: stop.withRun ? { ...entered, withRun: true } : entered,
      };
    case 'blocked':
      return blocked(worker, {
        kind: 'budget',
        step: 'attempt',
        text: reason,
        findings: [],
        files: [],
      });
    case 'failed':
      return { type: 'worker.failed', data: { from, reason, blockedBy: null } };
    case 'ready':
    case 'retry':
      return {
        type: 'worker.ready',
        data: { from, reason, notBefore: null, counts: 'interrupted', tree: 'continue' },
      };
  }
}

/** Whether the attempt ended well before a budget could stop it: its work is done, and goes on. */
export function outranBudget({ stop, attempt }: WorkerState): boolean {
  return (
    (stop?.to === 'blocked' || stop?.to === 'failed' || stop?.to === 'ready') &&
    attempt?.judgement?.kind === 'well' &&
    attempt.stopWord === null
  );
}

function blocked(worker: WorkerState, block: Block): NewEvent {
  return {
    type: 'worker.blocked',
    data: { from: worker.state, reason: block.text, block, blockedBy: null },
  };
}

function backoffMs(
  retry: {
    readonly backoff: 'exponential' | 'linear' | 'fixed';
    readonly initialMs: number;
    readonly maxMs: number;
  },
  failures: number,
): number {
  const factor = { exponential: 2 ** (failures - 1), linear: failures, fixed: 1 }[retry.backoff];
  return Math.min(retry.maxMs, retry.initialMs * factor);
}

/** What a launch prepared that had no tree to make. */
export function madeByLaunch(
  run: RunState,
  attempt: AttemptState,
  worktree: string | undefined,
): readonly NewEvent[] {
  if (attempt.base !== null || worktree === undefined) return [];
  const base = run.tip ?? run.base.commit;
  return [
    { type: 'attempt.prepared', data: { branch: '', worktree, base } },
    { type: 'attempt.setup_passed', data: {} },
  ];
}

/** Back to ready: the loop was told to end. */
export function interrupted(worker: WorkerState): NewEvent {
  return {
    type: 'worker.ready',
    data: {
      from: worker.state,
      reason: 'czar was told to end',
      notBefore: null,
      counts: 'interrupted',
      tree: 'continue',
    },
  };
}
