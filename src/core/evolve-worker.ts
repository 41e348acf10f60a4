/**
 * What each event does to the worker that it names. A transition is taken only when the lifecycle has it and the event
 * says truly where it comes from.
 */
import { blockWithout } from './protect.ts';
import type { Event, Entered, EventData } from './events.ts';
import { canMove, isFinal, type WorkerStateName } from './lifecycle.ts';
import type { AttemptState, Note, WorkerState } from './state.ts';
import { touchTask } from './task-list.ts';

const activityKept = 50;

/** The worker after the event; throws when the lifecycle does not have the transition. */
export function evolveWorker(worker: WorkerState, event: Event): WorkerState {
  const { at } = event;
  switch (event.type) {
    case 'worker.pending': {
      if (event.data.from === null) return worker;
      const retried = event.data.by === 'user' && event.data.from !== 'paused';
      return {
        ...enter(worker, 'pending', event.data, at),
        block: null,
        blockedBy: null,
        ...(retried
          ? {
              failures: 0,
              lostInRow: 0,
              nextClean: event.data.clean,
              completedAt: null,
              submitted: false,
            }
          : {}),
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
        nextClean: event.data.tree === null ? worker.nextClean : event.data.tree === 'clean',
        checking: false,
        merge: null,
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
        ...(event.data.submitted
          ? { submitted: true, work: null, attempt: attempt(worker, { phase: 'ended' }) }
          : {}),
      };
    case 'worker.reviewing':
      return enter(worker, 'reviewing', event.data, at);
    case 'worker.merging':
      return {
        ...enter(worker, 'merging', event.data, at),
        block: null,
        blockedBy: null,
        merge: null,
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
          block.kind === 'dependency'
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
      };
    case 'worker.failed':
      return {
        ...enter(worker, 'failed', event.data, at),
        blockedBy: event.data.blockedBy,
        failures: worker.failures + 1,
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
      return { ...worker, stop: { to: event.data.to, reason: event.data.reason } };
    case 'worker.noted':
      return {
        ...say(worker, at, `${event.data.kind}: ${event.data.text}`),
        notes: note(worker, event.data.kind, event.data.text, at),
      };
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
    case 'worker.asked':
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
          source: 'reported',
        },
      };
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
    case 'work.kept':
      return {
        ...worker,
        kept: [...worker.kept, event.data.kept],
        notes: keptNotes(worker, [event.data.kept], at),
      };
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
      if ('tip' in verdict) return { ...said, verdicts: [...worker.verdicts, verdict] };
      return {
        ...said,
        checking: false,
        merge: worker.merge === null ? null : { ...worker.merge, checking: false },
      };
    }
    case 'protect.approved':
      return {
        ...say(worker, at, `${event.data.path} approved`),
        block: blockWithout(worker.block, event.data.path),
        approvals: [...worker.approvals, { path: event.data.path, patch: event.data.patch }],
      };
    case 'merge.started':
      return { ...worker, merge: { ...event.data, built: null, checking: false } };
    case 'merge.built':
      return worker.merge === null
        ? worker
        : { ...worker, merge: { ...worker.merge, built: event.data } };
    case 'merge.conflict':
      return say(worker, at, `conflict in ${event.data.files.join(', ')}`);
    case 'merge.abandoned':
      return { ...worker, merge: null };
    case 'dependency.superseded':
      return event.worker === event.data.dependent &&
        !worker.superseded.includes(event.data.dependency)
        ? { ...worker, superseded: [...worker.superseded, event.data.dependency] }
        : worker;
    case 'effect.failed':
      return say(worker, at, `${event.data.effect} failed: ${event.data.error}`);
    case 'loop.started':
    case 'loop.ended':
    case 'run.started':
    case 'run.prepared':
    case 'run.waiting':
    case 'run.running':
    case 'run.complete':
    case 'run.failed':
    case 'run.cancelled':
    case 'run.cancel_requested':
    case 'refs.published':
    case 'refs.diverged':
    case 'land.started':
    case 'land.built':
    case 'land.refused':
    case 'run.landed':
      throw new Error(`${event.type} does not concern a worker (event ${event.seq})`);
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
    from: worker.state,
    since: at,
    reason: entered.reason,
    claims: isFinal(to) ? false : worker.claims,
    readySince: to === 'ready' ? worker.readySince : null,
    completedAt: isFinal(to) ? at : null,
  };
}

function say(worker: WorkerState, at: number, text: string): WorkerState {
  return { ...worker, latest: [...worker.latest, { at, text }].slice(-activityKept) };
}

function note(worker: WorkerState, kind: Note['kind'], text: string, at: number): readonly Note[] {
  return [...worker.notes, { kind, text, at }];
}

function keptNotes(
  worker: WorkerState,
  kept: readonly { readonly ref: string; readonly files: readonly string[] }[],
  at: number,
): readonly Note[] {
  return [
    ...worker.notes,
    ...kept.map((one) => ({
      kind: 'kept' as const,
      text: `${one.ref}: ${one.files.join(', ')}`,
      at,
    })),
  ];
}

/** What is kept again under the same ref, as after a crash, is kept once. */
function addKept(worker: WorkerState, kept: WorkerState['kept']): WorkerState['kept'] {
  const known = new Set(worker.kept.map((one) => one.ref));
  return [...worker.kept, ...kept.filter((one) => !known.has(one.ref))];
}

function findingText(block: {
  readonly text: string;
  readonly findings: readonly string[];
}): string {
  return [block.text, ...block.findings].join('\n');
}

function nextLost(worker: WorkerState, counts: 'failed' | 'lost' | 'interrupted' | null): number {
  if (counts === 'lost') return worker.lostInRow + 1;
  return counts === 'interrupted' ? worker.lostInRow : 0;
}

function newAttempt(data: EventData['worker.started'], at: number): AttemptState {
  return {
    n: data.attempt,
    phase: data.direct === true ? 'launch' : 'tree',
    startedAt: at,
    endedAt: null,
    continues: data.continues,
    setupGranted: false,
    base: null,
    process: null,
    end: null,
    judgement: null,
    lastWords: [],
    stopWord: null,
    reportOffset: 0,
    outputOffset: 0,
  };
}

function attempt(worker: WorkerState, patch: Partial<AttemptState>): AttemptState | null {
  return worker.attempt === null ? null : { ...worker.attempt, ...patch };
}
