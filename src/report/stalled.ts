/** Whether a live attempt has been silent for as long as its worker calls a stall. A view, which ends nothing. Pure. */
import { openAsks } from '../core/asks.ts';
import { definitionOf, type RunState, type WorkerState } from '../core/state.ts';
import { spanText } from './figures.ts';
import type { Liveness } from './liveness.ts';

/** Since when it has neither printed, reported nor committed, nor been given an answer; null when it has not stalled. */
export function stalledSince(
  run: RunState,
  worker: WorkerState,
  { seen, now }: { readonly seen: () => Liveness; readonly now: number },
): number | null {
  const { stall } = definitionOf(run, worker.id);
  if (stall === undefined || worker.state !== 'active' || worker.attempt?.phase !== 'running')
    return null;
  // Who waits for a person is silent.
  if (openAsks(worker).length > 0) return null;
  const signs = seen();
  // What has ended, or cannot be seen, is not silent.
  if (signs.state !== 'alive') return null;
  const { lastOutputAt, lastReportAt, lastCommitAt, lastAnswerAt = null } = signs;
  const times = [lastOutputAt, lastReportAt, lastCommitAt, lastAnswerAt];
  const last = Math.max(worker.since, ...times.map((at) => at ?? 0));
  return now - last >= stall.afterMs ? last : null;
}

/** `stalled: nothing printed, reported or committed for 12m`. */
export function stallText(since: number, now: number): string {
  return `stalled: nothing printed, reported or committed for ${spanText(now - since)}`;
}
