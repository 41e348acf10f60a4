/** What may be spent and what has been, of a run, its workers and the day. */
import { dayAccount, reservedBy, runAccount, workerAccount, type Account } from '../core/budget.ts';
import type { Spend } from '../core/events.ts';
import { tokenForecast, tokenLimit, type Plan } from '../core/plan.ts';
import { restlessRuns } from '../core/restless.ts';
import { noSpend } from '../core/spend.ts';
import { definitionOf, type RepositoryState, type RunState } from '../core/state.ts';
import { columns } from './cells.ts';
import { grouped, thousands } from './figures.ts';
import { membersOf } from './status.ts';

interface Sums {
  readonly limit: number | null;
  readonly used: number;
  readonly reserved: number;
  readonly left: number | null;
}

interface AccountDocument {
  readonly tokens: Sums;
  readonly cost_usd: Sums;
}

export interface BudgetDocument {
  readonly v: 1;
  readonly run: (AccountDocument & { readonly id: string }) | null;
  readonly day: AccountDocument;
  readonly workers: readonly (AccountDocument & {
    readonly id: string;
    readonly estimate: number | null;
    readonly forecast: number | null;
    readonly on_exceeded: 'block' | 'fail' | 'warn' | null;
    readonly source: 'reported' | 'metered' | 'estimated' | 'none';
  })[];
}

/** The budgets as JSON. The day's limit is what `today` says: of a run that has ended, the plan says what held then. */
export function budgetDocument(
  state: RepositoryState,
  run: RunState,
  { now, today }: { readonly now: number; readonly today: Pick<RunState['plan'], 'policies'> },
): BudgetDocument {
  // Where nothing but workers is limited, nothing is reserved.
  const reserved = (runs: readonly RunState[]): Spend =>
    run.plan.policies.budget === undefined ? noSpend : reservedBy(runs);
  return {
    v: 1,
    run: { id: run.id, ...account(runAccount(run), reserved([run])) },
    day: account(dayAccount(state, { plan: today }, now), reserved(restlessRuns(state))),
    workers: membersOf(run).map((worker) => {
      const { budget } = definitionOf(run, worker.id);
      return {
        id: worker.id,
        estimate: budget?.tokens ?? null,
        forecast: tokenForecast(budget),
        on_exceeded: budget?.onExceeded ?? null,
        source: worker.usage.source,
        ...account(workerAccount(run, worker), noSpend),
      };
    }),
  };
}

/** The budgets that the plan files give, where nothing was run yet. */
export function plannedBudgets(
  state: RepositoryState,
  plan: Pick<Plan, 'policies' | 'workers'>,
  now: number,
): BudgetDocument {
  return {
    v: 1,
    run: null,
    day: account(dayAccount(state, { plan }, now), noSpend),
    workers: plan.workers.map(({ id, budget }) => ({
      id,
      estimate: budget?.tokens ?? null,
      forecast: tokenForecast(budget),
      on_exceeded: budget?.onExceeded ?? null,
      source: 'none',
      ...account(
        {
          limit: { tokens: tokenLimit(budget), costUsd: budget?.costUsd ?? null },
          used: noSpend,
        },
        noSpend,
      ),
    })),
  };
}

/** What a worker is expected to need, and what it may, in one line. */
export function forecastLine({
  id,
  estimate,
  forecast,
  tokens,
}: BudgetDocument['workers'][number]): string | null {
  if (estimate === null || forecast === null) return null;
  const limit = tokens.limit === null ? 'no limit' : `limit ${grouped(tokens.limit)}`;
  return `${id}: estimate ${grouped(estimate)}, forecast ${grouped(forecast)}, ${limit} tokens`;
}

/** The budgets as a table. What was used is not 0 where none of those at work (`silent`: workers of the run) told. */
export function budgetLines(
  document: BudgetDocument,
  { width, silent }: { readonly width: number; readonly silent: ReadonlySet<string> },
): readonly string[] {
  const row = (
    name: string,
    { tokens, cost_usd: cost }: AccountDocument,
    isSilent: boolean,
  ): readonly string[] => [
    name,
    isSilent && tokens.used === 0 ? 'not reported' : thousands(tokens.used),
    tokens.limit === null ? '' : thousands(tokens.limit),
    tokens.reserved === 0 ? '' : thousands(tokens.reserved),
    cost.used === 0 && cost.limit === null ? '' : cost.used.toFixed(2),
    cost.limit === null ? '' : cost.limit.toFixed(2),
  ];
  return columns(
    [
      ['', 'tokens', 'limit', 'reserved', 'USD', 'limit'],
      ...(document.run === null
        ? []
        : [row(`run ${document.run.id}`, document.run, silent.size > 0)]),
      row('day', document.day, silent.size > 0),
      ...document.workers.map((one) =>
        row(one.source === 'estimated' ? `${one.id} (estimated)` : one.id, one, silent.has(one.id)),
      ),
    ],
    { width, flex: 0 },
  );
}

function account({ limit, used }: Account, reserved: Spend): AccountDocument {
  const sums = (name: keyof Spend): Sums => {
    const all = limit[name];
    const left = all === null ? null : Math.max(0, micro(all - used[name] - reserved[name]));
    return { limit: all, used: micro(used[name]), reserved: micro(reserved[name]), left };
  };
  return { tokens: sums('tokens'), cost_usd: sums('costUsd') };
}

/** Sums of money, to a millionth. */
function micro(amount: number): number {
  return Math.round(amount * 1e6) / 1e6;
}
