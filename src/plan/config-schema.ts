/** The shape of `config.yaml`. Every key that czar will know loads; those that this version leaves alone are named. */
import { budgetsSchema, pricesSchema } from './budget-fields.ts';
import * as z from 'zod';
import { agentName, agentRulesSchema } from './agent-rules.ts';
import {
  branch,
  count,
  duration,
  glob,
  line,
  listOf,
  path,
  positiveDuration,
  shell,
  size,
} from './fields.ts';
import { limitsSchema } from './limit-fields.ts';
import { notifySchema } from './notify-fields.ts';
import { reviewSchema } from './review-fields.ts';
import { capacitiesSchema } from './resource-fields.ts';

const variableName = z
  .string()
  .regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'expected the name of an environment variable');

const homeFields = {
  home: z.enum(['user', 'own']).optional().meta({
    description:
      'own: agents get a home folder of their own, with nothing of yours but home_files.',
  }),
  home_files: listOf(path, 'a path').optional().meta({
    description: 'Files and folders of your home that are copied into one of their own.',
  }),
};

const meterField = {
  meter: z.boolean().optional().meta({
    description:
      'Whether the tokens of agents are counted on their way to their provider, instead of as they report them.',
  }),
};

const agentDefinition = z.strictObject({
  adapter: z
    .enum(['command', 'acp', 'claude', 'codex'])
    .optional()
    .meta({ description: 'How the program is spoken to; default: command.' }),
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
    .array(variableName)
    .max(200)
    .optional()
    .meta({ description: 'Environment variables that it is given beside the usual ones.' }),
  ...homeFields,
  ...meterField,
});

