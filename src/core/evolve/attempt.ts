/** What happens to a worker's attempt, and what its agent says of itself. */
import type { EventOf } from '../events.ts';
import { evolveAsk } from './ask.ts';
import { noUsage, sum } from '../usage.ts';
import type { WorkerState } from '../state.ts';
import { nameTask, touchTask } from './task-list.ts';
import { attempt, keptNotes, say } from './worker-parts.ts';

/** Events of an attempt. */
export type OfAttempt =
  | 'worker.task_listed'
  | 'worker.task_started'
  | 'worker.task_completed'
  | 'worker.checkpoint'
  | 'worker.reported_blocked'
  | 'worker.asked'
  | 'worker.answered'
  | 'worker.handoff'
  | 'worker.usage'
  | 'worker.report_refused'
  | 'permission.requested'
  | 'permission.answered'
  | 'answer.delivered'
  | 'permission.denied'
  | 'attempt.session'
  | 'attempt.read'
  | 'attempt.prepared'
  | 'attempt.setup_started'
  | 'attempt.setup_passed'
  | 'attempt.ended'
  | 'work.collected'
  | 'teardown.failed'
  | 'work.kept'
  | 'kept.dropped'
  | 'tree.requested'
  | 'tree.made'
  | 'tree.removed';

/** The worker after an event of its attempt. */
export function evolveAttempt(worker: WorkerState, event: EventOf<OfAttempt>): WorkerState {
  const { at } = event;
  switch (event.type) {
    case 'worker.task_listed':
      return { ...worker, tasks: nameTask(worker.tasks, event.data.task, event.data.ref) };
    case 'worker.task_started':
      return {
        ...say(worker, at, `task: ${event.data.task}`),
        tasks: touchTask(worker.tasks, event.data.task, { startedAt: at }),
      };
    case 'worker.task_completed':
      return {
        ...say(worker, at, `task done: ${event.data.task}`),
        tasks: touchTask(worker.tasks, event.data.task, { completedAt: at }),
      };
    case 'worker.checkpoint':
      return say(worker, at, `checkpoint: ${event.data.name}`);
    case 'worker.reported_blocked':
      return {
        ...say(worker, at, `blocked: ${event.data.text}`),
        attempt: attempt(worker, { stopWord: { kind: 'blocker', text: event.data.text } }),
      };
    case 'worker.answered':
    case 'permission.requested':
    case 'permission.answered':
    case 'answer.delivered':
      return evolveAsk(worker, event);
    case 'worker.asked':
      if (event.data.wait !== undefined) return evolveAsk(worker, event);
      return {
        ...say(worker, at, `asks: ${event.data.text}`),
        attempt: attempt(worker, { stopWord: { kind: 'question', text: event.data.text } }),
      };
    case 'worker.handoff':
      return { ...say(worker, at, 'handoff written'), handoff: event.data.text };
    case 'worker.usage':
      return {
        ...worker,
        usage: {
          input: worker.usage.input + event.data.input,
          output: worker.usage.output + event.data.output,
          cached: worker.usage.cached + event.data.cached,
          costUsd: worker.usage.costUsd + event.data.costUsd,
          source: worker.usage.source === 'estimated' ? 'estimated' : event.data.source,
        },
        attempt: attempt(worker, {
          reported: true,
          used: sum(worker.attempt?.used ?? noUsage, event.data),
          ...(event.data.source === 'metered' ? { metered: true } : {}),
        }),
      };
    case 'permission.denied':
      return say(worker, at, `not allowed: ${event.data.tool} ${event.data.detail}`.trim());
    case 'attempt.session':
      return { ...worker, session: { agent: event.data.agent, id: event.data.session } };
    case 'worker.report_refused':
      return say(worker, at, `report refused: ${event.data.error}`);
    case 'attempt.read':
      return {
        ...worker,
        attempt: attempt(worker, {
          reportOffset: event.data.reportOffset,
          outputOffset: event.data.outputOffset,
        }),
      };
    case 'attempt.prepared':
      return {
        ...worker,
        branch: event.data.branch === '' ? null : event.data.branch,
        worktree: event.data.worktree,
        attempt: attempt(worker, { phase: 'setup', base: event.data.base }),
      };
    case 'attempt.setup_started':
      return { ...worker, attempt: attempt(worker, { setupGranted: true }) };
    case 'attempt.setup_passed':
      return { ...worker, attempt: attempt(worker, { phase: 'launch', setupGranted: false }) };
    case 'attempt.ended':
      return {
        ...worker,
        attempt: attempt(worker, {
          phase: 'ended',
          end: event.data.end,
          judgement: event.data.judgement,
          endedAt: at,
          lastWords: event.data.lastWords,
          setupGranted: false,
        }),
      };
    case 'work.collected':
      return {
        ...worker,
        work: event.data.work,
        attempt: attempt(worker, { phase: 'collected' }),
        kept: event.data.work === null ? worker.kept : addKept(worker, event.data.work.kept),
        notes:
          event.data.work === null ? worker.notes : keptNotes(worker, event.data.work.kept, at),
      };
    case 'teardown.failed':
      return say(worker, at, `teardown failed: ${event.data.command}`);
    case 'work.kept':
      return {
        ...worker,
        kept: addKept(worker, [event.data.kept]),
        notes: keptNotes(worker, [event.data.kept], at),
      };
    case 'tree.requested':
      return worker;
    case 'tree.made': {
      const { branch, worktree } = event.data;
      return { ...say(worker, at, `its tree was made: ${worktree}`), branch, worktree };
    }
    case 'tree.removed':
      return { ...say(worker, at, `its tree was removed`), worktree: null };
    case 'kept.dropped': {
      const { ref, to, commit } = event.data;
      return {
        ...say(worker, at, `dropped: ${ref}`),
        kept: worker.kept.filter((one) => one.ref !== ref),
        dropped: [...worker.dropped.filter((one) => one.to !== to), { ref, to, commit }],
      };
    }
  }
}

/** What is kept again under the same ref, as after a crash, is kept once; other work takes the place of what a prune took. */
function addKept(worker: WorkerState, kept: WorkerState['kept']): WorkerState['kept'] {
  const known = new Map(worker.kept.map((one) => [one.ref, one.commit]));
  const anew = kept.filter((one) => known.get(one.ref) !== one.commit);
  const taken = new Set(anew.map((one) => one.ref));
  return [...worker.kept.filter((one) => !taken.has(one.ref)), ...anew];
}
