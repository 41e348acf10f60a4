/** The document of `czar agents test NAME --json`, version 1: shipped in `schema/`. */
import * as z from 'zod';
import { aloneUsageSchema } from './metrics-schema.ts';

export const agentTrialSchema = z.strictObject({
  v: z.literal(1),
  agent: z.string(),
  adapter: z.enum(['command', 'acp', 'claude', 'codex']),
  ok: z.boolean().describe('it can do the work of a run'),
  started: z.boolean(),
  error: z.string().nullable().describe('why it was not started, or could not be ended'),
  said: z
    .array(z.string())
    .describe('its last words, oldest first; those of its errors when it said nothing'),
  session: z.string().nullable().describe('its own name for its session, when it told one'),
  usage: aloneUsageSchema.nullable().describe('null when it told none'),
  written: z.boolean().describe('the file that it was asked for'),
  committed: z.boolean(),
  commit_needed: z.boolean().describe('false where it may only edit files: czar commits for it'),
  denied: z.array(z.string()).describe('what it wanted to do and was not allowed'),
  judgement: z
    .strictObject({
      kind: z.enum(['well', 'quota', 'failed', 'lost']),
      reason: z.string().nullable(),
      until: z.iso.datetime({ precision: 3 }).nullable().describe('when there is quota again'),
      final: z.boolean().describe('a repeat cannot mend it'),
    })
    .nullable()
    .describe('what its end would mean to a run; null when it was not started'),
  duration_ms: z.int().min(0),
});

/** `czar agents test NAME --json`. */
export type AgentTrialDocument = z.infer<typeof agentTrialSchema>;
