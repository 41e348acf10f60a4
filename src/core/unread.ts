/** What a person told a worker's agent and no prompt had, because the worker was done without another one. */
import type { WorkerState } from './state.ts';

/** The texts, oldest first; none while a prompt may still come. */
export function unread({ state, notes, attempt }: WorkerState): readonly string[] {
  if (state !== 'complete') return [];
  const since = attempt?.startedAt ?? 0;
  return notes.flatMap(({ late, at, text }) => (late === true && at >= since ? [text] : []));
}
