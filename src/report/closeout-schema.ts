/** The document of `czar closeout --json`, version 1: shipped as `schema/closeout.schema.json`. */
import * as z from 'zod';
import {
  aloneUsageSchema,
  budgetSchema,
  filesSchema,
  metricsSchema,
  reportedRunSchema,
} from './metrics-schema.ts';

const count = z.int().min(0);
const time = z.iso.datetime({ precision: 3 });

/** `czar closeout --json`. */
export const closeoutSchema = z.strictObject({
  v: z.literal(1),
  at: time,
  run: reportedRunSchema.extend({
    base: z.string().describe('commit that the run started from'),
    integration: z.string().describe('branch that collects the work'),
    tip: z.string().nullable().describe('commit that it stands at'),
    landed: z.strictObject({ target: z.string(), commit: z.string(), at: time }).nullable(),
  }),
  summary: z.array(z.string()),
  prose: z
    .strictObject({
      agent: z.string(),
      text: z.string(),
      usage: aloneUsageSchema
        .nullable()
        .describe('of the writing alone, in no other figure; null when the agent told none'),
    })
    .nullable()
    .describe('what an agent wrote of it (--agent); null when none was asked'),
  brought: z
    .strictObject({ commits: count, files: filesSchema })
    .nullable()
    .describe('what integration has over base, merges included; null when git could not tell'),
  deliverables: z.array(
    z.strictObject({
      worker: z.string(),
      path: z.string(),
      present: z.boolean().nullable().describe('null when that could not be seen'),
    }),
  ),
  tasks: z.array(
    z.strictObject({
      worker: z.string(),
      task: z.string(),
      started_at: time.nullable(),
      completed_at: time.nullable(),
    }),
  ),
  metrics: metricsSchema.pick({ workers: true, totals: true }),
  merges: z
    .array(
      z.strictObject({
        worker: z.string(),
        commit: z.string(),
        at: time,
        commits: count,
        files: filesSchema,
      }),
    )
    .describe('in the order in which they were made'),
  conflicts: z.array(
    z.strictObject({
      worker: z.string(),
      at: time,
      files: z.array(z.string()),
      merged_later: z.boolean(),
    }),
  ),
  landings: z.array(
    z.strictObject({
      at: time,
      target: z.string(),
      commit: z.string().nullable().describe('null when it was refused'),
      reason: z.string().nullable(),
    }),
  ),
  reviews: z.array(
    z.strictObject({ worker: z.string(), at: time, type: z.string(), text: z.string() }),
  ),
  reworks: z.array(z.strictObject({ worker: z.string(), at: time, reason: z.string() })),
  failed_attempts: z.array(
    z.strictObject({ worker: z.string(), attempt: count, at: time, error: z.string() }),
  ),
  gates: z
    .array(
      z.strictObject({
        gate: z.string(),
        command: z.string().nullable(),
        passed: count,
        failed: count,
        inconclusive: count,
      }),
    )
    .describe('how often each gave which verdict, over the whole run'),
  open: z.array(
    z.strictObject({
      worker: z.string().nullable(),
      what: z.string(),
      next: z.string().nullable(),
    }),
  ),
  handoffs: z.array(z.strictObject({ worker: z.string(), text: z.string() })),
  lessons: z.array(z.string()),
  budget: budgetSchema.extend({
    run: z
      .strictObject({ limit: z.number().nullable(), used: z.number().min(0) })
      .describe('limit of the whole run, in tokens'),
    text: z.string(),
  }),
});

export type CloseoutDocument = z.infer<typeof closeoutSchema>;
