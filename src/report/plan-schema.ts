/** The documents of `czar plan show|waves|graph --json` and `czar worker show --json`, version 1: shipped in `schema/`. */
import * as z from 'zod';

const count = z.int().min(0);
const texts = z.array(z.string());
const kind = z.enum(['output', 'knowledge', 'sequential']);
const requires = z.enum(['verified', 'approved', 'complete']);
const via = z.enum(['explicit', 'all', 'phase']);
const amount = z.number().min(0).nullable();

const worker = z.strictObject({
  id: z.string(),
  kind: z.enum(['worker', 'story', 'step', 'task']),
  role: z.string().nullable(),
  mission: z.string().nullable(),
  first_action: z.string().nullable(),
  agent: z
    .strictObject({ name: z.string(), why: z.string() })
    .describe('its own, and why that one'),
  fallback: texts.describe('who takes its place, in this order'),
  starts_with: z
    .strictObject({ name: z.string(), why: z.string().nullable() })
    .describe('who would make the first attempt here, and why when that is another one'),
  model: z.string().nullable(),
  branch: z.string().nullable().describe('null: czar/<run>/<id>'),
  workspace: z.enum(['branch', 'empty']),
  dependencies: z.array(
    z.strictObject({
      on: z.string(),
      kind,
      requires,
      inputs: texts,
      reason: z.string().nullable(),
      via: via.describe('written out, the word all, or a phase of a Czarina project'),
      allow_skipped: z.boolean(),
    }),
  ),
  budget: z
    .strictObject({
      tokens: amount,
      cost_usd: amount,
      reality_multiplier: z.number(),
      forecast: amount,
      limit: amount,
      on_exceeded: z.enum(['block', 'fail', 'warn']),
    })
    .nullable(),
  review: z
    .strictObject({
      agents: texts,
      person: z.boolean(),
      quorum: z.int().min(1).describe('approvals that are needed'),
    })
    .nullable()
    .describe('who must approve a change before it is merged; null when nobody must'),
  deliverables: texts,
  owns: texts.nullable().describe('null: it may change anything'),
  references: texts,
  tasks: texts,
  success_criteria: texts,
  verify: texts,
  setup: texts,
  teardown: texts,
  copy: texts,
  link: texts,
  handoff: z.enum(['required', 'optional']),
  priority: z.enum(['critical', 'high', 'normal', 'low']),
  retry: z.strictObject({
    max_attempts: count,
    backoff: z.enum(['exponential', 'linear', 'fixed']),
    initial_ms: count,
    max_ms: count,
    from: z.enum(['clean', 'continue']),
  }),
  timeout_ms: count.nullable(),
  stall_after_ms: count.nullable(),
  on_stall: z.enum(['wait', 'restart']),
  limits: z.strictObject({ processes: amount, memory_bytes: amount }),
  when: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  resources: z.record(
    z.string(),
    z.strictObject({
      amount: z.number().min(0),
      mode: z.enum(['share', 'read', 'write', 'exclusive']),
    }),
  ),
  approve: z.boolean(),
  if_unanswered: z.enum(['wait', 'deny', 'skip', 'fail']),
  after_ms: count.nullable(),
  instructions: z.string(),
  source: z.strictObject({ file: z.string(), line: count }),
  hash: z.string(),
});

const agent = z.looseObject({
  name: z.string(),
  adapter: z.string(),
  command: texts,
  env: texts.describe('names of variables'),
});

const policies = z.looseObject({
  max_parallel: count,
  max_parallel_checks: count,
  barrier: z.enum(['none', 'wave']),
  ownership: z.enum(['serialize', 'warn']),
  aging_ms: count,
  checks: texts,
  setup: texts,
  protect: texts,
  unattended_ms: count,
  check_timeout_ms: count,
  grace_ms: count,
  max_file_bytes: count,
  max_work_bytes: count.nullable(),
  notify: z.array(z.looseObject({})),
  disk_reserve_bytes: count.nullable(),
  resources: z.record(
    z.string(),
    z.strictObject({
      amount,
      requests_per_minute: amount,
      tokens_per_minute: amount,
    }),
  ),
});

export const planSchema = z.strictObject({
  v: z.literal(1),
  plan: z.strictObject({
    name: z.string(),
    revision: z.string(),
    workers: z.array(worker).describe('in plan order'),
    agents: z.record(z.string(), agent),
    policies,
    overlaps: z
      .record(z.string(), texts)
      .describe('for each worker that owns something, those whose claims overlap with its own'),
  }),
});

export const workerShowSchema = z.strictObject({ v: z.literal(1), worker });

export const planWavesSchema = z.strictObject({
  v: z.literal(1),
  waves: z.array(texts).describe('ids, level by level'),
});

export const planGraphSchema = z.strictObject({
  v: z.literal(1),
  nodes: z.array(
    z.strictObject({
      id: z.string(),
      wave: count.describe('from 1'),
      role: z.string().nullable(),
      agent: z.string(),
    }),
  ),
  edges: z.array(
    z.strictObject({
      from: z.string().describe('the dependency'),
      to: z.string(),
      kind,
      requires,
      via,
      reason: z.string().nullable(),
    }),
  ),
});
