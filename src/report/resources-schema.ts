/** The document of `czar resources --json`, version 1: shipped as `schema/resources.schema.json`. Sizes are bytes. */
import * as z from 'zod';

const amount = z.number().min(0);
const mode = z
  .enum(['share', 'read', 'write', 'exclusive'])
  .describe('share: its amount, beside others');

const rate = z
  .strictObject({ limit: amount, used: amount.describe('in the last 60 seconds') })
  .nullable()
  .describe('null when it is not limited');

const user = z.strictObject({ run: z.string(), worker: z.string(), amount, mode });

const resource = z.strictObject({
  name: z.string(),
  unit: z.enum(['bytes', 'pieces']),
  capacity: amount.nullable().describe('null when the amount is not limited, or not known'),
  source: z.enum(['detected', 'declared']).describe('where the capacity comes from'),
  in_use: amount,
  percent: z.number().min(0).nullable().describe('in_use of capacity'),
  requests_per_minute: rate,
  tokens_per_minute: rate,
  held_by: z.array(user).describe('live attempts'),
  waiting: z.array(
    user.extend({
      why: z.string(),
      until: z.iso.datetime({ precision: 3 }).nullable().describe('when a rate has room again'),
    }),
  ),
});

/** `czar resources --json`. */
export const resourcesSchema = z.strictObject({
  v: z.literal(1),
  resources: z.array(resource),
  disk_space: z
    .strictObject({
      free: amount,
      reserve: amount.describe('less than this free, and nothing starts'),
      enough: z.boolean(),
    })
    .nullable()
    .describe('null when it cannot be found out'),
});

export type ResourcesDocument = z.infer<typeof resourcesSchema>;
