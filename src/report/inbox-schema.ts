/** The document of `czar inbox --json`, and of each line of `--watch`, version 1: shipped in `schema/`. */
import * as z from 'zod';

const time = z.iso.datetime({ precision: 3 });

/** What a person can be waited for with. */
export const inboxKinds = [
  'approval',
  'denied',
  'permission',
  'paused',
  'question',
  'blocker',
  'budget',
  'gate',
  'inconclusive',
  'conflict',
  'ownership',
  'protect',
  'review',
  'rework',
  'nothing_changed',
  'lost',
  'inputs',
  'when',
  'infrastructure',
  'stalled',
  'daemon',
] as const;

export const inboxEntrySchema = z.strictObject({
  run: z.string(),
  worker: z.string().nullable().describe('null when the whole run waits'),
  kind: z.enum(inboxKinds),
  text: z.string(),
  findings: z.array(z.string()).describe('word for word what gates, git or the agent said'),
  files: z.array(z.string()),
  launch: z
    .strictObject({
      attempt: z.int().min(1),
      role: z.string().nullable(),
      agent: z.string(),
      model: z.string().nullable(),
      budget: z
        .strictObject({
          tokens: z.number().nullable(),
          limit: z.number().nullable(),
          cost_usd: z.number().nullable(),
        })
        .nullable(),
      owns: z.array(z.string()).nullable().describe('null: it may change anything'),
      dependencies: z.array(z.string()).describe('whose work or handoff it will see'),
      references: z.array(z.string()),
    })
    .nullable()
    .describe('what would start, of an approval'),
  ask: z
    .strictObject({
      id: z.string().describe('a person names it WORKER/id'),
      kind: z.enum(['command', 'edit', 'read', 'fetch', 'other', 'question']),
      title: z.string().describe('in the agent’s words'),
      command: z.string().nullable().describe('the exact command'),
      path: z.string().nullable().describe('the exact file, folder or address'),
    })
    .nullable()
    .describe('what a running attempt waits with; null when nothing of the worker runs'),
  since: time,
  age_ms: z.int().min(0),
  if_unanswered: z.enum(['wait', 'deny', 'skip', 'fail']),
  after: z
    .int()
    .min(0)
    .nullable()
    .describe('milliseconds after since at which that happens; null when it waits for ever'),
  commands: z.array(z.string()).describe('each settles it; words in capitals are yours to fill in'),
});

export const inboxSchema = z.strictObject({
  v: z.literal(1),
  inbox: z.array(inboxEntrySchema).describe('oldest first'),
});

export const inboxChangeSchema = z.strictObject({
  v: z.literal(1),
  change: z.enum(['waits', 'settled']),
  at: time.describe('when that was seen'),
  entry: inboxEntrySchema,
});

export type InboxEntry = z.infer<typeof inboxEntrySchema>;
export type InboxChange = z.infer<typeof inboxChangeSchema>;
export type InboxKind = (typeof inboxKinds)[number];
