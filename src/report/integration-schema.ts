/** The document of `czar check integration --json`, version 1: shipped as `schema/integration.schema.json`. */
import * as z from 'zod';
import { states } from '../core/lifecycle.ts';

/** `czar check integration --json`. */
export const integrationSchema = z.strictObject({
  v: z.literal(1),
  run: z.string(),
  integration: z.strictObject({
    branch: z
      .string()
      .describe(
        'below refs/czar/ when the integration branch is in other hands: what is merged is there',
      ),
    commit: z.string().nullable().describe('null when there is no such branch'),
  }),
  ok: z.boolean().describe('whether every required branch is in it'),
  branches: z.array(
    z.strictObject({
      worker: z.string(),
      state: z.enum(states),
      branch: z.string().nullable(),
      commit: z
        .string()
        .nullable()
        .describe('where the branch stands, or stood when it was merged and cleaned up'),
      required: z
        .boolean()
        .describe('false for what was skipped, changed nothing, or has no repository'),
      merged: z.boolean().describe('whether it is an ancestor of the integration branch'),
      why: z.string().nullable().describe('why a required one is not'),
    }),
  ),
  missing: z.array(z.string()).describe('workers whose required branches are not in it'),
});

export type IntegrationDocument = z.infer<typeof integrationSchema>;
