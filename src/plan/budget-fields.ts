/** What may be spent, as workers and the configuration write it. */
import * as z from 'zod';
import { lacksLimit } from '../core/budget.ts';
import type { Budget, Limits, Price, WorkerDefinition } from '../core/plan.ts';
import type { WorkerDraft } from './draft.ts';
import { report, type Problems } from './diagnostics.ts';
import { amount, count } from './fields.ts';

export const budgetSchema = z.strictObject({
  tokens: count(1, 1e12).optional().meta({ description: 'Estimate.' }),
  cost_usd: amount(1e9).optional().meta({ description: 'Money at which it stops.' }),
  reality_multiplier: z
    .number()
    .min(1, 'expected at least 1')
    .max(100, 'expected at most 100')
    .optional()
    .meta({ description: 'How much more than the estimate it takes in reality; default: 1.5.' }),
  limit: count(1, 1e12)
    .optional()
    .meta({ description: 'Tokens at which it stops; default: tokens × reality_multiplier.' }),
  on_exceeded: z
    .enum(['block', 'fail', 'warn'])
    .optional()
    .meta({ description: 'What follows when it is used up; default: block.' }),
});

const limitsSchema = z.strictObject({
  tokens: count(1, 1e12).optional().meta({ description: 'Tokens at which everything stops.' }),
  cost_usd: amount(1e9).optional().meta({ description: 'Money at which everything stops.' }),
});

export const budgetsSchema = z.strictObject({
  default: budgetSchema.optional().meta({ description: 'Budget of workers that name none.' }),
  run: limitsSchema.optional().meta({ description: 'What a run may spend.' }),
  day: limitsSchema.optional().meta({ description: 'What all runs may spend in a day (UTC).' }),
});

export const pricesSchema = z.record(
  z.string().min(1).max(200),
  z.strictObject({
    input: amount(1e6).optional(),
    output: amount(1e6).optional(),
    cached: amount(1e6).optional(),
  }),
);

type Written<S extends z.ZodType> = z.infer<S> | undefined;

/** The budget as it is written, its defaults filled in; null when it is not. */
export function budgetOf(budget: Written<typeof budgetSchema>): Budget | null {
  if (budget === undefined) return null;
  return {
    tokens: budget.tokens ?? null,
    costUsd: budget.cost_usd ?? null,
    realityMultiplier: budget.reality_multiplier ?? 1.5,
    limit: budget.limit ?? null,
    onExceeded: budget.on_exceeded ?? 'block',
  };
}

/** The limits of runs and days; null when there are none. */
export function runLimitsOf(
  budgets: Written<typeof budgetsSchema>,
): { readonly run: Limits; readonly day: Limits } | null {
  if (budgets?.run === undefined && budgets?.day === undefined) return null;
  return { run: limitsOf(budgets.run), day: limitsOf(budgets.day) };
}

/** What a million tokens cost, by model or agent; what is not written costs nothing. */
export function pricesOf(
  prices: Written<typeof pricesSchema>,
): Readonly<Record<string, Price>> | null {
  if (prices === undefined) return null;
  return Object.fromEntries(
    Object.entries(prices).map(([name, { input = 0, output = 0, cached = 0 }]) => [
      name,
      { input, output, cached },
    ]),
  );
}

/** Under a limit of runs or days every worker needs one of its own, which its attempts can reserve. */
export function requireLimits(
  budgets: ReturnType<typeof runLimitsOf>,
  { draft, definition }: { readonly draft: WorkerDraft; readonly definition: WorkerDefinition },
  problems: Problems,
): void {
  const missing = budgets === null ? null : lacksLimit(budgets, definition.budget);
  if (missing === null) return;
  report(problems, draft.keyAt('budget'), {
    message: `budget: "${draft.id}" needs a limit of ${missing === 'tokens' ? 'tokens' : 'cost_usd'}, since runs or days have one`,
    hint: 'give it one, or all workers: budget: {default: {…}} in config.yaml',
  });
}

function limitsOf(limits: Written<typeof limitsSchema>): Limits {
  return { tokens: limits?.tokens ?? null, costUsd: limits?.cost_usd ?? null };
}
