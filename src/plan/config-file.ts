/** The configuration: the policies of the runs, who the agents are, and the defaults of the workers. */
import type { ReviewFields } from './review-fields.ts';
import { defaultProtect } from '../core/protect.ts';
import { budgetOf, pricesOf, runLimitsOf } from './budget-fields.ts';
import type {
  AdapterName,
  AgentDefinition,
  AttemptLimits,
  Budget,
  Policies,
  Retry,
} from '../core/plan.ts';
import type { Assignment } from './agent-rules.ts';
import { configDefaults } from './config-defaults.ts';
import { readLayers, type ConfigSources } from './config-layers.ts';
import { layerOf, mergeLayers, type Merged } from './config-merge.ts';
import { configNotActedOn, type ConfigFields } from './config-schema.ts';
import { report, type Problems } from './diagnostics.ts';
import { parseDuration } from './duration.ts';
import { list, parseSize } from './fields.ts';
import { normalGlob, normalPath } from './globs.ts';
import { knownAgents } from './known-agents.ts';
import { attemptLimits, noLimits } from './limit-fields.ts';
import { notifyOf } from './notify-fields.ts';
import { permissionsIn } from './permission-fields.ts';
import { capacitiesOf } from './resource-fields.ts';

/** What happens with a worker that waits for a person when nobody answers. */
export type Unanswered = 'wait' | 'deny' | 'skip' | 'fail';

/** What a configuration says, with the defaults filled in. */
export interface Config {
  readonly name: string | null;
  /** What runs start from; null means the current branch. */
  readonly base: string | null;
  /** What `land` moves; null means the branch that the run started from. */
  readonly target: string | null;
  readonly policies: Policies;
  readonly agents: Assignment & { readonly define: Readonly<Record<string, AgentDefinition>> };
  /** Who reviews, where a worker says nothing. */
  readonly review: ReviewFields;
  readonly retry: Retry;
  readonly timeoutMs: number | null;
  /** When a live attempt counts as stalled (null: never), and whether it begins again then. */
  readonly stall: { readonly afterMs: number | null; readonly restart: boolean };
  /** What an attempt may use, where a worker says nothing. */
  readonly limits: AttemptLimits;
  /** What happens with what nobody answers, and after how long, where a worker says nothing. */
  readonly unanswered: { readonly instead: Unanswered; readonly afterMs: number | null };
  /** Whose launches wait for a person, where a worker says nothing: all, none, or those with these labels. */
  readonly approve: boolean | { readonly labels: Readonly<Record<string, string>> };
  readonly retention: Retention;
  /** Budget of workers that name none. */
  readonly budget: Budget | null;
}

/** What `prune` leaves. Times in milliseconds; null means for ever. */
export interface Retention {
  /** Newest runs that keep their branches and refs. */
  readonly runs: number;
  readonly outputsMs: number | null;
  readonly keptMs: number | null;
}

/** The configuration of a home (relative to the root), all layers over one another; what is wrong of it is left out. */
export function readConfig(
  options: { readonly root: string; readonly home: string; readonly sources: ConfigSources },
  problems: Problems,
): Config {
  const layers = readLayers(options, problems);
  const merged = mergeLayers(layers);
  warnOfUnused(merged, problems);
  return configOf(merged.fields);
}

/** Names what is written and has no effect, and agents that cannot be started, where that stands. */
export function warnOfUnused({ fields, layers }: Merged, problems: Problems): void {
  const say = (
    path: readonly string[],
    what: { readonly severity?: 'warning'; readonly message: string; readonly hint: string },
  ): void => {
    const by = layerOf(layers, path);
    if (by !== null) report(problems, { source: by.source, range: by.located.keyAt(path) }, what);
  };
  const warn = (path: readonly string[], instead: string): void =>
    say(path, {
      severity: 'warning',
      message: `${path.join('.')}: this version does not act on it`,
      hint: instead,
    });
  for (const [key, instead] of Object.entries(configNotActedOn)) {
    if (Object.hasOwn(fields, key)) warn([key], instead);
  }
  if (fields.sandbox !== undefined) {
    const message = 'sandbox: this version has none, and runs nothing that asks for one';
    say(['sandbox'], { message, hint: 'leave it out: agents run as you' });
  }
  const then = fields.if_unanswered ?? 'wait';
  if (then !== 'wait' && fields.after === undefined) {
    const message = `if_unanswered: ${then} needs a time`;
    say(['if_unanswered'], { message, hint: 'add after, such as after: 1h' });
  }
  for (const [name, agent] of Object.entries(fields.agents?.define ?? {})) {
    const path = ['agents', 'define', name];
    const adapter = adapterOf(name, agent);
    if (commandOf(name, agent) === null) {
      const message = `agents.define.${name}: the adapter ${adapter} needs a command`;
      say(path, { message, hint: 'command: [program, argument, …]' });
    }
  }
}

