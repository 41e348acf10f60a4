/** Whether what lies uncommitted in a tree is the work (committed for the agent) or is kept beside it. */
import type { WorkerState } from '../state.ts';

/** `all` when the attempt ended well, or a person submitted the tree, and nobody cancelled it; else what is there is kept, not committed. */
export function collectMode(worker: WorkerState): 'all' | 'none' {
  if (worker.submitted) return 'all';
  const { attempt } = worker;
  if (attempt?.judgement == null || worker.stop?.to === 'cancelled') return 'none';
  return attempt.judgement.kind === 'well' && attempt.stopWord === null ? 'all' : 'none';
}
