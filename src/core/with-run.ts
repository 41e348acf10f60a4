/** What a run that is paused does to its workers, and what they do when it is resumed. */
import type { NewEvent } from './events.ts';
import { isLive } from './lifecycle.ts';
import { mergeIsThrough } from './schedule/merge-chain.ts';
import { resumed } from './decide/resume.ts';
import { workersIn } from './run-index.ts';
import type { RunState, WorkerState } from './state.ts';

const reason = 'its run is paused';

/** Of a paused run, whatever is under way is stopped and paused with it; a merge that is through is carried on. */
export function held(run: RunState): readonly NewEvent[] {
  if (run.state !== 'paused') return [];
  return workersIn(run, 'starting', 'active', 'verifying', 'reviewing', 'merging').flatMap(
    (worker) => hold(run, worker) ?? [],
  );
}

function hold(run: RunState, worker: WorkerState): NewEvent | null {
  const place = { run: run.id, worker: worker.id };
  const by = 'user';
  if (!isLive(worker.state)) {
    if (mergeIsThrough(run, worker)) return null;
    const data = { from: worker.state, reason, by, withRun: true } as const;
    return { type: 'worker.paused', ...place, data };
  }
  if (worker.stop !== null) return null;
  const data = { to: 'paused', reason, by, withRun: true } as const;
  return { type: 'worker.stop_requested', ...place, data };
}

/** What was paused with a run that goes on again. */
export function released(run: RunState): readonly NewEvent[] {
  if (run.state === 'paused' || run.cancelling) return [];
  return workersIn(run, 'paused')
    .filter((worker) => worker.pausedWithRun)
    .map((worker) => resumed(run, worker, 'policy'));
}
