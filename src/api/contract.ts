/**
 * What the loop's socket takes and answers: the requests of a person, in zod, so that nothing that arrives is trusted
 * for its shape. What the loop must look up itself (facts of a tree, where a branch stands) is not on the wire.
 */
import * as z from 'zod';
import type { ConfigSources, Steering } from '../core/commands.ts';
import type { Wanted } from '../daemon/choose-run.ts';
import type { LoopNotice } from '../daemon/notices.ts';

/** Version of this contract; another one is told, never misread. */
export const contractVersion = 1;

const place = { run: z.string().min(1).max(64), worker: z.string().min(1).max(64) };
const workers = z.array(z.string().min(1).max(80)).min(1).max(10_000).nullable();
const text = z.string().max(64 * 1024);

const sourcesSchema: z.ZodType<ConfigSources> = z.strictObject({
  userFile: z.string().max(4096).nullable(),
  environment: z.string().max(256).nullable(),
  variables: z.record(z.string(), text),
  flags: z.array(text).max(1_000),
});

export const steeringSchema: z.ZodType<Steering> = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('retry'), ...place, note: text.nullable(), clean: z.boolean() }),
  z.strictObject({ kind: z.literal('retry-failed'), run: place.run }),
  z.strictObject({ kind: z.literal('submit'), ...place }),
  z.strictObject({ kind: z.literal('skip'), ...place, satisfy: z.boolean() }),
  z.strictObject({ kind: z.literal('cancel'), run: place.run, worker: place.worker.nullable() }),
  z.strictObject({ kind: z.literal('pause'), run: place.run, worker: place.worker.nullable() }),
  z.strictObject({ kind: z.literal('resume'), run: place.run, worker: place.worker.nullable() }),
  z.strictObject({ kind: z.literal('tell'), ...place, text }),
  z.strictObject({
    kind: z.literal('answer'),
    ...place,
    ask: z.string().min(1).max(16).optional(),
    text,
  }),
  z.strictObject({ kind: z.literal('unblock'), ...place, note: text.nullable() }),
  z.strictObject({ kind: z.literal('approve-path'), ...place, path: z.string().min(1).max(4096) }),
  z.strictObject({
    kind: z.literal('review'),
    ...place,
    result: z.enum(['approve', 'changes_requested']),
    tip: z.string().max(128).nullable(),
    text,
    findings: z
      .array(
        z.strictObject({
          severity: z.enum(['critical', 'high', 'medium', 'low']),
          file: z.string().max(4096).nullable(),
          line: z.int().positive().nullable(),
          text,
        }),
      )
      .max(1_000),
  }),
  z.strictObject({
    kind: z.literal('raise-budget'),
    run: place.run,
    scope: z.enum(['worker', 'run', 'day']),
    worker: place.worker.nullable(),
    tokens: z.number().int().min(0).max(1e12),
    costUsd: z.number().min(0).max(1e12),
  }),
  z.strictObject({ kind: z.literal('amend'), run: place.run, sources: sourcesSchema }),
  z.strictObject({ kind: z.literal('approve'), run: place.run, workers }),
  z.strictObject({ kind: z.literal('deny'), run: place.run, workers, why: text.nullable() }),
  z.strictObject({ kind: z.literal('set-approval'), run: place.run, approve: z.boolean() }),
  z.strictObject({
    kind: z.literal('request-pull'),
    run: place.run,
    target: z.string().min(1).max(1024),
    partial: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('record-pull'),
    run: place.run,
    number: z.int().positive(),
    url: z.string().min(1).max(4096),
    tip: z.string().min(1).max(128),
    program: z.string().min(1).max(64),
    state: z.enum(['open', 'merged', 'closed']),
  }),
  z.strictObject({
    kind: z.literal('send-back'),
    run: place.run,
    number: z.int().positive(),
    tip: z.string().min(1).max(128),
    remarks: z
      .array(
        z.strictObject({
          id: z.string().min(1).max(8192),
          kind: z.enum(['check', 'comment']),
          by: z.string().max(256),
          file: z.string().max(4096).nullable(),
          line: z.int().positive().nullable(),
          owner: place.worker,
          text,
        }),
      )
      .max(1_000),
  }),
  z.strictObject({ kind: z.literal('make-tree'), ...place }),
  z.strictObject({ kind: z.literal('remove-tree'), ...place, force: z.boolean() }),
  z.strictObject({
    kind: z.literal('drop-kept'),
    ...place,
    ref: z.string().min(1).max(1024),
    force: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('land'),
    run: place.run,
    target: z.string().min(1).max(1024),
    mode: z.enum(['merge', 'squash', 'ff']),
    partial: z.boolean(),
  }),
  z.strictObject({
    kind: z.literal('sync'),
    run: place.run,
    target: z.string().min(1).max(1024),
  }),
]);

const version = z.literal(contractVersion);

/**
 * The process that asks, as it says itself: whoever belongs to an attempt is refused. A client that does not say so is
 * believed to be a person's.
 */
const pid = z.int().positive().optional();

/** What `POST /requests` takes. */
export const messageSchema = z.strictObject({ v: version, pid, request: steeringSchema });

