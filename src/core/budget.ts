/**
 * Budgets: what a worker, a run and a day may cost, what of it is used or reserved, and what follows at 80 and 100 %.
 *
 * A worker's limit holds over all its attempts; nothing is given back. Where the run or the day has a limit, each live
 * attempt has reserved what is left of its worker's limit, so that starts together never promise more than there is.
 */
import type { BudgetScope, NewEvent, Spend } from './events.ts';
import { isLive } from './lifecycle.ts';
import { dayOf, emptyDay, nextDay, noSpend, plus, spendOf, warningShare } from './spend.ts';
import { tokenLimit, type Budget, type Limits, type Price } from './plan.ts';
import { restlessRuns } from './restless.ts';
import { workersIn } from './run-index.ts';
import { agentNameOf } from './schedule/which-agent.ts';
import {
  definitionOf,
  isRunLive,
  type DayState,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from './state.ts';

/** A limit of one scope beside what is used of it; null where there is no limit. */
export interface Account {
  readonly limit: Limits;
  readonly used: Spend;
}

/** What the worker may use and has used, over all its attempts. */
export function workerAccount(run: RunState, worker: WorkerState): Account {
  const { budget } = definitionOf(run, worker.id);
  const own = { tokens: tokenLimit(budget), costUsd: budget?.costUsd ?? null };
  return { limit: raised(own, worker.raised), used: spendOf(worker.usage) };
}

/** What the run may use and has used. */
export function runAccount(run: RunState): Account {
  return { limit: raised(run.plan.policies.budget?.run ?? noLimit, run.raised), used: run.spent };
}

/** What the day may use by the plan of this run, and what all runs have used today. */
export function dayAccount(
  state: RepositoryState,
  { plan }: { readonly plan: Pick<RunState['plan'], 'policies'> },
  now: number,
): Account {
  const { used, added } = today(state, now);
  return { limit: raised(plan.policies.budget?.day ?? noLimit, added), used };
}

/** What live attempts of these runs may still use: of every run, since the day may be limited by another one's plan. */
export function reservedBy(runs: Iterable<RunState>): Spend {
  let sum = noSpend;
  for (const run of runs) {
    if (!isRunLive(run)) continue;
    for (const worker of workersIn(run, 'starting', 'active'))
      sum = plus(sum, openOf(workerAccount(run, worker)));
  }
  return sum;
}

/** Whether the budget keeps the worker from starting, after `granted` was given to others in the same breath. */
export function lacksBudget(
  at: { readonly state: RepositoryState; readonly run: RunState; readonly now: number },
  worker: WorkerState,
  granted: Spend = noSpend,
): boolean {
  const { state, run, now } = at;
  const mine = workerAccount(run, worker);
  if (isUsedUp(mine) && definitionOf(run, worker.id).budget?.onExceeded !== 'warn') return true;
  const { budget } = run.plan.policies;
  if (budget === undefined) return false;
  const need = openOf(mine);
  return (
    !holds(runAccount(run), plus(reservedBy([run]), granted), need) ||
    !holds(dayAccount(state, run, now), plus(reservedBy(restlessRuns(state)), granted), need)
  );
}

/** Whether the worker lacks nothing but what another day brings. */
export function waitsForDay(at: Parameters<typeof lacksBudget>[0], worker: WorkerState): boolean {
  const day = at.run.plan.policies.budget?.day ?? noLimit;
  if (day.tokens === null && day.costUsd === null) return false;
  return lacksBudget(at, worker) && !lacksBudget({ ...at, now: nextDay(at.now) }, worker);
}

/** What an attempt that starts reserves. */
export function reservationOf(run: RunState, worker: WorkerState): Spend {
  return run.plan.policies.budget === undefined ? noSpend : openOf(workerAccount(run, worker));
}

/** What an attempt that reported nothing is charged: what it had reserved. Null where nothing was. */
export function missingUsage(run: RunState, worker: WorkerState): NewEvent | null {
  const { attempt } = worker;
  if (run.plan.policies.budget === undefined || attempt === null || attempt.reported) return null;
  const { tokens, costUsd } = openOf(workerAccount(run, worker));
  if (tokens === 0 && costUsd === 0) return null;
  return {
    type: 'worker.usage',
    data: { input: tokens, output: 0, cached: 0, costUsd, source: 'estimated' },
  };
}

/** Warnings that are due, limits that are reached, and the stops of live attempts that follow. */
export function watchBudgets(
  state: RepositoryState,
  run: RunState,
  now: number,
): readonly NewEvent[] {
  const live = workersIn(run, 'starting', 'active');
  const own = live.flatMap((worker) =>
    ofWorker(run, worker).map((event) => ({ ...event, run: run.id, worker: worker.id })),
  );
  if (run.plan.policies.budget === undefined) return own;
  const whole = [
    ...told('run', runAccount(run), run.told),
    ...told('day', dayAccount(state, run, now), today(state, now).told),
  ].map((event): NewEvent => ({ ...event, run: run.id }));
  const empty = (['run', 'day'] as const).find((scope) =>
    isUsedUp(scope === 'run' ? runAccount(run) : dayAccount(state, run, now)),
  );
  if (empty === undefined) return [...own, ...whole];
  const reason = `the budget of the ${empty} is used up`;
  const stopped = live.filter(mayBeStopped).map((worker): NewEvent => ({
    type: 'worker.stop_requested',
    run: run.id,
    worker: worker.id,
    data: { to: 'ready', by: 'policy', reason },
  }));
  return [...own, ...whole, ...stopped];
}

function ofWorker(run: RunState, worker: WorkerState): readonly NewEvent[] {
  const account = workerAccount(run, worker);
  const events: NewEvent[] = [...told('worker', account, worker.told)];
  const { budget } = definitionOf(run, worker.id);
  if (!isUsedUp(account) || !mayBeStopped(worker)) return events;
  const to = budget?.onExceeded === 'fail' ? 'failed' : 'blocked';
  if (budget?.onExceeded !== 'warn') {
    const data = { to, by: 'policy', reason: usedUpText(account) } as const;
    events.push({ type: 'worker.stop_requested', data });
  }
  return events;
}

/** Whether something of the worker still runs, and nobody stops it yet. */
function mayBeStopped({ state, stop, attempt }: WorkerState): boolean {
  return (
    isLive(state) && stop === null && attempt?.phase !== 'ended' && attempt?.phase !== 'collected'
  );
}

/** How an account that is used up is told of. */
export function usedUpText({ limit, used }: Account): string {
  const tokens = limit.tokens !== null && used.tokens >= limit.tokens;
  return tokens
    ? `its budget is used up: ${used.tokens} of ${limit.tokens} tokens`
    : `its budget is used up: ${used.costUsd.toFixed(2)} of ${limit.costUsd?.toFixed(2)} USD`;
}

/** What a worker lacks that waits for budget, its own or else that of the run or the day, and the command that raises it enough. */
export function budgetLack(
  at: Parameters<typeof lacksBudget>[0],
  worker: WorkerState,
): { readonly text: string; readonly command: string } {
  const { state, run, now } = at;
  const mine = workerAccount(run, worker);
  const accounts = [
    { scope: 'run', account: runAccount(run), reserved: reservedBy([run]) },
    {
      scope: 'day',
      account: dayAccount(state, run, now),
      reserved: reservedBy(restlessRuns(state)),
    },
  ] as const;
  const need = openOf(mine);
  const short = accounts
    .map((one) => ({ ...one, lack: missing(one.account, one.reserved, need) }))
    .filter(({ lack }) => lack.tokens > 0 || lack.costUsd > 0);
  const stopsIt = definitionOf(run, worker.id).budget?.onExceeded !== 'warn';
  if ((isUsedUp(mine) && stopsIt) || short.length === 0)
    return { text: usedUpText(mine), command: `czar budget ${worker.id} --add TOKENS` };
  const text = short
    .map(({ scope, account, reserved, lack }) =>
      shortText(`the ${scope}`, { account, reserved, lack, need }),
    )
    .join(', and ');
  return {
    text,
    command: short.map(({ scope, lack }) => `czar budget ${scope}${added(lack)}`).join(' && '),
  };
}

/** `the run has 70 tokens left, it needs 200`. */
function shortText(
  who: string,
  about: {
    readonly account: Account;
    readonly reserved: Spend;
    readonly lack: Spend;
    readonly need: Spend;
  },
): string {
  const { account, reserved, lack, need } = about;
  const left = openOf({ limit: account.limit, used: plus(account.used, reserved) });
  const [has, needs] =
    lack.tokens > 0
      ? [`${left.tokens} tokens`, `${need.tokens}`]
      : [`${left.costUsd.toFixed(2)} USD`, need.costUsd.toFixed(2)];
  const others = reserved.tokens > 0 || reserved.costUsd > 0 ? ' beside what others may use' : '';
  return `${who} has ${has} left${others}, it needs ${needs}`;
}

/** Options that add so much, money in whole cents. */
function added({ tokens, costUsd }: Spend): string {
  const money = Math.ceil(costUsd * 100 - rounding) / 100;
  return `${tokens > 0 ? ` --add ${tokens}` : ''}${costUsd > 0 ? ` --add-usd ${money.toFixed(2)}` : ''}`;
}

/** What has not been told of the account yet; `before` is the share that was told last. */
function told(scope: BudgetScope, account: Account, before: number): readonly NewEvent[] {
  const share = shareOf(account);
  const data = { scope, limit: account.limit, used: account.used };
  if (share >= 1 && before < 1) return [{ type: 'budget.exceeded', data }];
  if (share >= warningShare && before < warningShare) return [{ type: 'budget.warned', data }];
  return [];
}

/** The share that is used of the limit that is nearest; 0 without one. */
export function shareOf({ limit, used }: Account): number {
  const of = (some: number, all: number | null): number =>
    all === null ? 0 : all === 0 ? 1 : some / all;
  return Math.max(of(used.tokens, limit.tokens), of(used.costUsd, limit.costUsd));
}

/** Whether a limit is reached. */
export function isUsedUp(account: Account): boolean {
  return shareOf(account) >= 1;
}

/** What all runs have spent today (UTC), and what was added to the limit; nothing on a new day. */
export function today(
  { runs }: Pick<RepositoryState, 'runs'>,
  now: number,
): Pick<DayState, 'used' | 'added' | 'told'> {
  const name = dayOf(now);
  let sum: Pick<DayState, 'used' | 'added' | 'told'> = emptyDay;
  for (const run of runs.values()) {
    const day = [run.day, run.dayBefore].find((one) => one?.day === name);
    if (day == null) continue;
    sum = {
      used: plus(sum.used, day.used),
      added: plus(sum.added, day.added),
      told: Math.max(sum.told, day.told),
    };
  }
  return sum;
}

const noLimit: Limits = { tokens: null, costUsd: null };

function raised(limit: Limits, by: Spend): Limits {
  return {
    tokens: limit.tokens === null ? null : limit.tokens + by.tokens,
    costUsd: limit.costUsd === null ? null : limit.costUsd + by.costUsd,
  };
}

/** What is left of the limits; 0 where there is none. */
function openOf({ limit, used }: Account): Spend {
  return {
    tokens: limit.tokens === null ? 0 : Math.max(0, limit.tokens - used.tokens),
    costUsd: limit.costUsd === null ? 0 : Math.max(0, limit.costUsd - used.costUsd),
  };
}

/** Whether the account holds what is needed beside what is reserved. */
function holds(account: Account, reserved: Spend, need: Spend): boolean {
  const { tokens, costUsd } = missing(account, reserved, need);
  return tokens === 0 && costUsd === 0;
}

/** What the account would have to have more to hold that; one that is used up holds nothing. */
function missing({ limit, used }: Account, reserved: Spend, need: Spend): Spend {
  const of = (name: keyof Spend, least: number): number => {
    const all = limit[name];
    if (all === null) return 0;
    const lack = used[name] + reserved[name] + need[name] - all;
    return Math.max(used[name] >= all ? least : 0, lack <= rounding ? 0 : lack);
  };
  return { tokens: of('tokens', 1), costUsd: of('costUsd', 0.01) };
}

/** Sums of money are not exact. */
const rounding = 1e-9;

/** Whether under these limits the worker must have one of its own: else nothing could be reserved. */
export function lacksLimit(
  policies: { readonly run: Limits; readonly day: Limits },
  budget: Budget | null,
): 'tokens' | 'cost_usd' | null {
  const capped = (name: keyof Limits): boolean =>
    policies.run[name] !== null || policies.day[name] !== null;
  if (capped('tokens') && tokenLimit(budget) === null) return 'tokens';
  if (capped('costUsd') && (budget?.costUsd ?? null) === null) return 'cost_usd';
  return null;
}

/** What a million tokens of the worker's model cost, else of its agent; null when that is not known. */
export function priceOf(run: RunState, worker: WorkerState): Price | null {
  const { prices } = run.plan.policies;
  if (prices === undefined) return null;
  const { model } = definitionOf(run, worker.id);
  const own = worker.attempt?.agent == null;
  const name =
    own && model !== null && Object.hasOwn(prices, model) ? model : agentNameOf(run, worker);
  return Object.hasOwn(prices, name) ? (prices[name] ?? null) : null;
}
