/** What `czar kept …` prints with `--json`, version 1: shipped below `schema/`. */
import * as z from 'zod';

const v = z.literal(1);

const keptEntry = z.strictObject({
  ref: z.string().describe('refs/czar/kept/<run>/<worker>/<n>'),
  run: z.string(),
  worker: z.string(),
  n: z.int().min(1),
  commit: z.string(),
  at: z.iso.datetime({ precision: 3 }),
  why: z.string().describe('why it was kept'),
  left_out: z
    .array(
      z.strictObject({
        path: z.string(),
        why: z.string(),
        aside: z
          .string()
          .nullable()
          .optional()
          .describe('its copy, relative to the checkout; null when there is none'),
      }),
    )
    .describe('files that are not in the commit'),
});

/** `czar kept list --json`. */
export const keptListSchema = z.strictObject({
  v,
  kept: z.array(keptEntry).describe('the oldest first'),
});

/** `czar kept show REF --json`. */
export const keptShowSchema = keptEntry.extend({
  v,
  files: z.array(
    z.strictObject({
      path: z.string(),
      status: z.enum(['A', 'M', 'D', 'T']).describe('as git says it'),
    }),
  ),
  diff: z.string(),
});

/** `czar kept restore REF --json`. */
export const keptRestoreSchema = z.strictObject({
  v,
  ref: z.string(),
  into: z.string().describe('the folder, absolute'),
  written: z.array(z.string()),
  deleted: z.array(z.string()).describe('deleted in the kept work, and left alone'),
});

/** `czar kept drop REF --json`. */
export const keptDropSchema = z.strictObject({
  v,
  ref: z.string(),
  dropped: z.string().describe('where it stands until czar prune'),
  commit: z.string(),
});
