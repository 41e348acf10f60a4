/** `czar budget`: what may be spent and what has been; with `--add`, more of it. */
import type { Steering } from '../../core/commands.ts';
import { emptyState } from '../../core/evolve.ts';
import { isRunLive, type RepositoryState } from '../../core/state.ts';
import type { Place } from '../../daemon/place.ts';
import { withReader } from '../../daemon/views/read.ts';
import { loadPlan } from '../../plan/load.ts';
import {
  budgetDocument,
  budgetLines,
  forecastLine,
  plannedBudgets,
  type BudgetDocument,
} from '../../report/budget.ts';
import { thousands } from '../../report/figures.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { openPlan, plannedWorker } from '../plan-files.ts';
import { chosenRun, chosenWorker } from '../reading.ts';
import { steer } from '../steering.ts';
import type { CliContext, Verb } from '../verb.ts';

interface BudgetOptions {
  readonly add?: string;
  readonly addUsd?: string;
}

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[who]', 'a worker, run or day')
      .option('--add <tokens>', 'raise its limit by so many tokens')
      .option('--add-usd <amount>', 'raise its limit by so much money')
      .action(async (who: string | undefined, options: BudgetOptions) =>
        options.add === undefined && options.addUsd === undefined
          ? show(context, who)
          : raise(context, who, options),
      );
  },
};

async function show(context: CliContext, who: string | undefined): Promise<void> {
  const place = findPlace(context);
  if (place === null) return;
  // The day is what all runs spent.
  const read = await withReader(place, (reader) => {
    if (reader.note !== null) context.out.note(reader.note);
    return reader.load();
  });
  if (!read.ok && read.problem.kind === 'unreadable') {
    const { what, next } = read.problem;
    return context.fail({ exit: exits.refused, what, next });
  }
  const state = read.ok ? read.value : emptyState();
  if (state.runs.size === 0 && context.options.run === null)
    return showPlanned(context, place, { who, state });
  const run = chosenRun(context, state);
  if (run === null) return;
  // What has ended says nothing of today; of files that are wrong, its plan says the best that is known.
  const { root, home } = place;
  const written = isRunLive(run)
    ? null
    : loadPlan({ root, home, sources: configSources(context) }).plan;
  const all = budgetDocument(state, run, { now: context.now(), today: written ?? run.plan });
  if (isWorker(who) && chosenWorker(context, run, who) === null) return;
  const silent = [...run.workers.values()].filter(
    ({ attempts, usage }) => attempts > 0 && usage.source === 'none',
  );
  print(context, all, { who, silent: new Set(silent.map(({ id }) => id)) });
}

/** What the plan files say, where nothing was run yet. */
function showPlanned(
  context: CliContext,
  place: Place,
  { who, state }: { readonly who: string | undefined; readonly state: RepositoryState },
): void {
  const opened = openPlan(context, place);
  if (opened === null) return;
  const worker = isWorker(who) ? plannedWorker(context, opened.plan, who) : undefined;
  if (worker === null) return;
  print(context, plannedBudgets(state, opened.plan, context.now()), { who, silent: new Set() });
}

function print(
  context: CliContext,
  all: BudgetDocument,
  { who, silent }: { readonly who: string | undefined; readonly silent: ReadonlySet<string> },
): void {
  const workers = isWorker(who) ? all.workers.filter(({ id }) => id === who) : all.workers;
  const document = { ...all, workers };
  if (context.options.json) return context.out.json(document);
  const width = context.out.width() ?? Infinity;
  for (const line of budgetLines(document, { width, silent })) context.out.line(line);
  if (!isWorker(who)) return;
  const expected = workers.map(forecastLine).find((line) => line !== null);
  if (expected !== undefined) context.out.line(expected);
}

function isWorker(who: string | undefined): who is string {
  return who !== undefined && who !== 'run' && who !== 'day';
}

async function raise(
  context: CliContext,
  who: string | undefined,
  options: BudgetOptions,
): Promise<void> {
  const tokens = amountOf(options.add, { whole: true });
  const costUsd = amountOf(options.addUsd, { whole: false });
  if (who === undefined || tokens === null || costUsd === null || tokens + costUsd === 0) {
    return context.fail({
      exit: exits.wrong,
      what:
        who === undefined
          ? 'whose budget is to be raised?'
          : `${options.add ?? options.addUsd} is no amount that could be added`,
      next: 'czar budget WORKER|run|day --add TOKENS, or --add-usd AMOUNT',
    });
  }
  const scope = who === 'run' || who === 'day' ? who : 'worker';
  const worker = scope === 'worker' ? who : null;
  const more = [
    ...(tokens > 0 ? [`${thousands(tokens)} tokens`] : []),
    ...(costUsd > 0 ? [`${costUsd} USD`] : []),
  ];
  await steer(
    context,
    (run): Steering => ({ kind: 'raise-budget', run, scope, worker, tokens, costUsd }),
    `The budget of ${scope === 'worker' ? who : `the ${scope}`} has ${more.join(' and ')} more.`,
  );
}

/** Null when it is no amount; 0 when it was left out. */
function amountOf(text: string | undefined, { whole }: { readonly whole: boolean }): number | null {
  if (text === undefined) return 0;
  const amount = Number(text.replaceAll('_', ''));
  if (text.trim() === '' || !Number.isFinite(amount) || amount <= 0 || amount > 1e12) return null;
  return whole && !Number.isInteger(amount) ? null : amount;
}
