/**
 * Review: whose approvals a worker's change needs, who is asked next, and what their verdicts mean. An approval is bound
 * to the tip that was looked at: it survives a merge that leaves the change as it is, and dies with a change of the
 * branch. The author's session never reviews: a reviewing agent is a process of its own.
 */
import { lacksBudget } from './budget.ts';
import type { NewEvent, ReviewFinding } from './events.ts';
import { reviewOf } from './resolution.ts';
import { sentBack } from './rework.ts';
import { tipOf } from './settle.ts';
import {
  definitionOf,
  type RepositoryState,
  type ReviewVerdict,
  type RunState,
  type WorkerState,
} from './state.ts';

/** Reviews without a verdict, for one tip, after which a person is asked. */
export const missesAllowed = 2;

/** Whether work of the worker is merged only after a review. */
export function isReviewed(run: RunState, worker: WorkerState): boolean {
  return reviewOf(run, worker) !== undefined;
}

/** Verdicts on the change as it stands now, of the worker as it is defined now; the last of each reviewer's counts. */
export function reviewVerdicts(run: RunState, worker: WorkerState): readonly ReviewVerdict[] {
  const { hash } = definitionOf(run, worker.id);
  return (worker.review?.verdicts ?? []).filter(
    (verdict) => verdict.tip === tipOf(worker) && verdict.definition === hash,
  );
}

/** What the review has come to: a person's word settles what an agent objected to. */
export type ReviewOutcome =
  | { readonly kind: 'approved' }
  | { readonly kind: 'changes'; readonly verdict: ReviewVerdict }
  /** The next agent that looks at it. */
  | { readonly kind: 'agent'; readonly name: string }
  | { readonly kind: 'person' };

export function reviewOutcome(run: RunState, worker: WorkerState): ReviewOutcome {
  const review = reviewOf(run, worker);
  if (review === undefined) return { kind: 'approved' };
  const verdicts = reviewVerdicts(run, worker);
  const person = verdicts.findLast((one) => one.by !== 'agent');
  if (person?.result === 'changes_requested') return { kind: 'changes', verdict: person };
  const agents = verdicts.filter((one) => one.by === 'agent');
  const objection = agents.find((one) => one.result === 'changes_requested');
  if (objection !== undefined && person === undefined)
    return { kind: 'changes', verdict: objection };
  const approvals = agents.filter((one) => one.result === 'approve').length;
  if (approvals + (person === undefined ? 0 : 1) >= review.quorum) return { kind: 'approved' };
  const next = review.agents[agents.length];
  return next === undefined ? { kind: 'person' } : { kind: 'agent', name: next };
}

/** Whether the worker stands still until a person has reviewed it. */
export function awaitsReviewer(run: RunState, worker: WorkerState): boolean {
  return worker.state === 'reviewing' && reviewOutcome(run, worker).kind === 'person';
}

/** Whether only a person's money lets the review go on. */
export function reviewLacksBudget(
  at: { readonly state: RepositoryState; readonly run: RunState; readonly now: number },
  worker: WorkerState,
): boolean {
  if (worker.state !== 'reviewing' || worker.review?.running != null) return false;
  return reviewOutcome(at.run, worker).kind === 'agent' && lacksBudget(at, worker);
}

/** reviewing → merging, ready or blocked, once the reviewers have spoken. */
export function reviewingOutcome(run: RunState, worker: WorkerState): NewEvent | null {
  if (worker.state !== 'reviewing') return null;
  if ((worker.review?.misses ?? 0) >= missesAllowed) return withoutVerdict(worker);
  const outcome = reviewOutcome(run, worker);
  switch (outcome.kind) {
    case 'approved':
      return { type: 'worker.merging', data: { from: 'reviewing', reason: 'its review passed' } };
    case 'changes': {
      const { reviewer, text, findings } = outcome.verdict;
      return sentBack(run, worker, {
        kind: 'review',
        step: 'reviewing',
        text: `${reviewer} asks for changes${text === '' ? '' : `: ${firstLine(text)}`}`,
        findings: [...(text === '' ? [] : [text]), ...findings.map(findingLine)],
        files: [...new Set(findings.flatMap(({ file }) => file ?? []))],
      });
    }
    case 'agent':
    case 'person':
      return null;
  }
}

function withoutVerdict(worker: WorkerState): NewEvent {
  const text = `${worker.review?.misses ?? 0} reviews gave no verdict`;
  const block = {
    kind: 'inconclusive' as const,
    step: 'reviewing' as const,
    text,
    findings: [worker.review?.missed ?? ''].filter((why) => why !== ''),
    files: [],
  };
  return {
    type: 'worker.blocked',
    data: { from: 'reviewing', reason: text, block, blockedBy: null },
  };
}

/** `high src/x.ts:12: text`, as a person or an agent reads it. */
export function findingLine({ severity, file, line, text }: ReviewFinding): string {
  const where = file === null ? '' : ` ${file}${line === null ? '' : `:${line}`}`;
  return `${severity}${where}: ${text}`;
}

/** Whether findings are so bad that they count as a request for changes, whatever the reviewer calls its verdict. */
export function isGrave(findings: readonly ReviewFinding[]): boolean {
  return findings.some(({ severity }) => severity === 'critical' || severity === 'high');
}

function firstLine(text: string): string {
  const [line = ''] = text.trim().split('\n', 1);
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
