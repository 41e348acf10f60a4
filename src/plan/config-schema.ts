/** The shape of `config.yaml`. Every key that czar will know loads; those that this version leaves alone are named. */
import { z } from 'zod';
import {
  branch,
  count,
  duration,
  glob,
  line,
  listOf,
  positiveDuration,
  shell,
  size,
} from './fields.ts';

const agentName = z
  .string()
  .regex(
    /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/,
    'the name of an agent is lower-case letters and digits with . _ or - between',
  )
  .max(64, 'more than 64 characters');

const agentDefinition = z.strictObject({
  adapter: z.enum(['command', 'acp', 'claude', 'codex']).optional(),
  command: z
    .array(line.min(1, 'an empty argument').max(10_000))
    .min(1, 'the command needs at least the name of a program')
    .max(200)
    .optional()
    .meta({
      description: 'Program and arguments; {prompt}, {prompt_file} and {worktree} are replaced.',
    }),
  args: z
    .array(line)
    .max(200)
    .optional()
    .meta({ description: 'Arguments behind those of command.' }),
  env: z
    .array(
      z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable'),
    )
    .max(200)
    .optional()
    .meta({ description: 'Environment variables that it is given beside the usual ones.' }),
});

const anything = z.unknown();

export const configSchema = z.strictObject({
  name: line
    .optional()
    .meta({ description: 'Name of the project; default: the name of its folder.' }),
  base: line.optional().meta({
    description: 'Branch, tag or commit that runs start from; default: the current branch.',
  }),
  target: branch.optional().meta({
    description: 'Branch that czar land moves; default: the branch the run started from.',
  }),
  max_parallel: count(1, 1000).optional(),
  max_parallel_checks: count(1, 1000).optional(),
  barrier: z.enum(['none', 'wave']).optional(),
  ownership: z.enum(['serialize', 'warn']).optional(),
  aging: positiveDuration.optional(),
  checks: listOf(shell, 'a command')
    .optional()
    .meta({ description: 'Commands that judge the combined tree.' }),
  setup: listOf(shell, 'a command')
    .optional()
    .meta({ description: 'Commands that prepare a fresh tree.' }),
  protect: listOf(glob, 'a pattern')
    .optional()
    .meta({ description: 'Patterns whose change needs a person, instead of the built-in ones.' }),
  isolation: z.enum(['clone', 'worktree']).optional().meta({
    description:
      'What working trees are: clones that share nothing with your repository, or linked worktrees of it.',
  }),
  agents: z
    .strictObject({
      default: agentName.optional(),
      preferences: z
        .record(z.string(), agentName)
        .optional()
        .meta({ description: 'Agent by worker id or role.' }),
      rules: anything.optional(),
      define: z.record(agentName, agentDefinition).optional(),
    })
    .optional(),
  retry: z
    .strictObject({
      max_attempts: count(1, 100).optional(),
      backoff: z.enum(['exponential', 'linear', 'fixed']).optional(),
      initial: duration.optional(),
      max: duration.optional(),
      from: z.enum(['clean', 'continue']).optional(),
    })
    .optional(),
  timeout: positiveDuration
    .optional()
    .meta({ description: 'Time limit of an attempt; default: none.' }),
  unattended: positiveDuration.optional(),
  check_timeout: positiveDuration
    .optional()
    .meta({ description: 'Time limit of one check or setup command.' }),
  grace: positiveDuration
    .optional()
    .meta({ description: 'Time between asking a process to end and ending it.' }),
  max_file_size: size
    .optional()
    .meta({ description: 'Larger files are kept aside, never committed for an agent.' }),
  // What later versions act on.
  retention: anything.optional(),
  worktrees: anything.optional(),
  stagger: anything.optional(),
  budget: anything.optional(),
  push: anything.optional(),
  git: anything.optional(),
  mirror: anything.optional(),
  merge: anything.optional(),
  max_rework: anything.optional(),
  review: anything.optional(),
  resources: anything.optional(),
  allow: anything.optional(),
  permissions: anything.optional(),
  home: anything.optional(),
  sandbox: anything.optional(),
  notify: anything.optional(),
  prices: anything.optional(),
  stories: anything.optional(),
  workflows: anything.optional(),
  approve: anything.optional(),
});

export type ConfigFields = z.infer<typeof configSchema>;

/** Keys that load and that this version does not act on, with what happens instead. */
export const configNotActedOn: Readonly<Partial<Record<keyof ConfigFields, string>>> = {
  retention: 'nothing is deleted by itself',
  worktrees: 'working trees stand in the home',
  stagger: 'starts follow one another at once',
  budget: 'nothing stops at it',
  push: 'nothing is pushed',
  git: 'the built-in rules hold',
  mirror: 'objects are copied',
  merge: 'merges go one at a time, in order',
  max_rework: 'a worker with findings waits for a person',
  resources: 'no resource is counted',
  allow: 'agents use the permissions that they are set up with',
  permissions: 'agents use the permissions that they are set up with',
  home: 'agents use the home folder of the user',
  sandbox: 'agents run as the user',
  notify: 'nobody is notified',
  prices: 'costs are what agents report',
  stories: 'stories are not read',
  workflows: 'workflows are not read',
  approve: 'no launch waits for an approval',
};
