/** What is to be done for reviews by agents. */
import type { Intent } from './intents.ts';
import { workersIn } from './run-index.ts';
import { tipOf } from './settle.ts';
import { isRunLive, type RunState } from './state.ts';

/** Reviews by agents: those that are waited for, and those that are to end because nobody waits any more. */
export function* reviewIntents(
  run: RunState,
  { stopping, now }: { readonly stopping: boolean; readonly now: number },
  wake: (at: number) => void,
): Generator<Intent> {
  for (const worker of workersIn(run, 'reviewing')) {
    const notBefore = worker.review?.notBefore ?? null;
    if (notBefore !== null && notBefore > now) wake(notBefore);
  }
  for (const id of run.reviewing) {
    const worker = run.workers.get(id);
    const running = worker?.review?.running;
    if (worker === undefined || running == null) continue;
    const { n, reviewer, tip } = running;
    const of = { run: run.id, worker: id, n, reviewer };
    const waits = worker.state === 'reviewing' && isRunLive(run) && tip === tipOf(worker);
    if (waits && !stopping)
      yield {
        kind: 'review',
        key: `${run.id}/review:${id}:${n}`,
        ...of,
        tip,
        integration: run.tip ?? run.base.commit,
      };
    else yield { kind: 'end-review', key: `${run.id}/end-review:${id}:${n}`, ...of };
  }
}
