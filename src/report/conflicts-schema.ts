/** The document of `czar conflicts --json`, version 1: shipped as `schema/conflicts.schema.json`. */
import * as z from 'zod';

const branch = z.strictObject({
  run: z.string(),
  worker: z.string().nullable().describe('null for the integration branch of the run'),
  branch: z.string(),
  tip: z.string(),
});

/** `czar conflicts --json`. */
export const conflictsSchema = z.strictObject({
  v: z.literal(1),
  branches: z.array(branch).describe('what was compared, each with each'),
  conflicts: z.array(
    z.strictObject({
      branches: z.array(z.string()).length(2),
      workers: z.array(z.string()).min(1).max(2),
      files: z.array(z.string()).describe('none when the histories share nothing'),
    }),
  ),
  unknown: z
    .array(z.strictObject({ branches: z.array(z.string()).length(2), why: z.string() }))
    .describe('pairs of which git could not tell'),
});

export type ConflictsDocument = z.infer<typeof conflictsSchema>;
