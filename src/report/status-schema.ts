/**
 * The document of `czar status --json`, version 1: stable, and shipped as `schema/status.schema.json`. Times are ISO
 * 8601 in UTC with milliseconds, durations milliseconds, percentages 0 to 100 with one decimal, rounded down.
 */
import * as z from 'zod';
import { states } from '../core/lifecycle.ts';

const count = z.int().min(0);
const time = z.iso.datetime({ precision: 3 });
const share = z.number().min(0).nullable();

const dependency = z.strictObject({
  on: z.string(),
  kind: z.enum(['output', 'knowledge', 'sequential']),
  requires: z.enum(['verified', 'approved', 'complete']),
  satisfied: z.boolean(),
});

const worker = z.strictObject({
  id: z.string(),
  kind: z.enum(['worker', 'story', 'step', 'task']),
  role: z.string().nullable(),
  state: z.enum(states),
  liveness: z
    .enum(['alive', 'ended', 'unknown', 'none'])
    .describe('what is known of the process of its attempt; none when it has no live attempt'),
  wave: count.describe('longest path of dependencies that ends at the worker, from 1'),
  agent: z.string(),
  branch: z.string().nullable(),
  worktree: z.string().nullable(),
  attempt: count.describe('attempts made so far'),
  dependencies: z.array(dependency),
  waiting_on: z.array(z.string()).describe('dependencies that are not satisfied, and no others'),
  waiting_for: z.string().nullable().describe('what keeps a ready worker from starting'),
  waiting_until: time.nullable().describe('when that is over, where it is known'),
  blocked_by: z.string().nullable().describe('the worker whose failure blocks this one'),
  reason: z.string(),
  started_at: time.nullable(),
  completed_at: time.nullable(),
  duration_ms: count.nullable(),
  tokens: z.strictObject({
    used: z.number().min(0).describe('fresh input and output; cached reads are not counted'),
    budget: z.number().nullable(),
    forecast: z.number().nullable().describe('budget times the reality multiplier'),
    percent: share.describe('used of budget'),
    source: z.enum(['reported', 'metered', 'estimated', 'none']),
  }),
  cost_usd: z.number().min(0),
  tasks: z.strictObject({ completed: count, total: count }),
  review: z.string().nullable(),
  latest: z.string().nullable(),
});

const run = z.strictObject({
  id: z.string(),
  state: z.enum(['running', 'waiting', 'paused', 'complete', 'failed', 'cancelled']),
  base: z.string().describe('commit that the run started from'),
  integration: z.string().describe('branch that collects the work'),
  started_at: time,
  ended_at: time.nullable(),
  loop: z
    .enum(['alive', 'none'])
    .optional()
    .describe('whether a czar process drives the runs here; absent when that was not looked at'),
  disk_low: z
    .strictObject({ free: z.number().min(0), reserve: z.number().min(0) })
    .optional()
    .describe('bytes; nothing starts while so little is free; absent when there is enough'),
  not_pushed: z
    .array(z.strictObject({ ref: z.string(), why: z.string() }))
    .optional()
    .describe('branches that the remote did not take; absent when there is none'),
  diverged: z
    .array(z.strictObject({ ref: z.string(), why: z.string() }))
    .describe('branches of the run that somebody else moved: czar leaves them alone'),
});

const totals = z.strictObject({
  total: count,
  pending: count,
  ready: count,
  starting: count,
  active: count,
  verifying: count,
  reviewing: count,
  merging: count,
  complete: count,
  blocked: count,
  paused: count,
  failed: count,
  skipped: count,
  cancelled: count,
  percent: z.number().min(0).max(100).describe('workers complete, of all'),
});

/** `czar status --json`. */
export const statusSchema = z.strictObject({
  v: z.literal(1),
  run,
  totals,
  tokens: z.number().min(0),
  cost_usd: z.number().min(0),
  waves: z.array(z.array(z.string())),
  workers: z.array(worker),
});

/** `czar status WORKER --json`. */
export const workerStatusSchema = z.strictObject({
  v: z.literal(1),
  worker: worker.extend({
    run: z.string(),
    mission: z.string().nullable(),
    observed_at: time.describe('when liveness was looked at'),
    evidence: z.strictObject({
      output: time.nullable().describe('last change of what the agent printed'),
      report: time.nullable().describe('last change of its report file'),
      commit: z.string().nullable().describe('the commit that was collected last'),
    }),
    task_list: z.array(
      z.strictObject({
        task: z.string(),
        started_at: time.nullable(),
        completed_at: time.nullable(),
      }),
    ),
    activity: z.array(z.strictObject({ at: time, text: z.string() })).describe('newest first'),
    attempts: z.array(
      z.strictObject({
        attempt: count,
        started_at: time,
        ended_at: time.nullable(),
        agent: z
          .strictObject({ name: z.string(), why: z.string() })
          .nullable()
          .describe("who made it in place of the worker's own agent, and why"),
        outcome: z.string(),
      }),
    ),
    usage: z.strictObject({
      input: z.number(),
      output: z.number(),
      cached: z.number(),
    }),
    block: z
      .strictObject({
        kind: z.string(),
        text: z.string(),
        findings: z.array(z.string()),
        files: z.array(z.string()),
      })
      .nullable(),
    reworks: z
      .array(
        z.strictObject({
          round: count,
          at: time,
          attempt: count.describe('the attempt whose work it was'),
          kind: z.string(),
          step: z.string(),
          text: z.string(),
          files: z.array(z.string()),
        }),
      )
      .describe('every time that findings sent it back to its agent, oldest first'),
    merged: z.strictObject({ commit: z.string(), at: time }).nullable(),
    notes: z.array(z.strictObject({ kind: z.string(), text: z.string(), at: time })),
    kept: z.array(
      z.strictObject({
        ref: z.string(),
        commit: z.string(),
        files: z.array(z.string()),
        why: z.string(),
        left_out: z.array(
          z.strictObject({ path: z.string(), why: z.string(), aside: z.string().nullable() }),
        ),
      }),
    ),
    verdicts: z.array(
      z.strictObject({
        gate: z.string(),
        result: z.enum(['pass', 'fail', 'inconclusive']),
        command: z.string().nullable(),
        findings: z.array(z.string()),
      }),
    ),
  }),
});

export type StatusDocument = z.infer<typeof statusSchema>;
export type WorkerStatusDocument = z.infer<typeof workerStatusSchema>;
