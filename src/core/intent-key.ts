/** Keys of intents: stable over restarts, one for each thing that may be done (A3). */
import type { RunState, WorkerState } from './state.ts';

/** Key of an intent for the worker's present attempt: `<run>/<kind>:<worker>:<attempt>`. */
export function intentKey(run: RunState, kind: string, worker: WorkerState): string {
  return `${run.id}/${kind}:${worker.id}:${worker.attempt?.n ?? 0}`;
}

/** Key of the intent that brings an answer to the worker's present attempt. */
export function answerKey(run: RunState, worker: WorkerState, id: string): string {
  return `${intentKey(run, 'answer', worker)}:${id}`;
}

/**
 * Key of the intent that moves integration to a merge: one of a run at a time, whichever merge it is. Verdicts may say
 * meanwhile that more or fewer enter together, and what was begun is not to be overtaken by that.
 */
export function commitKey(run: RunState): string {
  return `${run.id}/commit-merge:`;
}
