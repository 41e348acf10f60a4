/** Requests that hold a worker or a run, and let it go on; and what a person tells a worker's agent. */
import { of, why, type Asked } from './asked.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import { unsatisfied } from '../edges.ts';
import type { NewEvent } from '../events.ts';
import { isFinal, isLive } from '../lifecycle.ts';
import { mergeIsThrough } from '../schedule/merge-chain.ts';
import { resumed } from './resume.ts';
import { isRunLive, type RunState, type WorkerState } from '../state.ts';

/** Pause of one worker: what runs of it is stopped first. It stays paused when its run is resumed. */
export function pause(run: RunState, worker: WorkerState, { by }: Asked<'pause'>): Decision {
  const reason = 'paused by a person';
  if (isFinal(worker.state)) {
    return refuse(4, `${worker.id} is ${worker.state} already.`, why(worker));
  }
  if (mergeIsThrough(run, worker)) {
    return refuse(4, `${worker.id} has passed its gates and is being merged.`, why(worker));
  }
  const alone = of(run, worker, {
    type: 'worker.stop_requested',
    data: { to: 'paused', by, reason },
  });
  if (worker.state === 'paused') {
    if (worker.pausedWithRun) return accept([alone]);
    return accept([], `${worker.id} is paused already: czar resume ${worker.id} lets it go on.`);
  }
  if (isLive(worker.state)) {
    const { stop } = worker;
    if (stop?.to === 'cancelled') {
      return refuse(4, `${worker.id} is being cancelled.`, why(worker));
    }
    if (stop?.to === 'failed') {
      return refuse(4, `${worker.id} is being stopped and fails: ${stop.reason}.`, why(worker));
    }
    return accept(stop?.to === 'paused' && !stop.withRun ? [] : [alone]);
  }
  return accept([
    of(run, worker, { type: 'worker.paused', data: { from: worker.state, reason, by } }),
  ]);
}

/** Pause of the run: nothing of it starts, and what runs is stopped (`held`). */
export function pauseRun(run: RunState, { by }: Asked<'pause'>): Decision {
  if (!isRunLive(run)) return refuse(4, `Run ${run.id} is ${run.state} already.`, null);
  if (run.state === 'paused') return accept([]);
  return accept([{ type: 'run.paused', run: run.id, data: { by } }]);
}

/** Resume of one worker. */
export function resume(run: RunState, worker: WorkerState, { by }: Asked<'resume'>): Decision {
  if (worker.state !== 'paused') {
    if (isFinal(worker.state)) {
      return refuse(4, `${worker.id} is ${worker.state}: there is nothing to resume.`, why(worker));
    }
    if (worker.stop?.to !== 'paused')
      return accept([], `${worker.id} was not paused: it is ${worker.state}.`);
  }
  const withRun = worker.state === 'paused' ? worker.pausedWithRun : worker.stop?.withRun === true;
  if (run.state === 'paused' && withRun) {
    return refuse(
      4,
      `Run ${run.id} is paused, and ${worker.id} with it.`,
      'czar resume lets the whole run go on.',
    );
  }
  if (worker.state === 'paused') {
    const event = resumed(run, worker, by);
    return accept([event], notOnward(run, worker, event));
  }
  // A stop that has begun is carried through: then it goes on as soon as its run does.
  const data = {
    to: 'paused',
    by,
    reason: 'it was resumed while it was stopped',
    withRun: true,
  } as const;
  return accept(
    withRun ? [] : [of(run, worker, { type: 'worker.stop_requested', data })],
    `${worker.id} is still being stopped, and goes on then.`,
  );
}

/** What is told of a worker that is resumed and does not go on with that; undefined when it does. */
function notOnward(
  run: RunState,
  { id }: WorkerState,
  { type }: Pick<NewEvent, 'type'>,
): string | undefined {
  const free = `${id} is not paused any more`;
  if (type === 'worker.blocked')
    return `${free}, and blocked as before: czar why ${id} tells more.`;
  const waits = type === 'worker.pending' ? unsatisfied(run, id).map(({ on }) => on) : [];
  return waits.length === 0 ? undefined : `${free}, and waits for ${waits.join(', ')}.`;
}

/** What lets a worker go on, as it is told while its run is paused: nothing of it starts before the run goes on, too. */
export function inPausedRun(run: RunState, worker: WorkerState, decision: Decision): Decision {
  if (!decision.ok || run.state !== 'paused') return decision;
  const said = decision.said ?? `${worker.id} goes on with its run.`;
  return accept(decision.events, `${said} Run ${run.id} is paused: czar resume lets it go on.`);
}

/** Resume of the run; what was paused with it follows by itself (`released`). */
export function resumeRun(run: RunState): Decision {
  if (!isRunLive(run)) {
    return refuse(
      4,
      `Run ${run.id} is ${run.state}: there is nothing to resume.`,
      'czar retry WORKER takes a worker up again.',
    );
  }
  if (run.state !== 'paused')
    return accept([], `Run ${run.id} was not paused: it is ${run.state}.`);
  return accept([{ type: 'run.running', run: run.id, data: { reason: 'resumed' } }]);
}

/** Whether the prompt of its last attempt is written, and another one may never be. */
function hasItsPrompt({ state }: WorkerState): boolean {
  return (
    state === 'active' || state === 'verifying' || state === 'reviewing' || state === 'merging'
  );
}

/** What a person tells the worker's agent: it stands in its next prompt. */
export function tell(run: RunState, worker: WorkerState, { by, text }: Asked<'tell'>): Decision {
  if (worker.state === 'complete' || worker.state === 'skipped') {
    return refuse(4, `${worker.id} is ${worker.state}: it has no next prompt.`, why(worker));
  }
  const said = { by, kind: 'note', text } as const;
  const data = hasItsPrompt(worker) ? { ...said, late: true as const } : said;
  return accept([of(run, worker, { type: 'worker.noted', data })]);
}
