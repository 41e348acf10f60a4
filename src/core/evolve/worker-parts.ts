/** What every part of the fold of a worker does: saying what happened last, noting for the next prompt, its attempt. */
import type { AttemptState, Note, WorkerState } from '../state.ts';

/** Lines of what happened last that a worker keeps: what its view shows. The log has all. */
export const activityKept = 12;

/** The worker with one more line of what happened last. */
export function say(worker: WorkerState, at: number, text: string): WorkerState {
  const line = { at, text: oneOf(text) };
  return { ...worker, latest: [...worker.latest, line].slice(-activityKept) };
}

/** Texts that were said of some worker: the same is said of thousands, and held once. */
const saidBefore = new Map<string, string>();
const mostRemembered = 500;
const longestRemembered = 200;

function oneOf(text: string): string {
  if (text.length > longestRemembered) return text;
  const known = saidBefore.get(text);
  if (known !== undefined) return known;
  // What is said once only takes the place of what was said before it: that comes back with its next worker.
  if (saidBefore.size >= mostRemembered) saidBefore.clear();
  saidBefore.set(text, text);
  return text;
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
