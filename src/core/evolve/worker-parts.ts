/** What every part of the fold of a worker does: saying what happened last, noting for the next prompt, its attempt. */
import type { AttemptState, Note, WorkerState } from '../state.ts';

/** Lines of what happened last that a worker keeps: what its view shows. The log has all. */
export const activityKept = 12;

/** The worker with one more line of what happened last. */
export function say(worker: WorkerState, at: number, text: string): WorkerState {
  return { ...worker, latest: [...worker.latest, { at, text }].slice(-activityKept) };
}

/** Its notes with one more. */
export function note(
  worker: WorkerState,
  kind: Note['kind'],
  text: string,
  at: number,
): readonly Note[] {
  return [...worker.notes, { kind, text, at }];
}

/** Its notes with one more for each thing that was kept. */
export function keptNotes(
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

/** Its attempt with these parts changed; null when there is none. */
export function attempt(worker: WorkerState, patch: Partial<AttemptState>): AttemptState | null {
  return worker.attempt === null ? null : { ...worker.attempt, ...patch };
}
