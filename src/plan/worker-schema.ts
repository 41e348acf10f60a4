/** The shape of a worker's fields, as worker files hold them. What needs other workers is checked in `resolve.ts`. */
import { reviewSchema } from './review-fields.ts';
import * as z from 'zod';
import { budgetSchema } from './budget-fields.ts';
import { requestsSchema } from './resource-fields.ts';
import { limitsSchema } from './limit-fields.ts';
import { looseAgent } from './loose.ts';
import {
  workBranch,
  count,
  duration,
  glob,
  id,
  line,
  listOf,
  onePath,
  path,
  positiveDuration,
  shell,
  text,
} from './fields.ts';

const dependency = z.strictObject({
  on: z.string().meta({ description: 'Id of a worker, or all.' }),
  kind: z.enum(['output', 'knowledge', 'sequential']).optional().meta({
    description:
      'output: its merged commits are in this tree. knowledge: its handoff is in this prompt. sequential: order only.',
  }),
  requires: z.enum(['verified', 'approved', 'complete', 'merged']).optional(),
  allow_skipped: z.boolean().optional(),
  inputs: listOf(path, 'a path').optional().meta({
    description: 'Paths that must exist before this worker starts (output only).',
  }),
  reason: line.optional(),
});

/** One dependency: an id, or keys with an id. */
export const dependencySchema = z.union([z.string(), dependency]);

/** Fields of a worker, all optional: the id may be the file's name. */
export const workerSchema = z.strictObject({
  id: id.optional().meta({ description: 'Default: the name of the file.' }),
  role: line.optional(),
  mission: text.optional(),
  first_action: text.optional(),
  agent: line
    .refine((value) => looseAgent(value) !== undefined, {
      error: 'expected the name of an agent, such as claude or my-agent',
    })
    .optional()
    .meta({ description: 'Name of an agent; default: preferences, rules, then agents.default.' }),
  model: line
    .optional()
    .meta({ description: 'For its agent; one that takes its place uses its own.' }),
  fallback: listOf(
    line.refine((value) => typeof looseAgent(value) === 'string', {
      error: 'expected the name of an agent, such as claude or my-agent',
    }),
    'the name of an agent',
  )
    .optional()
    .meta({
      description:
        'Who takes the place of its agent when that is not installed or has no quota, in this order; default: agents.fallback.',
    }),
  branch: workBranch.optional().meta({ description: 'Default: czar/<run>/<id>.' }),
  workspace: z.enum(['branch', 'empty']).optional(),
  dependencies: listOf(dependencySchema, 'the id of a worker, or {on: …},').optional(),
  budget: budgetSchema.optional(),
  deliverables: listOf(glob, 'a path or pattern').optional().meta({
    description:
      'What must exist on the branch; a trailing / means a folder with at least one file.',
  }),
  owns: listOf(glob, 'a pattern')
    .optional()
    .meta({ description: 'Patterns of what it may change; default: anything.' }),
  references: listOf(glob, 'a pattern')
    .optional()
    .meta({ description: 'Patterns that it may only read.' }),
  tasks: listOf(line, 'a task').optional(),
  success_criteria: listOf(text, 'a criterion').optional(),
  verify: listOf(shell, 'a command').optional().meta({
    description: 'Commands that check the work on a clean checkout; exit 0 passes.',
  }),
  setup: listOf(shell, 'a command')
    .optional()
    .meta({ description: 'Commands that prepare a fresh tree.' }),
  teardown: listOf(shell, 'a command').optional().meta({
    description:
      'Commands that take away what setup or the agent put up, in its tree after the work of each attempt is collected.',
  }),
  copy: listOf(onePath, 'a path').optional(),
  link: listOf(onePath, 'a path').optional(),
  review: reviewSchema.optional().meta({
    description:
      'Who must approve a change before it is merged: none, agent, human, or {by, quorum}; default: that of the config.',
  }),
  handoff: z.enum(['required', 'optional']).optional(),
  priority: z.enum(['critical', 'high', 'normal', 'low']).optional(),
  resources: requestsSchema.optional().meta({
    description:
      'What each attempt takes, by name: an amount, or {amount, mode}; modes are read, write, exclusive.',
  }),
  retry: z
    .strictObject({
      max_attempts: count(1, 100).optional(),
      backoff: z.enum(['exponential', 'linear', 'fixed']).optional(),
      initial: duration.optional(),
      max: duration.optional(),
      from: z.enum(['clean', 'continue']).optional(),
    })
    .optional(),
  timeout: positiveDuration.optional(),
  stall_after: positiveDuration.optional().meta({
    description:
      'Silence after which a live attempt is shown as stalled; default: that of the config.',
  }),
  on_stall: z.enum(['wait', 'restart']).optional(),
  limits: limitsSchema.optional().meta({
    description: 'What an attempt may use at a time; default: that of the config.',
  }),
  when: line.optional().meta({ description: 'CEL over run and workers; false means skipped.' }),
  labels: z.record(z.string(), line).optional(),
  approve: z.boolean().optional().meta({
    description: 'Whether each launch waits for a person; default: approve of the config.',
  }),
  if_unanswered: z.enum(['wait', 'deny', 'skip', 'fail']).optional(),
  after: positiveDuration.optional(),
});

export type WorkerFields = z.infer<typeof workerSchema>;
export type DependencyField = z.infer<typeof dependency>;

const named = workerSchema.meta({ id: 'worker' });

/** A worker file's YAML: the fields at the top level, or under `worker`. */
export const workerFileSchema = z.union([named, z.strictObject({ worker: named })]);

/**
 * Fields that load, and that this version does not act on: each is named in a warning with what happens instead. Take
 * an entry out when its part is built.
 */
export const notActedOn: Readonly<Partial<Record<keyof WorkerFields, string>>> = {
  labels: 'everything runs on this machine',
};
