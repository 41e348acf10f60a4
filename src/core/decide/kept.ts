/** Kept work that a person wants no more: out of the way, and still there until a prune. */
import { of, type Asked } from './asked.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { RunState, WorkerState } from '../state.ts';

/** Drops one kept ref; what is merged nowhere goes only by force. */
export function dropKept(
  run: RunState,
  worker: WorkerState,
  request: Asked<'drop-kept'>,
): Decision {
  const { ref, force, elsewhere, by } = request;
  if (worker.dropped.some((one) => one.ref === ref) && !worker.kept.some((one) => one.ref === ref))
    return accept([]);
  const kept = worker.kept.find((one) => one.ref === ref);
  if (kept === undefined)
    return refuse(3, `Nothing of ${worker.id} is kept as ${ref}.`, 'czar kept list shows what is.');
  if (!force && !elsewhere) {
    return refuse(
      4,
      `${ref} holds work that is merged nowhere.`,
      'czar kept show tells what; --force drops it, and czar prune removes it then.',
    );
  }
  const { commit } = kept;
  return accept([
    of(run, worker, {
      type: 'kept.dropped',
      data: { ref, to: droppedRef(ref), commit, by },
    }),
  ]);
}

/** The name that a kept ref has once it is dropped. */
export function droppedRef(ref: string): string {
  return ref.replace('refs/czar/kept/', 'refs/czar/dropped/');
}