/** A span of time, or `never` for one without an end. */
const spanOrNever = z.union([positiveDuration, z.literal('never')], {
  error: () => 'expected a duration such as 30d, or never',
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
  max_parallel: count(1, 1000).optional().meta({ description: 'Agents at work at the same time.' }),
  max_parallel_checks: count(1, 1000)
    .optional()
    .meta({ description: 'Setup, verify and check commands at the same time.' }),
  merge_queue: z.enum(['serial', 'batch', 'speculative']).optional().meta({
    description:
      'serial: one combined tree is tested after another; speculative: each candidate on top of those ahead of it, at the same time; batch: one test for several, bisected when it is red.',
  }),
  stagger: duration.optional().meta({
    description: 'Time between two starts of one agent; any program (adapter command) has none.',
  }),
  barrier: z
    .enum(['none', 'wave'])
    .optional()
    .meta({ description: 'wave: no wave begins before the one before it is over.' }),
  ownership: z.enum(['serialize', 'warn']).optional().meta({
    description:
      'serialize: workers whose owns overlap do not run at the same time; warn: they do, and it is said.',
  }),
  aging: positiveDuration
    .optional()
    .meta({ description: 'A ready worker that waits this long gains one level of priority.' }),
  checks: listOf(shell, 'a command')
    .optional()
    .meta({ description: 'Commands that judge the combined tree.' }),
  setup: listOf(shell, 'a command')
    .optional()
    .meta({ description: 'Commands that prepare a fresh tree.' }),
  protect: listOf(glob, 'a pattern')
    .optional()
    .meta({ description: 'Patterns whose change needs a person, instead of the built-in ones.' }),
  push: z.boolean().optional().meta({
    description:
      'Whether the branch of a worker that is merged, and a branch on which a run has landed, are pushed to origin.',
  }),
  isolation: z.enum(['clone', 'worktree']).optional().meta({
    description:
      'What working trees are: clones that share nothing with your repository, or linked worktrees of it.',
  }),
  agents: z
    .strictObject({
      default: agentName
        .optional()
        .meta({ description: 'Agent of workers for which nothing else names one.' }),
      preferences: z
        .record(z.string(), agentName)
        .optional()
        .meta({ description: 'Agent by worker id or role.' }),
      rules: agentRulesSchema.optional().meta({
        description:
          'Agent by labels, deliverables or technology of a worker, for which no preference is: the first that fits.',
      }),
      fallback: listOf(agentName, 'the name of an agent').optional().meta({
        description:
          'Who takes the place of an agent that is not installed or has no quota, in this order.',
      }),
      define: z
        .record(agentName, agentDefinition)
        .optional()
        .meta({ description: 'Agents by name: adapter, command, args, env.' }),
    })
    .optional()
    .meta({ description: 'Who the agents are, and who gets which work.' }),
  retry: z
    .strictObject({
      max_attempts: count(1, 100)
        .optional()
        .meta({ description: 'Failed attempts after which a worker has failed.' }),
      backoff: z
        .enum(['exponential', 'linear', 'fixed'])
        .optional()
        .meta({ description: 'How the wait between attempts grows.' }),
      initial: duration.optional().meta({ description: 'Wait before the second attempt.' }),
      max: duration.optional().meta({ description: 'Longest wait between two attempts.' }),
      from: z.enum(['clean', 'continue']).optional().meta({
        description:
          'clean: the next attempt begins in a clean tree; continue: in what the last one left.',
      }),
    })
    .optional()
    .meta({ description: 'How failed attempts are repeated, where a worker says nothing.' }),
  if_unanswered: z.enum(['wait', 'deny', 'skip', 'fail']).optional().meta({
    description: 'What happens with a worker that waits for a person when nobody answers.',
  }),
  after: positiveDuration
    .optional()
    .meta({ description: 'How long a person is waited for until if_unanswered happens.' }),
  notify: notifySchema.optional().meta({
    description: 'Who is told of what: a command, a webhook or the desktop, or a list of them.',
  }),
  timeout: positiveDuration
    .optional()
    .meta({ description: 'Time limit of an attempt; default: none.' }),
  stall_after: positiveDuration.optional().meta({
    description:
      'An attempt that neither prints, reports nor commits for this long is shown as stalled; default: never.',
  }),
  on_stall: z.enum(['wait', 'restart']).optional().meta({
    description:
      'What happens with it: wait leaves it to a person; restart stops it, as a failed attempt.',
  }),
  limits: limitsSchema.optional().meta({
    description: 'What an attempt may use at a time; one that uses more is ended as failed.',
  }),
  unattended: positiveDuration
    .optional()
    .meta({ description: 'An attempt that no loop has watched for this long ends itself.' }),
  check_timeout: positiveDuration
    .optional()
    .meta({ description: 'Time limit of one check or setup command.' }),
  grace: positiveDuration
    .optional()
    .meta({ description: 'Time between asking a process to end and ending it.' }),
  max_file_size: size
    .optional()
    .meta({ description: 'Larger files are kept aside, never committed for an agent.' }),
  max_work_size: size.optional().meta({
    description: 'What an attempt may bring into the mirror; more stays in its tree. Default: 1GB.',
  }),
  retention: z
    .strictObject({
      runs: count(1, 100_000).optional().meta({
        description:
          'How many runs keep their branches and refs; those of older ones go when their work is landed or otherwise reachable.',
      }),
      outputs: spanOrNever.optional().meta({
        description:
          'How long after its end a run keeps what its agents printed, or never: for ever.',
      }),
      kept: spanOrNever.optional().meta({
        description: 'How long work that is kept and not merged stays, or never: for ever.',
      }),
    })
    .optional()
    .meta({ description: 'What czar prune deletes.' }),
  // What later versions act on.
  worktrees: anything
    .optional()
    .meta({ description: 'Folder for working trees instead of the one in the home.' }),
  budget: budgetsSchema.optional().meta({
    description: 'Limits of a run and of a day, and the budget of workers that name none.',
  }),
  git: anything.optional().meta({ description: 'Filters, submodules and names in commits.' }),
  mirror: anything.optional().meta({ description: 'How objects get into the mirror.' }),
  flaky: z
    .strictObject({
      retries: count(0, 10).optional().meta({
        description: 'How often a check that failed or hung is tried again on the same tree.',
      }),
      quarantine: listOf(shell, 'a command').optional().meta({
        description:
          'Commands of checks and verify that run and are shown, but judge nothing until they are taken out of here.',
      }),
    })
    .optional()
    .meta({
      description:
        'Checks that fail now and then: tried again, and told when that helped; or run without judging.',
    }),
  max_rework: count(0, 100).optional().meta({
    description: 'How often findings send a worker back to its agent before it waits for a person.',
  }),
  review: reviewSchema.optional().meta({
    description: 'Who reviews, where a worker says nothing: none, agent, human, or {by, quorum}.',
  }),
  resources: capacitiesSchema.optional().meta({
    description:
      'What there is of things that workers share, by name: an amount, or {amount, requests_per_minute, tokens_per_minute}. cpu, memory and disk are found out.',
  }),
  disk_reserve: size.optional().meta({
    description:
      'Free disk space below which nothing starts. Default: 1GB, or a tenth of a smaller disk.',
  }),
  allow: listOf(shell, 'a command').optional().meta({
    description:
      'Commands that agents may run without asking, * for anything, instead of the usual ones.',
  }),
  permissions: z.enum(['edit', 'work', 'full']).optional().meta({
    description:
      'What agents may do without asking: change files in their tree; also run the commands of allow and of the plan; everything.',
  }),
  redact: listOf(variableName, 'the name of a variable').optional().meta({
    description:
      'Variables whose values are secrets and are shown and stored nowhere, beside those whose names say so.',
  }),
  ...homeFields,
  ...meterField,
  sandbox: anything
    .optional()
    .meta({ description: 'What keeps agents away from everything but their tree.' }),
  prices: pricesSchema
    .optional()
    .meta({ description: 'What a million tokens cost, USD, by model or agent.' }),
  stories: anything.optional().meta({ description: 'Where stories are, and which are left out.' }),
  workflows: anything.optional().meta({ description: 'Where workflow files are.' }),
  approve: z
    .union([
      z.boolean(),
      z.strictObject({
        labels: z
          .record(z.string(), line)
          .refine((labels) => Object.keys(labels).length > 0, 'expected at least one label'),
      }),
    ])
    .optional()
    .meta({
      description:
        'Whether each launch waits for a person: of every worker, or of those with all these labels.',
    }),
});

export type ConfigFields = z.infer<typeof configSchema>;

/** Keys that load and that this version does not act on, with what happens instead. */
export const configNotActedOn: Readonly<Partial<Record<keyof ConfigFields, string>>> = {
  worktrees: 'working trees stand in the home',
  git: 'the built-in rules hold',
  mirror: 'objects are copied',
  stories: 'stories are not read',
  workflows: 'workflows are not read',
};
