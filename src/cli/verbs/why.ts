/** `czar why WORKER`: the true cause of where it is, in one sentence, and what to do about it. */
import { isLive } from '../../core/lifecycle.ts';
import type { WorkerState } from '../../core/state.ts';
import { why } from '../../core/why.ts';
import { isHeld } from '../../daemon/views/read.ts';
import { nextCommand } from '../../report/next-command.ts';
import { readingWorker } from '../reading.ts';
import type { PlainVerb } from '../verb.ts';

export const verb: PlainVerb = {
  words: [{ name: 'worker', required: true, text: 'worker to ask about' }],
  options: [],
  act: async (context, { words: [id = ''] }) => {
    await readingWorker(context, id, ({ reader, place, state, run, worker }) => {
      const now = context.now();
      const goesOn = run.state === 'running' || isLive(worker.state);
      const left = goesOn && !isHeld(place);
      const ended = reader.liveness(now)(run, worker).state === 'ended';
      const alone = left ? unledCause(worker, ended) : ended ? untakenCause(worker) : null;
      const cause = alone === null ? why(state, run, worker, now) : `${id} is active: ${alone}.`;
      const sentence = left ? `${cause} No czar is running here.` : cause;
      const next = nextCommand(run, worker) ?? (left ? 'czar run' : null);
      if (context.options.json) {
        context.out.json({ v: 1, worker: id, state: worker.state, why: sentence, next });
        return;
      }
      context.out.line(sentence);
      if (next !== null) context.out.line({ text: `next: ${next}`, style: 'dim' });
    });
  },
};

/** What is so of an attempt that no loop looks after; null when that changes nothing. */
function unledCause({ state, stop }: WorkerState, ended: boolean): string | null {
  if (state !== 'active') return null;
  if (ended) return 'its agent has ended; nobody has collected it';
  return stop === null ? null : `it is to be stopped (${stop.reason}), and nobody does`;
}

/** That the end of its agent is not in the log, which a loop takes in at once unless the disk is full; null when it is. */
function untakenCause({ state, attempt, stop }: WorkerState): string | null {
  if (state !== 'active' || attempt?.phase !== 'running' || stop !== null) return null;
  return 'its agent has ended; it has not been collected yet';
}
