/**
 * What entering a state does to a worker. A transition is taken only when the lifecycle has it and the event says truly
 * where it comes from.
 */
import type { Block, Entered, EventData, EventOf } from '../events.ts';
import { canMove, isFinal, type WorkerStateName } from '../lifecycle.ts';
import { noReview } from './review-state.ts';
import type { AttemptState, ReviewState, WorkerState } from '../state.ts';
import { noUsage } from '../usage.ts';
import { attempt, note, say } from './worker-parts.ts';

/** Events that enter a state. */
export type Transition =
  | 'worker.pending'
  | 'worker.ready'
  | 'worker.started'
  | 'worker.active'
  | 'worker.verifying'
  | 'worker.reviewing'
  | 'worker.merging'
  | 'worker.complete'
  | 'worker.blocked'
  | 'worker.paused'
  | 'worker.failed'
  | 'worker.skipped'
  | 'worker.cancelled';

/** The worker in its new state; throws when the lifecycle does not have the transition. */
export function enterState(worker: WorkerState, event: EventOf<Transition>): WorkerState {
  const { at } = event;
  switch (event.type) {
    case 'worker.pending': {
      if (event.data.from === null) return worker;
      const retried = event.data.by === 'user' && event.data.from !== 'paused';
      return {
        ...enter(worker, 'pending', event.data, at),
        // What it waits for is asked anew: what it owns may be another thing now.
        claims: false,
        block: null,
        blockedBy: null,
        ...(retried
          ? {
              failures: 0,
              lostInRow: 0,
              reworksUsed: 0,
              nextClean: event.data.clean,
              completedAt: null,
              submitted: false,
              approval: null,
            }
          : {}),
        ...(event.data.from === 'paused' ? { nextClean: event.data.clean } : {}),
        notes: event.data.note === null ? worker.notes : note(worker, 'note', event.data.note, at),
      };
    }
    case 'worker.ready':
      return {
        ...enter(worker, 'ready', event.data, at),
        block: null,
        blockedBy: null,
        readySince: at,
        notBefore: event.data.notBefore,
        inputsChecked: false,
        failures: worker.failures + (event.data.counts === 'failed' ? 1 : 0),
        lostInRow: nextLost(worker, event.data.counts),
        quotaInRow: nextQuota(worker, event.data.counts),
        // While a provider is waited for, others may change the same files.
        claims: event.data.counts === 'quota' ? false : worker.claims,
        nextClean: event.data.tree === null ? worker.nextClean : event.data.tree === 'clean',
        checking: false,
        merge: null,
        ...(event.data.rework === undefined ? {} : reworked(worker, event.data.rework, at)),
      };
    case 'worker.started':
      return {
        ...enter(worker, 'starting', event.data, at),
        attempts: event.data.attempt,
        attempt: newAttempt(event.data, at),
        claims: event.data.claims,
        readySince: null,
        notBefore: null,
        work: null,
        submitted: false,
        verdicts: [],
        stop: null,
        startedAt: worker.startedAt ?? at,
        // What begins in a clean tree begins with nothing behind it.
        session: event.data.continues ? worker.session : null,
        // What is made anew is looked at anew; what stays as it was approved stays approved.
        review: worker.review === null ? null : onlyApprovals(worker.review),
      };
    case 'worker.active':
      return {
        ...enter(worker, 'active', event.data, at),
        attempt: attempt(worker, { phase: 'running', process: event.data.process }),
      };
    case 'worker.verifying':
      return {
        ...enter(worker, 'verifying', event.data, at),
        block: null,
        blockedBy: null,
        checking: false,
        merge: null,
        completedAt: null,
        verdicts: [],
        lostInRow: 0,
        quotaInRow: 0,
        ...(event.data.submitted
          ? { submitted: true, work: null, attempt: attempt(worker, { phase: 'ended' }) }
          : {}),
      };
    case 'worker.reviewing':
      return {
        ...enter(worker, 'reviewing', event.data, at),
        block: null,
        blockedBy: null,
        // While a person is waited for, others may change the same files.
        claims: event.data.person === true ? false : worker.claims,
        review: { ...(worker.review ?? noReview), misses: 0, missed: '', notBefore: null },
      };
    case 'worker.merging':
      return {
        ...enter(worker, 'merging', event.data, at),
        block: null,
        blockedBy: null,
        merge: null,
        aside: false,
        checking: false,
        queuedAt: at,
      };
    case 'worker.complete':
      return {
        ...enter(worker, 'complete', event.data, at),
        noChange: event.data.noChange,
        merge: null,
      };
    case 'worker.blocked': {
      const entered = enter(worker, 'blocked', event.data, at);
      const { block } = event.data;
      return {
        ...entered,
        block,
        blockedBy: event.data.blockedBy,
        claims: false,
        checking: false,
        merge: null,
        stop: null,
        notes:
          block.kind === 'dependency' || block.kind === 'denied' || event.data.from === 'paused'
            ? worker.notes
            : note(worker, 'finding', findingText(block), at),
      };
    }
    case 'worker.paused':
      return {
        ...enter(worker, 'paused', event.data, at),
        claims: false,
        checking: false,
        stop: null,
        merge: null,
        // What blocked it stays known; whether its root still does is asked when it is resumed.
        blockedBy: null,
        pausedWithRun: event.data.withRun === true,
      };
    case 'worker.failed':
      return {
        ...enter(worker, 'failed', event.data, at),
        blockedBy: event.data.blockedBy,
        failures: worker.failures + (event.data.by === undefined ? 1 : 0),
        block: null,
        stop: null,
      };
    case 'worker.skipped':
      return {
        ...enter(worker, 'skipped', event.data, at),
        satisfies: event.data.satisfies,
        block: null,
        blockedBy: null,
      };
    case 'worker.cancelled':
      return {
        ...enter(worker, 'cancelled', event.data, at),
        block: null,
        blockedBy: null,
        stop: null,
        merge: null,
        checking: false,
      };
  }
}

