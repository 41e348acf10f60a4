/** Who is told of which event. Pure. */
import type { Event, EventType } from './events.ts';
import type { NotifyTarget } from './plan.ts';

/** A daemon that its guardian does not start again. No event of the log: nobody is left to write one. */
export const daemonGaveUp = 'daemon.gave_up';

/** What a target may ask for: everything but what carries a whole plan, or is only for the log. */
export const noticeTypes = [
  'approval.requested',
  'approval.granted',
  'approval.denied',
  'permission.requested',
  'permission.answered',
  'budget.warned',
  'budget.exceeded',
  'budget.raised',
  'limits.changed',
  'run.waiting',
  'run.running',
  'run.paused',
  'run.complete',
  'run.failed',
  'run.cancelled',
  'run.landed',
  'run.synced',
  'worker.ready',
  'worker.started',
  'worker.active',
  'worker.verifying',
  'worker.reviewing',
  'review.started',
  'review.approved',
  'review.changes_requested',
  'review.inconclusive',
  'worker.merging',
  'worker.merged',
  'worker.complete',
  'worker.blocked',
  'worker.paused',
  'worker.failed',
  'worker.skipped',
  'worker.cancelled',
  'worker.error',
  'worker.asked',
  'worker.reported_blocked',
  'worker.handoff',
  'worker.checkpoint',
  'worker.task_completed',
  'gate.failed',
  'gate.inconclusive',
  'merge.conflict',
  'land.refused',
  'pull.opened',
  'pull.sent_back',
  'pull.closed',
  'refs.pushed',
  'refs.diverged',
  'disk.low',
  'effect.failed',
  daemonGaveUp,
] as const satisfies readonly (EventType | typeof daemonGaveUp)[];

export type NoticeType = (typeof noticeTypes)[number];

/** What a person must act on, or know: told where a target names no events. */
export const toldByDefault: readonly NoticeType[] = [
  'approval.requested',
  'permission.requested',
  'worker.blocked',
  'worker.failed',
  'budget.warned',
  'budget.exceeded',
  'disk.low',
  'run.waiting',
  'run.complete',
  'run.failed',
  daemonGaveUp,
];

/** The targets that are told of an event. What is blocked by a failure is settled with that, so nobody is told of it. */
export function toldOf(targets: readonly NotifyTarget[], event: Event): readonly NotifyTarget[] {
  if (event.type === 'worker.blocked' && event.data.blockedBy !== null) return [];
  return targets.filter(
    ({ events, workers }) =>
      events.includes(event.type) &&
      (workers === undefined || event.worker === undefined || workers.includes(event.worker)),
  );
}
