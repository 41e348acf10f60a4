/** What a person says of a worker's change, and what became of a review by an agent. */
import { accept, refuse, type Decision } from '../decision.ts';
import { of, why, type Asked } from './asked.ts';
import type { Outcome } from '../commands.ts';
import type { NewEvent, ReviewWord } from '../events.ts';
import { isGrave, isReviewed } from '../review.ts';
import { tipOf } from '../settle.ts';
import { definitionOf, type RunState, type WorkerState } from '../state.ts';

/** A person's review, of the change as it stands now. */
export function review(run: RunState, worker: WorkerState, request: Asked<'review'>): Decision {
  const { state, block } = worker;
  const blockedThere = state === 'blocked' && block?.step === 'reviewing';
  if (state !== 'reviewing' && !blockedThere) {
    const hint = isReviewed(run, worker)
      ? why(worker)
      : `review: human in its definition asks for a review.`;
    return refuse(4, `${worker.id} is not under review: it is ${state}.`, hint);
  }
  if (
    request.result === 'changes_requested' &&
    request.text === '' &&
    request.findings.length === 0
  )
    return refuse(
      2,
      'A request for changes says what to change.',
      'Add -m TEXT or --comments FILE.',
    );
  if (request.tip !== null && request.tip !== tipOf(worker)) {
    return refuse(
      4,
      `${worker.id} has changed since it was looked at.`,
      `czar diff ${worker.id} shows it as it is now.`,
    );
  }
  const word = of(run, worker, {
    type: request.result === 'approve' ? 'review.approved' : 'review.changes_requested',
    data: {
      ...subjectOf(run, worker),
      reviewer: 'user',
      by: request.by,
      n: null,
      text: request.text,
      findings: request.findings,
    },
  });
  if (!blockedThere) return accept([word]);
  return accept([
    word,
    of(run, worker, { type: 'worker.reviewing', data: { from: 'blocked', reason: 'reviewed' } }),
  ]);
}

/** What a verdict is bound to. */
export function subjectOf(
  run: RunState,
  worker: WorkerState,
): Pick<ReviewWord, 'tip' | 'patch' | 'definition'> {
  return {
    tip: tipOf(worker),
    patch: worker.work?.patch ?? '',
    definition: definitionOf(run, worker.id).hash,
  };
}

/** The end of a review by an agent: its usage counts whatever it said. */
export function reviewEnded(
  run: RunState,
  worker: WorkerState,
  outcome: Extract<Outcome, { kind: 'reviewed' }>,
): readonly NewEvent[] {
  const running = worker.review?.running;
  if (running?.n !== outcome.n) return [];
  const used: NewEvent[] =
    outcome.usage === null
      ? []
      : [{ type: 'worker.usage', data: { ...outcome.usage, source: 'reported' } }];
  const { n, reviewer } = running;
  const { said } = outcome;
  if (said.kind === 'none' || worker.state !== 'reviewing' || running.tip !== tipOf(worker)) {
    const missed = said.kind === 'none' ? said : { ...stopped, reason: 'nobody waits for it now' };
    const { reason, notBefore, counts } = missed;
    return [
      ...used,
      { type: 'review.inconclusive', data: { n, reviewer, reason, notBefore, counts } },
    ];
  }
  const approves = said.result === 'approve' && !isGrave(said.findings);
  const { text, findings } = said;
  const data = { ...subjectOf(run, worker), reviewer, by: 'agent' as const, n, text, findings };
  return [...used, { type: approves ? 'review.approved' : 'review.changes_requested', data }];
}

const stopped = { notBefore: null, counts: false };
