/** Request that raises a budget, of a worker, the run or the day, and lets go on what it stopped. */
import { of, refusePaused, type Asked } from './asked.ts';
import { backToWork } from './back-to-work.ts';
import { runAccount, workerAccount, type Account } from '../budget.ts';
import { accept, refuse, type Decision } from '../decision.ts';
import type { NewEvent, Principal } from '../events.ts';
import { dayOf } from '../spend.ts';
import type { RepositoryState, RunState, WorkerState } from '../state.ts';

/** Raises the limit of the run or of the day: what waits for it starts by itself. */
export function raiseRun(
  state: RepositoryState,
  run: RunState,
  { request, now }: { readonly request: Asked<'raise-budget'>; readonly now: number },
): Decision {
  const { scope, tokens, costUsd, by } = request;
  const { budget } = run.plan.policies;
  const limit = scope === 'run' ? runAccount(run).limit : budget?.day;
  const missing = lacking(limit ?? null, request);
  if (missing !== null) {
    return refuse(
      4,
      `The ${scope} has no limit of ${missing} that could be raised.`,
      `budget: {${scope}: {…}} in config.yaml gives it one.`,
    );
  }
  const raised: NewEvent = {
    type: 'budget.raised',
    run: run.id,
    data: { scope, tokens, costUsd, by },
  };
  return accept(scope === 'run' ? [raised] : [raised, ...toldAnew(state, run, { by, now })]);
}

/** What was told of the day in other runs was of less than there is now: there nothing is added, and nothing is told yet. */
function toldAnew(
  { runs }: RepositoryState,
  but: RunState,
  { by, now }: { readonly by: Principal; readonly now: number },
): readonly NewEvent[] {
  const day = dayOf(now);
  return [...runs.values()]
    .filter(
      (run) =>
        run.id !== but.id &&
        [run.day, run.dayBefore].some((one) => one?.day === day && one.told > 0),
    )
    .map(({ id }) => ({
      type: 'budget.raised',
      run: id,
      data: { scope: 'day', tokens: 0, costUsd: 0, by },
    }));
}

/** Raises the limit of a worker; one that its budget stopped goes on. */
export function raiseWorker(
  run: RunState,
  worker: WorkerState,
  request: Asked<'raise-budget'>,
): Decision {
  const { tokens, costUsd, by } = request;
  if (worker.state === 'paused' && worker.block?.kind === 'budget') return refusePaused(worker);
  const missing = lacking(workerAccount(run, worker).limit, request);
  if (missing !== null) {
    return refuse(
      4,
      `${worker.id} has no limit of ${missing} that could be raised.`,
      'budget: {tokens: N} in its file gives it one.',
    );
  }
  const raised = of(run, worker, {
    type: 'budget.raised',
    data: { scope: 'worker', tokens, costUsd, by },
  });
  const stopped = worker.state === 'blocked' && worker.block?.kind === 'budget';
  return accept(stopped ? [raised, backToWork(run, worker, 'its budget was raised')] : [raised]);
}

function lacking(
  limit: Account['limit'] | null,
  { tokens, costUsd }: { readonly tokens: number; readonly costUsd: number },
): string | null {
  if (tokens > 0 && (limit?.tokens ?? null) === null) return 'tokens';
  return costUsd > 0 && (limit?.costUsd ?? null) === null ? 'money' : null;
}
