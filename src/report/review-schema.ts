/** The document of `czar review WORKER --json`, version 1, shipped as `schema/review.schema.json`. */
import * as z from 'zod';

const time = z.iso.datetime({ precision: 3 });

const finding = z.strictObject({
  severity: z.enum(['critical', 'high', 'medium', 'low']),
  file: z.string().nullable(),
  line: z.int().positive().nullable(),
  text: z.string(),
});

export const reviewSchema = z.strictObject({
  v: z.literal(1),
  run: z.string(),
  worker: z.string(),
  state: z.string(),
  tip: z.string().nullable().describe('commit that is judged'),
  review: z
    .strictObject({
      agents: z.array(z.string()),
      human: z.boolean(),
      quorum: z.int().min(1).describe('approvals that are needed'),
    })
    .nullable()
    .describe('who must approve; null when nobody must'),
  status: z.string().nullable().describe('as in czar status'),
  running: z.strictObject({ review: z.int(), reviewer: z.string() }).nullable(),
  removed: z
    .array(
      z.strictObject({
        file: z.string(),
        lines: z.array(z.string()),
        more: z.int().min(0).describe('lines that are not listed'),
      }),
    )
    .describe('lines of other workers that it removed when it settled a conflict'),
  verdicts: z
    .array(
      z.strictObject({
        reviewer: z.string(),
        by: z.enum(['user', 'policy', 'agent']),
        result: z.enum(['approve', 'changes_requested']),
        tip: z.string(),
        at: time,
        text: z.string(),
        findings: z.array(finding),
      }),
    )
    .describe('on the commit as it is, oldest first'),
});

export type ReviewDocument = z.infer<typeof reviewSchema>;
