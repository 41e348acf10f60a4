/** What is to be done for reviews by agents. */
import type { Intent } from '../intents.ts';
import { waitsForDay } from '../budget.ts';
import { quotaUntil } from './quota.ts';
import { reviewOutcome } from '../review.ts';
import { workersIn } from '../run-index.ts';
import { tipOf } from '../settle.ts';
import { nextDay } from '../spend.ts';
import { isRunLive, type RepositoryState, type RunState } from '../state.ts';

/** Reviews by agents: those that are waited for, and those that are to end because nobody waits any more. */
export function* reviewIntents(
  { state, run }: { readonly state: RepositoryState; readonly run: RunState },
  { stopping, now }: { readonly stopping: boolean; readonly now: number },
  wake: (at: number) => void,
): Generator<Intent> {
  for (const worker of workersIn(run, 'reviewing')) {
    if (worker.review?.running != null) continue;
    const notBefore = worker.review?.notBefore ?? null;
    if (notBefore !== null && notBefore > now) wake(notBefore);
    const outcome = reviewOutcome(run, worker);
    if (outcome.kind !== 'agent') continue;
    // The next reviewer may have no quota, or the day no budget.
    const until = quotaUntil(state, outcome.name, now);
    if (until !== null) wake(until);
    if (waitsForDay({ state, run, now }, worker)) wake(nextDay(now));
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
