/** What is known of the process of an attempt, as it was looked at. */
import type { RunState, WorkerState } from '../core/state.ts';

/** What was found of the process of a worker's attempt; times in milliseconds since 1970. */
export interface Liveness {
  readonly state: 'alive' | 'ended' | 'unknown' | 'none';
  readonly observedAt: number;
  readonly lastOutputAt: number | null;
  readonly lastReportAt: number | null;
  readonly lastCommitAt: number | null;
  /** When it was last given an answer that it waited for; left out where that was not looked at. */
  readonly lastAnswerAt?: number | null;
}

/** Looks at the process of a worker's attempt. */
export type LivenessOf = (run: RunState, worker: WorkerState) => Liveness;