/** What `POST /refused` takes: a czar has itself refused what a process of an attempt asked for; it is only logged. */
export const refusedSchema = z.strictObject({
  v: version,
  pid: z.int().positive(),
  asked: z.string().min(1).max(64),
});

/** What `POST /alive` takes, and what it is answered with at once: which process listens. */
export const aliveSchema = z.object({ v: version, pid: z.int().positive() });

const ids = z.array(z.string().min(1).max(64)).max(100_000);

const wantedSchema: z.ZodType<Wanted> = z.strictObject({
  run: z.string().min(1).max(64).nullable(),
  scope: ids,
  new: z.boolean(),
  failed: z.boolean(),
  changes: z.enum(['pinned', 'amend']).nullable(),
  includeDirty: z.boolean(),
  approve: z.boolean(),
  sources: sourcesSchema,
});

/** What `POST /begin` takes: `checkout` is where it was asked, as a run knows it. */
export const beginSchema = z.strictObject({
  v: version,
  pid,
  checkout: z.string(),
  wanted: wantedSchema,
});

export type Begin = Omit<z.infer<typeof beginSchema>, 'v' | 'pid'>;

/** What becomes of live agents when the daemon ends: they run on, finish first, or are stopped with their work kept. */
export const agentsAtEnd = ['run-on', 'finish', 'stop'] as const;

/** What `POST /end` takes. */
export const endSchema = z.strictObject({ v: version, pid, agents: z.enum(agentsAtEnd) });

export type End = Omit<z.infer<typeof endSchema>, 'v' | 'pid'>;

/** Milliseconds; null for ever. */
const span = z.number().min(0).nullable();

/** What `POST /prune` takes: how long what old runs hold stays, as the configuration says it where it was asked. */
export const pruneSchema = z.strictObject({
  v: version,
  pid,
  checkout: z.string(),
  retention: z.strictObject({ runs: z.int().min(0), outputsMs: span, keptMs: span }),
});

export type PruneAsked = Omit<z.infer<typeof pruneSchema>, 'v' | 'pid'>;

/** What `POST /notices` takes: it is answered with a `LoopNotice` a line, for as long as both sides live. */
export const hearSchema = z.object({ v: version });

/** One of its lines. */
export const noticeSchema: z.ZodType<LoopNotice> = z.discriminatedUnion('kind', [
  z.object({ kind: z.enum(['note', 'log']), text }),
  z.object({ kind: z.literal('stalled'), reason: z.string(), message: z.string() }),
  z.object({ kind: z.literal('writable') }),
]);

const rejectionSchema = z.object({
  consequence: z.enum(['reject', 'ask', 'retry']),
  exit: z.union([z.literal(2), z.literal(3), z.literal(4)]),
  what: z.string(),
  next: z.string().nullable(),
});

const noSchema = z.object({ v: version, ok: z.literal(false), rejection: rejectionSchema });

/** What a request is answered with. */
export const replySchema = z.union([
  z.object({
    v: version,
    ok: z.literal(true),
    /** What is so, in sentences, where it is not what such a request usually comes to. */
    said: z.string().optional(),
  }),
  noSchema,
]);

export type Reply = z.infer<typeof replySchema>;

const folders = z.array(z.object({ run: z.string(), path: z.string(), bytes: z.number() }));

/** What `POST /prune` is answered with: what is gone, and what could not be deleted, in sentences. */
export const prunedSchema = z.union([
  z.object({
    v: version,
    ok: z.literal(true),
    outputs: folders,
    aside: folders,
    refs: z.array(
      z.object({ in: z.enum(['repository', 'mirror']), ref: z.string(), commit: z.string() }),
    ),
    left: z.array(z.object({ ref: z.string(), why: z.string() })),
    bytes: z.number(),
    problems: z.array(z.string()),
  }),
  /** It failed half way. */
  z.object({ v: version, ok: z.literal(false), error: z.string() }),
  noSchema,
]);

export type PruneReply = z.infer<typeof prunedSchema>;

/** What `POST /begin` is answered with; lines are sentences for a person. */
export const begunSchema = z.union([
  z.object({
    v: version,
    ok: z.literal(true),
    run: z.string(),
    /** Whether the run began with this; false when it was live already. */
    started: z.boolean(),
    notes: z.array(z.string()),
  }),
  z.object({
    v: version,
    ok: z.literal(false),
    rejection: rejectionSchema,
    where: z.string().nullable().optional(),
    /** How the files differ from the run's revision, when that is why. */
    differences: z.array(z.string()).optional(),
    /** What is wrong with the plan files, when that is why, line by line. */
    problems: z.array(z.string()).optional(),
  }),
]);

export type Begun = z.infer<typeof begunSchema>;

/** What `POST /end` is answered with: until when live agents go on by themselves, milliseconds since 1970. */
export const endedSchema = z.union([
  z.object({
    v: version,
    ok: z.literal(true),
    agents: z.number(),
    until: z.number().nullable(),
  }),
  noSchema,
]);

export type Ended = z.infer<typeof endedSchema>;
