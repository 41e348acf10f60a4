/** A worker's review for people and programs: who is asked, who said what, and what to type. Pure. */
import { findingLine, reviewOutcome, reviewVerdicts } from '../core/review.ts';
import { reviewOf } from '../core/resolution.ts';
import type { RunState, WorkerState } from '../core/state.ts';
import { oneLine } from './cells.ts';
import { timestamp } from './figures.ts';
import type { ReviewDocument } from './review-schema.ts';

/** Where the review stands, in a word: `status` shows it; null when there is none. */
export function reviewStatus(run: RunState, worker: WorkerState): string | null {
  if (reviewOf(run, worker) === undefined) return null;
  if (worker.review?.running != null) return 'running';
  const outcome = reviewOutcome(run, worker);
  if (outcome.kind === 'approved') return 'approved';
  if (outcome.kind === 'changes') return 'changes_requested';
  if (worker.state === 'reviewing') return outcome.kind === 'person' ? 'waiting' : 'due';
  return 'required';
}

export function reviewDocument(run: RunState, worker: WorkerState): ReviewDocument {
  const review = reviewOf(run, worker);
  const running = worker.review?.running ?? null;
  return {
    v: 1,
    run: run.id,
    worker: worker.id,
    state: worker.state,
    tip: worker.work?.tip ?? null,
    review:
      review === undefined
        ? null
        : { agents: [...review.agents], human: review.person, quorum: review.quorum },
    status: reviewStatus(run, worker),
    running: running === null ? null : { review: running.n, reviewer: running.reviewer },
    removed: (worker.resolution?.removed ?? []).map(({ path, lines, more }) => ({
      file: path,
      lines: [...lines],
      more,
    })),
    verdicts: reviewVerdicts(run, worker).map(
      ({ reviewer, by, result, tip, at, text, findings }) => ({
        reviewer,
        by,
        result,
        tip,
        at: timestamp(at),
        text,
        findings: findings.map((one) => ({ ...one })),
      }),
    ),
  };
}

/** For a person; `stat` is the table of changed files. */
export function reviewText(document: ReviewDocument, stat: string): readonly string[] {
  const { worker, review, state, tip, status, running, removed, verdicts } = document;
  if (review === null) return [`${worker} is merged without a review.`];
  const who = [...review.agents, ...(review.human ? ['a person'] : [])].join(', ');
  return [
    `${worker} (${state}) at ${tip?.slice(0, 10) ?? 'nothing yet'}: review by ${who}, ${review.quorum} needed: ${status ?? ''}`,
    ...(running === null ? [] : [`${running.reviewer} looks at it now`]),
    ...(stat.trim() === '' ? [] : ['', ...stat.trimEnd().split('\n')]),
    ...removed.flatMap(({ file, lines, more }) => [
      '',
      `removed from ${file} when it settled a conflict:`,
      ...lines.map((line) => `- ${oneLine(line)}`),
      ...(more === 0 ? [] : [`- and ${more} more`]),
    ]),
    ...verdicts.flatMap(({ reviewer, result, text, findings }) => [
      '',
      `${reviewer}: ${result === 'approve' ? 'approved' : 'asks for changes'}${text === '' ? '' : `: ${oneLine(text)}`}`,
      ...findings.map((one) => `  ${oneLine(findingLine(one))}`),
    ]),
    ...(state === 'reviewing' || (state === 'blocked' && status !== 'approved')
      ? [
          '',
          `czar diff ${worker}`,
          `czar review ${worker} --approve`,
          `czar review ${worker} --request-changes -m TEXT`,
        ]
      : []),
  ];
}