function configOf(fields: ConfigFields): Config {
  const { agents = {}, retry = {}, retention = {} } = fields;
  const otherwise = configDefaults;
  const budgets = runLimitsOf(fields.budget);
  const prices = pricesOf(fields.prices);
  const permissions = permissionsIn(fields);
  const notify = notifyOf(fields.notify);
  const resources = capacitiesOf(fields.resources);
  const reserve = parseSize(fields.disk_reserve ?? '');
  const maxWorkBytes = parseSize(fields.max_work_size ?? '');
  return {
    name: fields.name ?? null,
    base: fields.base ?? null,
    target: fields.target ?? null,
    policies: {
      ...(budgets === null ? {} : { budget: budgets }),
      ...(prices === null ? {} : { prices }),
      ...(permissions === null ? {} : { permissions }),
      ...(notify.length === 0 ? {} : { notify }),
      ...(resources === null ? {} : { resources }),
      ...(reserve === null ? {} : { diskReserveBytes: reserve }),
      ...(fields.redact === undefined ? {} : { redact: list(fields.redact) }),
      ...(fields.push === true ? { push: fields.push } : {}),
      ...(fields.isolation === 'worktree' ? { isolation: fields.isolation } : {}),
      ...(fields.stagger === undefined ? {} : { staggerMs: milliseconds(fields.stagger, 0) }),
      ...(fields.flaky?.retries === undefined ? {} : { checkRetries: fields.flaky.retries }),
      ...(fields.flaky?.quarantine === undefined
        ? {}
        : { quarantine: list(fields.flaky.quarantine) }),
      ...(fields.merge_queue === undefined || fields.merge_queue === 'serial'
        ? {}
        : { mergeQueue: fields.merge_queue }),
      ...(fields.max_rework === undefined ? {} : { maxRework: fields.max_rework }),
      maxParallel: fields.max_parallel ?? otherwise.max_parallel,
      maxParallelChecks: fields.max_parallel_checks ?? otherwise.max_parallel_checks,
      barrier: fields.barrier ?? otherwise.barrier,
      ownership: fields.ownership ?? otherwise.ownership,
      agingMs: milliseconds(fields.aging, span(otherwise.aging)),
      checks: list(fields.checks),
      setup: list(fields.setup),
      protect: fields.protect === undefined ? defaultProtect : list(fields.protect).map(normalGlob),
      unattendedMs: milliseconds(fields.unattended, span(otherwise.unattended)),
      checkTimeoutMs: milliseconds(fields.check_timeout, span(otherwise.check_timeout)),
      graceMs: milliseconds(fields.grace, span(otherwise.grace)),
      maxFileBytes: parseSize(fields.max_file_size ?? otherwise.max_file_size) ?? 0,
      ...(maxWorkBytes === null ? {} : { maxWorkBytes }),
    },
    agents: {
      default:
        agents.default === undefined
          ? { name: otherwise.agents.default, why: 'the built-in default' }
          : { name: agents.default, why: 'agents.default' },
      preferences: agents.preferences ?? {},
      rules: agents.rules ?? [],
      fallback: list(agents.fallback),
      define: agentsOf(agents.define ?? {}, fields),
    },
    retry: retryOf(retry, {
      maxAttempts: otherwise.retry.max_attempts,
      backoff: otherwise.retry.backoff,
      initialMs: span(otherwise.retry.initial),
      maxMs: span(otherwise.retry.max),
      from: otherwise.retry.from,
    }),
    budget: budgetOf(fields.budget?.default),
    timeoutMs: fields.timeout === undefined ? null : milliseconds(fields.timeout, 0),
    limits: attemptLimits(fields.limits ?? {}, attemptLimits(otherwise.limits, noLimits)),
    stall: {
      afterMs: fields.stall_after === undefined ? null : milliseconds(fields.stall_after, 0),
      restart: (fields.on_stall ?? otherwise.on_stall) === 'restart',
    },
    retention: {
      runs: retention.runs ?? otherwise.retention.runs,
      outputsMs: spanOf(retention.outputs ?? otherwise.retention.outputs),
      keptMs: spanOf(retention.kept ?? otherwise.retention.kept),
    },
    unanswered: {
      instead: fields.if_unanswered ?? otherwise.if_unanswered,
      afterMs: fields.after === undefined ? null : milliseconds(fields.after, 0),
    },
    approve: fields.approve ?? otherwise.approve,
    review: fields.review ?? otherwise.review,
  };
}

