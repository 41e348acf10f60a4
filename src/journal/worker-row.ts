/**
 * What the row of a worker holds: the parts in which it differs from a worker that nothing has happened to. Most of what
 * a worker is it is not yet, or not any more, and every row is read at each start and written with each of its events.
 * What that worker is like is part of the rows' shape: a change to it raises `projectionVersion`.
 */
import { plannedWorker } from '../core/evolve/planned-workers.ts';
import type { WorkerState } from '../core/state.ts';

/** The worker that rows are told apart from. */
export const untouched: WorkerState = plannedWorker({ id: '', tasks: [] }, 0);

const fields = Object.entries(untouched);

/** The text of a worker's row. */
export function workerText(worker: WorkerState): string {
  const of: Readonly<Record<string, unknown>> = { ...worker };
  const said: Record<string, unknown> = {};
  for (const [field, usual] of fields) {
    const value = of[field];
    if (value !== usual && !(isEmpty(value) && isEmpty(usual))) said[field] = value;
  }
  return JSON.stringify(said);
}

/** The worker that the text tells. What workers have in common they share. */
export function workerOf(text: string): WorkerState {
  return { ...untouched, ...(JSON.parse(text) as Partial<WorkerState>) };
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}
