/** The document of `czar gate WORKER --json`, version 1: shipped as `schema/gate.schema.json`. */
import * as z from 'zod';
import { states } from '../core/lifecycle.ts';

/** `czar gate WORKER --json`. */
export const gateSchema = z.strictObject({
  v: z.literal(1),
  run: z.string(),
  worker: z.string(),
  state: z.enum(states),
  gates: z
    .array(
      z.strictObject({
        gate: z.string(),
        on: z
          .enum(['change', 'branch', 'combined'])
          .describe('what it judges: the change, the tree of the branch, the tree of the merge'),
        command: z.string().nullable(),
        result: z
          .enum(['pass', 'fail', 'inconclusive'])
          .nullable()
          .describe('null when there is no verdict on it as it stands now'),
        findings: z.array(z.string()),
        files: z.array(z.string()),
        duration_ms: z.number().min(0).nullable(),
        tries: z
          .int()
          .min(1)
          .nullable()
          .describe('how often the command was run; null when it was not'),
        quarantined: z
          .boolean()
          .describe('whether its verdict judges nothing, by flaky.quarantine'),
        log: z.string().nullable().describe('its whole output: a file, relative to the checkout'),
        output: z.string().nullable().describe('the end of that'),
      }),
    )
    .describe('in the order in which they judge'),
});

export type GateDocument = z.infer<typeof gateSchema>;
