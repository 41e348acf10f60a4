/** What each event does to the worker that it names. */
import { blockWithout } from '../protect.ts';
import { plus, warningShare } from '../spend.ts';
import type { Event } from '../events.ts';
import { reviewed, reviewText } from './review-state.ts';
import { evolveAttempt } from './attempt.ts';
import { enterState } from './state.ts';
import type { WorkerState } from '../state.ts';
import { note, say } from './worker-parts.ts';

/** The worker after the event; throws when the lifecycle does not have the transition. */
export function evolveWorker(worker: WorkerState, event: Event): WorkerState {
  const { at } = event;
  switch (event.type) {
    case 'worker.pending':
    case 'worker.ready':
    case 'worker.started':
    case 'worker.active':
    case 'worker.verifying':
    case 'worker.reviewing':
    case 'worker.merging':
    case 'worker.complete':
    case 'worker.blocked':
    case 'worker.paused':
    case 'worker.failed':
    case 'worker.skipped':
    case 'worker.cancelled':
      return enterState(worker, event);
    case 'worker.task_listed':
    case 'worker.task_started':
    case 'worker.task_completed':
    case 'worker.checkpoint':
    case 'worker.reported_blocked':
    case 'worker.asked':
    case 'worker.answered':
    case 'worker.handoff':
    case 'worker.usage':
    case 'worker.report_refused':
    case 'permission.requested':
    case 'permission.answered':
    case 'answer.delivered':
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
    case 'tree.requested':
    case 'tree.made':
    case 'tree.removed':
      return evolveAttempt(worker, event);
    case 'worker.error':
      return {
        ...say(worker, at, `attempt ${worker.attempt?.n ?? 0} failed: ${event.data.error}`),
        notes: note(worker, 'failure', event.data.error, at),
      };
    case 'worker.merged':
      return {
        ...say(worker, at, `merged as ${event.data.commit.slice(0, 10)}`),
        merged: { commit: event.data.commit, tree: event.data.tree, at },
        mergedFacts: { ...event.data.files, commits: event.data.commits },
      };
    case 'worker.stop_requested':
      // Nothing of it runs: what is asked is that it stays paused when its run is resumed.
      if (worker.state === 'paused') return { ...worker, pausedWithRun: false };
      return {
        ...worker,
        stop: {
          to: event.data.to,
          reason: event.data.reason,
          withRun: event.data.withRun === true,
        },
      };
    case 'worker.noted':
      return {
        ...say(worker, at, `${event.data.kind}: ${event.data.text}`),
        notes:
          event.data.late === true
            ? [...worker.notes, { kind: event.data.kind, text: event.data.text, at, late: true }]
            : note(worker, event.data.kind, event.data.text, at),
      };
    case 'budget.warned':
    case 'budget.exceeded':
      return event.data.scope === 'worker'
        ? { ...worker, told: event.type === 'budget.warned' ? warningShare : 1 }
        : worker;
    case 'budget.raised': {
      const { scope, by } = event.data;
      return scope === 'worker'
        ? {
            ...say(worker, at, `its budget was raised by ${by}`),
            raised: plus(worker.raised, event.data),
            told: 0,
          }
        : worker;
    }
    case 'inputs.checked':
      return { ...worker, inputsChecked: true };
    case 'gate.started':
      return worker.merge !== null && event.data.subject === 'merge'
        ? { ...worker, merge: { ...worker.merge, checking: true } }
        : { ...worker, checking: true };
    case 'gate.passed':
    case 'gate.failed':
    case 'gate.inconclusive': {
      const { verdict } = event.data;
      const said = say(worker, at, `${verdict.gate}: ${verdict.result}`);
      if ('tip' in verdict) {
        // Spread, the list would get room for sixteen more.
        return { ...said, verdicts: worker.verdicts.concat([verdict]) };
      }
      return {
        ...said,
        checking: false,
        merge: worker.merge === null ? null : { ...worker.merge, checking: false },
      };
    }
    case 'review.started':
    case 'review.approved':
    case 'review.changes_requested':
    case 'review.inconclusive':
      return { ...say(worker, at, reviewText(event)), review: reviewed(worker, event) };
    case 'protect.approved':
      return {
        ...say(worker, at, `${event.data.path} approved`),
        block: blockWithout(worker.block, event.data.path),
        approvals: [...worker.approvals, { path: event.data.path, patch: event.data.patch }],
      };
    case 'approval.requested':
    case 'approval.granted':
    case 'approval.denied': {
      const { attempt, definition } = event.data;
      const state = said[event.type];
      const words = state === 'asked' ? 'waits for approval' : `its launch was ${state}`;
      return {
        ...say(worker, at, words),
        approval: { attempt, definition, state, at },
        // While a person is waited for, others may change the same files.
        claims: state === 'asked' ? false : worker.claims,
      };
    }
    case 'merge.started':
      return {
        ...worker,
        merge: { ...event.data, built: null, checking: false },
        aside: false,
      };
    case 'merge.built':
      return worker.merge === null
        ? worker
        : { ...worker, merge: { ...worker.merge, built: event.data } };
    case 'merge.conflict':
      return {
        ...say(worker, at, `conflict in ${event.data.files.join(', ')}`),
        conflicted: worker.merge?.tip ?? worker.conflicted,
      };
    case 'merge.resolved':
      return { ...worker, resolution: event.data };
    case 'merge.abandoned':
      return { ...worker, merge: null, aside: event.data.aside === true };
    case 'dependency.superseded':
      return event.worker === event.data.dependent &&
        !worker.superseded.includes(event.data.dependency)
        ? { ...worker, superseded: [...worker.superseded, event.data.dependency] }
        : worker;
    case 'effect.failed':
      return say(worker, at, `${event.data.effect} failed: ${event.data.error}`);
    case 'loop.started':
    case 'loop.ended':
    case 'prune.started':
    case 'prune.done':
    case 'uninstall.started':
    case 'run.started':
    case 'plan.amended':
    case 'machine.observed':
    case 'agents.missing':
    case 'disk.low':
    case 'run.prepared':
    case 'run.waiting':
    case 'limits.changed':
    case 'run.running':
    case 'run.complete':
    case 'run.failed':
    case 'run.cancelled':
    case 'run.cancel_requested':
    case 'run.paused':
    case 'run.approval_set':
    case 'refs.published':
    case 'refs.pushed':
    case 'refs.diverged':
    case 'land.started':
    case 'land.built':
    case 'land.refused':
    case 'run.landed':
    case 'run.synced':
    case 'pull.requested':
    case 'pull.opened':
    case 'pull.sent_back':
    case 'pull.closed':
      throw new Error(`${event.type} does not concern a worker (event ${event.seq})`);
  }
}

const said = {
  'approval.requested': 'asked',
  'approval.granted': 'granted',
  'approval.denied': 'denied',
} as const;