/** Milliseconds of a span that may be `never`, which is null. */
function spanOf(text: string): number | null {
  return text === 'never' ? null : span(text);
}

/** Milliseconds of a default. */
function span(text: string): number {
  return milliseconds(text, 0);
}

/** What a worker or the configuration says of retries, over what holds without it. */
export function retryOf(fields: NonNullable<ConfigFields['retry']>, otherwise: Retry): Retry {
  return {
    maxAttempts: fields.max_attempts ?? otherwise.maxAttempts,
    backoff: fields.backoff ?? otherwise.backoff,
    initialMs: milliseconds(fields.initial, otherwise.initialMs),
    maxMs: milliseconds(fields.max, otherwise.maxMs),
    from: fields.from ?? otherwise.from,
  };
}

/** Milliseconds of a duration that a schema has checked. */
export function milliseconds(text: string | undefined, otherwise: number): number {
  return text === undefined ? otherwise : (parseDuration(text) ?? otherwise);
}

type Defined = NonNullable<NonNullable<ConfigFields['agents']>['define']>[string];

/** What is defined, over what is known of agents of that name. */
function agentsOf(
  define: Readonly<Record<string, Defined>>,
  all: Pick<ConfigFields, 'home' | 'home_files' | 'meter'>,
): Config['agents']['define'] {
  const defined = Object.entries(define).flatMap(([name, agent]) => {
    const adapter = adapterOf(name, agent);
    const command = commandOf(name, agent);
    if (command === null) return [];
    const env = [...new Set([...(knownOf(name, adapter)?.env ?? []), ...(agent.env ?? [])])];
    const words = [...command, ...(agent.args ?? [])];
    const rest = { ...homeOf(agent, all), ...meterOf(agent, all) };
    return [[name, { name, adapter, command: words, env, ...rest }] as const];
  });
  const known = [...knownAgents].map(([name, agent]): readonly [string, AgentDefinition] => {
    const own = { ...homeOf({}, all), ...meterOf({}, all) };
    return [name, Object.keys(own).length === 0 ? agent : { ...agent, ...own }];
  });
  return Object.fromEntries([...known, ...defined]);
}

function meterOf(
  agent: Pick<ConfigFields, 'meter'>,
  all: Pick<ConfigFields, 'meter'>,
): Pick<AgentDefinition, 'meter'> {
  return (agent.meter ?? all.meter) === true ? { meter: true } : {};
}

/** A home of its own, where the agent, or the configuration for all of them, says so. */
function homeOf(
  agent: Pick<ConfigFields, 'home' | 'home_files'>,
  all: Pick<ConfigFields, 'home' | 'home_files'>,
): Pick<AgentDefinition, 'home'> {
  if ((agent.home ?? all.home) !== 'own') return {};
  return { home: { files: list(agent.home_files ?? all.home_files).map(normalPath) } };
}

/** A command written out makes any program of it, unless it says how it is spoken to. */
function adapterOf(name: string, { adapter, command }: Defined): AdapterName {
  if (adapter !== undefined) return adapter;
  return command === undefined ? (knownAgents.get(name)?.adapter ?? 'command') : 'command';
}

function commandOf(name: string, agent: Defined): readonly string[] | null {
  return agent.command ?? knownOf(name, adapterOf(name, agent))?.command ?? null;
}

/** What is known of the agent, or of one that is spoken to in the same way. */
function knownOf(name: string, adapter: AdapterName): AgentDefinition | undefined {
  const own = knownAgents.get(name);
  if (own?.adapter === adapter) return own;
  // Any number of programs are spoken to in the other ways.
  if (adapter !== 'claude' && adapter !== 'codex') return undefined;
  return knownAgents.get(adapter);
}