function enter(
  worker: WorkerState,
  to: WorkerStateName,
  entered: Entered,
  at: number,
): WorkerState {
  if (entered.from !== worker.state || !canMove(worker.state, to)) {
    throw new Error(
      `${worker.id} cannot go ${entered.from ?? 'nowhere'} → ${to}: it is ${worker.state}`,
    );
  }
  return {
    ...say(
      worker,
      at,
      `${worker.state} → ${to}${entered.reason === '' ? '' : `: ${entered.reason}`}`,
    ),
    state: to,
    pausedWithRun: false,
    from: worker.state,
    since: at,
    reason: entered.reason,
    claims: isFinal(to) ? false : worker.claims,
    readySince: to === 'ready' ? worker.readySince : null,
    completedAt: isFinal(to) ? at : null,
  };
}

function onlyApprovals(review: ReviewState): ReviewState {
  return { ...review, verdicts: review.verdicts.filter(({ result }) => result === 'approve') };
}

function reworked(
  worker: WorkerState,
  block: Block,
  at: number,
): Pick<WorkerState, 'reworks' | 'reworksUsed' | 'notes'> {
  const { kind, step, text, files } = block;
  return {
    reworks: [...worker.reworks, { at, attempt: worker.attempts, kind, step, text, files }],
    reworksUsed: worker.reworksUsed + 1,
    notes: note(worker, 'finding', findingText(block), at),
  };
}

function findingText(block: {
  readonly text: string;
  readonly findings: readonly string[];
}): string {
  return [block.text, ...block.findings].join('\n');
}

type Counts = EventData['worker.ready']['counts'];

function nextLost(worker: WorkerState, counts: Counts): number {
  if (counts === 'lost') return worker.lostInRow + 1;
  return counts === 'interrupted' || counts === 'quota' ? worker.lostInRow : 0;
}

function nextQuota(worker: WorkerState, counts: Counts): number {
  if (counts === 'quota') return worker.quotaInRow + 1;
  return counts === 'interrupted' || counts === 'lost' ? worker.quotaInRow : 0;
}

function newAttempt(data: EventData['worker.started'], at: number): AttemptState {
  return {
    n: data.attempt,
    phase: data.direct === true ? 'launch' : 'tree',
    startedAt: at,
    endedAt: null,
    continues: data.continues,
    agent: data.agent ?? null,
    setupGranted: false,
    base: null,
    process: null,
    reported: false,
    used: noUsage,
    end: null,
    judgement: null,
    lastWords: [],
    stopWord: null,
    asks: [],
    reportOffset: 0,
    outputOffset: 0,
  };
}
