/** Smaller documents of single verbs, version 1: shipped in `schema/`. */
import * as z from 'zod';

const count = z.int().min(0);
const time = z.iso.datetime({ precision: 3 });
const texts = z.array(z.string());
const v = z.literal(1);

/** A line of `czar events --json`, and of `events.jsonl`. */
export const eventSchema = z.strictObject({
  v,
  seq: z.int().min(1).describe('without gaps, from 1'),
  ts: time,
  run: z.string().optional(),
  worker: z.string().optional(),
  attempt: count.optional(),
  type: z.string().regex(/^[a-z]+\.[a-z_]+$/),
  data: z.looseObject({}),
});

const sums = z.strictObject({
  limit: z.number().nullable(),
  used: z.number().min(0),
  reserved: z.number().min(0).describe('for attempts that run'),
  left: z.number().min(0).nullable().describe('null without a limit'),
});
const account = { tokens: sums, cost_usd: sums };

/** `czar budget --json`. */
export const budgetDocumentSchema = z.strictObject({
  v,
  run: z
    .strictObject({ id: z.string(), ...account })
    .nullable()
    .describe('null where nothing was run yet: then the plan files say the rest'),
  day: z.strictObject(account).describe('of all runs, UTC'),
  workers: z.array(
    z.strictObject({
      id: z.string(),
      estimate: z.number().nullable(),
      forecast: z.number().nullable(),
      on_exceeded: z.enum(['block', 'fail', 'warn']).nullable(),
      source: z.enum(['reported', 'metered', 'estimated', 'none']),
      ...account,
    }),
  ),
});

/** `czar daemon status --json`. */
export const daemonStatusSchema = z.strictObject({
  v,
  pid: count,
  version: z.string(),
  started_at: time,
  socket: z.string().nullable(),
  guardian: count.nullable().describe('its pid; null when nobody starts the daemon again'),
  answers: z.boolean(),
  exit_when_waiting: z.boolean(),
  runs: z.array(z.strictObject({ id: z.string(), state: z.string() })).describe('those that live'),
});

/** `czar diff WORKER --json`. */
export const diffSchema = z.strictObject({
  v,
  worker: z.string(),
  commits: count,
  created: count,
  modified: count,
  deleted: count,
  changed: z.array(
    z.strictObject({
      path: z.string(),
      status: z.enum(['A', 'M', 'D', 'T']),
      before: z.string().describe('blob; empty where there is none'),
      after: z.string(),
    }),
  ),
  diff: z.string().nullable(),
});

/** `czar land --json`, and with `--dry-run`, `--pr` or `--watch`. */
export const landSchema = z.union([
  z.strictObject({
    v,
    run: z.string(),
    kind: z.literal('landed'),
    target: z.string(),
    commit: z.string(),
    not_updated: texts.optional().describe('files of the checkout that could not follow'),
    not_pushed: z
      .array(z.strictObject({ ref: z.string(), reason: z.string(), next: z.string() }))
      .optional()
      .describe('branches that the remote did not take'),
  }),
  z.strictObject({
    v,
    run: z.string(),
    kind: z.literal('pull'),
    target: z.string(),
    branch: z.string().describe('that was pushed'),
    number: count,
    url: z.string(),
    state: z.enum(['open', 'merged', 'closed']),
    updated: z.boolean().optional().describe('whether it was open before; with --pr'),
  }),
  z.strictObject({
    v,
    kind: z.literal('preview'),
    target: z.string(),
    mode: z.enum(['merge', 'squash', 'ff']),
    commits: count,
    stat: z.string(),
    open: texts.describe('workers that are not complete'),
    gates: count.describe('commands that judge the tree'),
    gates_open: count.describe('those of them that have not judged it yet'),
  }),
]);

/** `czar sync --json`. */
export const syncSchema = z.strictObject({
  v,
  run: z.string(),
  target: z.string(),
  commit: z.string().describe('of integration'),
  changed: z.boolean().describe('false when it had everything already'),
});

/** `czar worktree merge TREE --json`. */
export const worktreeMergeSchema = z.strictObject({
  v,
  run: z.string(),
  worker: z.string(),
  commit: z.string().nullable().describe('null when there was nothing to merge'),
});

const folder = z.strictObject({ run: z.string(), path: z.string(), bytes: count });

/** `czar prune --json`. */
export const pruneSchema = z.strictObject({
  v,
  dry_run: z.boolean(),
  outputs: z.array(folder),
  aside: z.array(folder).describe('files that were kept beside the work'),
  refs: z.array(
    z.strictObject({
      in: z.enum(['repository', 'mirror']),
      ref: z.string(),
      commit: z.string(),
    }),
  ),
  left: z.array(z.strictObject({ ref: z.string(), why: z.string() })).describe('what stays'),
  bytes: count,
});

const finding = {
  check: z.string(),
  level: z.enum(['ok', 'warn', 'problem']),
  what: z.string(),
  where: z.string().nullable(),
  next: z.string().nullable(),
  fixable: z.boolean().describe('whether doctor --fix mends it'),
};

/** `czar doctor --json`. */
export const doctorSchema = z.strictObject({
  v,
  ok: z.boolean(),
  findings: z.array(z.strictObject(finding)),
  mended: z.array(z.strictObject(finding)),
  failed: z.array(z.strictObject({ ...finding, error: z.string() })),
});
