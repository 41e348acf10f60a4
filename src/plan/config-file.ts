/** `config.yaml`: the policies of the runs, who the agents are, and the defaults of the workers. */
import { defaultProtect } from '../core/protect.ts';
import type { AgentDefinition, Policies, Retry } from '../core/plan.ts';
import { configNotActedOn, configSchema, type ConfigFields } from './config-schema.ts';
import { report, reportFile, type Problems } from './diagnostics.ts';
import { parseDuration } from './duration.ts';
import { list, parseSize } from './fields.ts';
import { normalGlob } from './globs.ts';
import { decode } from './shape.ts';
import { readSource } from './source.ts';
import { parseYaml, type Path } from './yaml-source.ts';

/** What a configuration says, with the defaults filled in. */
export interface Config {
  readonly name: string | null;
  /** What runs start from; null means the current branch. */
  readonly base: string | null;
  /** What `land` moves; null means the branch that the run started from. */
  readonly target: string | null;
  readonly policies: Policies;
  readonly agents: {
    readonly default: { readonly name: string; readonly why: string };
    /** Agent by worker id or role. */
    readonly preferences: Readonly<Record<string, string>>;
    readonly define: Readonly<Record<string, AgentDefinition>>;
  };
  readonly retry: Retry;
  readonly timeoutMs: number | null;
}

/** The configuration of a home (relative to the root); without a file the defaults. Null when the file is wrong. */
export function readConfig(
  options: { readonly root: string; readonly home: string },
  problems: Problems,
): Config | null {
  const file = `${options.home}/config.yaml`;
  const read = readSource(options.root, file);
  if (read.kind === 'missing') return defaultConfig();
  if (read.kind === 'problem') {
    reportFile(problems, file, read);
    return null;
  }
  const { source } = read;
  const located = parseYaml(source, { start: 0, end: source.text.length }, problems);
  if (located === null) return null;
  const whole = located.value === null ? { ...located, value: {} } : located;
  const fields = decode(configSchema, { source, located: whole, under: [] }, problems);
  if (fields === null) return null;
  const warn = (path: Path, instead: string): void =>
    report(
      problems,
      { source, range: located.keyAt(path) },
      {
        severity: 'warning',
        message: `${path.join('.')}: this version does not act on it`,
        hint: instead,
      },
    );
  for (const [key, instead] of Object.entries(configNotActedOn)) {
    if (Object.hasOwn(fields, key)) warn([key], instead);
  }
  if (fields.agents?.rules !== undefined)
    warn(['agents', 'rules'], 'preferences and the default decide');
  for (const [name, agent] of Object.entries(fields.agents?.define ?? {})) {
    const path = ['agents', 'define', name];
    const adapter = agent.adapter ?? 'command';
    if (adapter !== 'command') {
      warn(
        [...path, 'adapter'],
        `czar run refuses workers of ${name}; give it adapter: command and a command`,
      );
    } else if (agent.command === undefined) {
      const message = `agents.define.${name}: the adapter command needs a command`;
      report(
        problems,
        { source, range: located.keyAt(path) },
        { message, hint: 'command: [program, argument, …]' },
      );
    }
  }
  return configOf(fields);
}

/** What holds without a configuration. */
export function defaultConfig(): Config {
  return configOf({});
}

function configOf(fields: ConfigFields): Config {
  const { agents = {}, retry = {} } = fields;
  return {
    name: fields.name ?? null,
    base: fields.base ?? null,
    target: fields.target ?? null,
    policies: {
      ...(fields.isolation === 'worktree' ? { isolation: fields.isolation } : {}),
      maxParallel: fields.max_parallel ?? 4,
      maxParallelChecks: fields.max_parallel_checks ?? 2,
      barrier: fields.barrier ?? 'none',
      ownership: fields.ownership ?? 'serialize',
      agingMs: milliseconds(fields.aging, 10 * 60_000),
      checks: list(fields.checks),
      setup: list(fields.setup),
      protect: fields.protect === undefined ? defaultProtect : list(fields.protect).map(normalGlob),
      unattendedMs: milliseconds(fields.unattended, 15 * 60_000),
      checkTimeoutMs: milliseconds(fields.check_timeout, 30 * 60_000),
      graceMs: milliseconds(fields.grace, 10_000),
      maxFileBytes: parseSize(fields.max_file_size ?? '') ?? 10_000_000,
    },
    agents: {
      default:
        agents.default === undefined
          ? { name: 'claude', why: 'the built-in default' }
          : { name: agents.default, why: 'agents.default' },
      preferences: agents.preferences ?? {},
      define: agentsOf(agents.define ?? {}),
    },
    retry: retryOf(retry, {
      maxAttempts: 2,
      backoff: 'exponential',
      initialMs: 5000,
      maxMs: 300_000,
      from: 'clean',
    }),
    timeoutMs: fields.timeout === undefined ? null : milliseconds(fields.timeout, 0),
  };
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

function agentsOf(
  define: NonNullable<NonNullable<ConfigFields['agents']>['define']>,
): Readonly<Record<string, AgentDefinition>> {
  const usable = Object.entries(define).flatMap(
    ([name, { adapter = 'command', command, args = [], env = [] }]) => {
      if (adapter !== 'command' || command === undefined) return [];
      const agent: AgentDefinition = { name, adapter, command: [...command, ...args], env };
      return [[name, agent] as const];
    },
  );
  return Object.fromEntries(usable);
}
