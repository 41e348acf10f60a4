/**
 * The document of `czar metrics --json`, version 1: shipped as `schema/metrics.schema.json`. Every total is the sum of
 * the workers above it; hours are milliseconds divided, so they add up too.
 */
import * as z from 'zod';
import { states } from '../core/lifecycle.ts';

const count = z.int().min(0);
const time = z.iso.datetime({ precision: 3 });

/** Files that a worker's work makes, changes and removes. */
export const filesSchema = z.strictObject({
  created: count,
  modified: count,
  deleted: count,
  total: count,
});

/** How what was used stands to what was planned. */
/** What an agent used outside of a run. */
export const aloneUsageSchema = z.strictObject({
  input: z.number().min(0),
  output: z.number().min(0),
  cached: z.number().min(0),
  cost_usd: z.number().min(0),
});

export const budgetSchema = z.strictObject({
  tokens: z.number().nullable().describe('what was planned'),
  limit: z.number().nullable().describe('where it stops, with everything that was added'),
  percent: z.number().min(0).nullable().describe('used of planned'),
  variance: z.number().nullable().describe('used minus planned: below 0 when less was used'),
  verdict: z
    .enum(['within', 'over_estimate', 'over_limit', 'unknown', 'none'])
    .describe('unknown when nothing was reported, none when nothing was planned'),
});

const sums = {
  duration_ms: count,
  duration_h: z.number().min(0),
  tokens: z.number().min(0).describe('fresh input and output'),
  cost_usd: z.number().min(0),
  attempts: count,
  commits: count,
  files: filesSchema,
  tests_added: count.describe('files of tests among those that are new'),
};

const worker = z.strictObject({
  id: z.string(),
  state: z.enum(states),
  merged: z.boolean().describe('whether what is counted is in integration'),
  started_at: time.nullable(),
  completed_at: time.nullable(),
  ...sums,
  source: z
    .enum(['reported', 'metered', 'estimated', 'none'])
    .describe('where the tokens come from'),
  budget: budgetSchema,
});

/** The run that a report is about. */
export const reportedRunSchema = z.strictObject({
  id: z.string(),
  name: z.string(),
  state: z.enum(['running', 'waiting', 'paused', 'complete', 'failed', 'cancelled']),
  over: z.boolean().describe('false: every figure may still change'),
  started_at: time,
  ended_at: time.nullable(),
  elapsed_ms: count,
});

/** `czar metrics --json`. */
export const metricsSchema = z.strictObject({
  v: z.literal(1),
  at: time,
  run: reportedRunSchema,
  workers: z.array(worker),
  totals: z.strictObject({
    workers: count,
    complete: count,
    ...sums,
    budget: budgetSchema.describe('sums over the workers that have a budget'),
  }),
});

export type MetricsDocument = z.infer<typeof metricsSchema>;
