/**
 * What the loop's socket takes and answers: the requests of a person, in zod, so that nothing that arrives is trusted
 * for its shape. What the loop must look up itself (facts of a tree, where a branch stands) is not on the wire.
 */
import { z } from 'zod';
import type { Steering } from '../core/commands.ts';

/** Version of this contract; another one is told, never misread. */
export const contractVersion = 1;

const place = { run: z.string().min(1).max(64), worker: z.string().min(1).max(64) };
const text = z.string().max(64 * 1024);

export const steeringSchema: z.ZodType<Steering> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('retry'), ...place, note: text.nullable(), clean: z.boolean() }),
  z.strictObject({ kind: z.literal('retry-failed'), run: place.run }),
  z.strictObject({ kind: z.literal('submit'), ...place }),
  z.strictObject({ kind: z.literal('skip'), ...place, satisfy: z.boolean() }),
  z.strictObject({ kind: z.literal('cancel'), run: place.run, worker: place.worker.nullable() }),
  z.strictObject({ kind: z.literal('pause'), run: place.run, worker: place.worker.nullable() }),
  z.strictObject({ kind: z.literal('resume'), run: place.run, worker: place.worker.nullable() }),
  z.strictObject({ kind: z.literal('tell'), ...place, text }),
  z.strictObject({ kind: z.literal('answer'), ...place, text }),
  z.strictObject({ kind: z.literal('unblock'), ...place, note: text.nullable() }),
  z.strictObject({ kind: z.literal('approve-path'), ...place, path: z.string().min(1).max(4096) }),
  z.strictObject({
    kind: z.literal('land'),
    run: place.run,
    target: z.string().min(1).max(1024),
    mode: z.enum(['merge', 'squash', 'ff']),
    partial: z.boolean(),
  }),
]);

export const messageSchema = z.strictObject({
  v: z.literal(contractVersion),
  request: steeringSchema,
});

export const replySchema = z.union([
  z.object({ v: z.literal(contractVersion), ok: z.literal(true) }),
  z.object({
    v: z.literal(contractVersion),
    ok: z.literal(false),
    rejection: z.object({
      consequence: z.enum(['reject', 'ask', 'retry']),
      exit: z.union([z.literal(2), z.literal(3), z.literal(4)]),
      what: z.string(),
      next: z.string().nullable(),
    }),
  }),
]);

export type Reply = z.infer<typeof replySchema>;
