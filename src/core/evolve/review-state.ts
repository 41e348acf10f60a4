/** What events of a review do to a worker. */
import type { EventOf } from '../events.ts';
import type { ReviewState, WorkerState } from '../state.ts';

export const noReview: ReviewState = {
  made: 0,
  running: null,
  misses: 0,
  missed: '',
  notBefore: null,
  verdicts: [],
};

/** Events of a review. */
export type ReviewEvent =
  'review.started' | 'review.approved' | 'review.changes_requested' | 'review.inconclusive';

/** The worker's review after the event. */
export function reviewed(worker: WorkerState, event: EventOf<ReviewEvent>): ReviewState {
  const review = worker.review ?? noReview;
  switch (event.type) {
    case 'review.started': {
      const { n, reviewer, tip } = event.data;
      return { ...review, made: n, running: { n, reviewer, tip } };
    }
    case 'review.approved':
    case 'review.changes_requested': {
      const result = event.type === 'review.approved' ? 'approve' : 'changes_requested';
      const { running } = review;
      return {
        ...review,
        running: running !== null && running.n === event.data.n ? null : running,
        verdicts: [...review.verdicts, { ...event.data, result, at: event.at }],
      };
    }
    case 'review.inconclusive': {
      const { counts, reason, notBefore } = event.data;
      return {
        ...review,
        running: null,
        misses: review.misses + (counts ? 1 : 0),
        missed: counts ? reason : review.missed,
        notBefore,
      };
    }
  }
}

/** The event in a few words. */
export function reviewText(event: EventOf<ReviewEvent>): string {
  const { reviewer } = event.data;
  switch (event.type) {
    case 'review.started':
      return `${reviewer} reviews`;
    case 'review.approved':
      return `${reviewer} approved`;
    case 'review.changes_requested':
      return `${reviewer} asks for changes`;
    case 'review.inconclusive':
      return `${reviewer} gave no verdict: ${event.data.reason}`;
  }
}
