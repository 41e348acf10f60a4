/** Everything that waits for a person, over the live runs: a view of the state and of what live attempts show. Pure. */
import { openAsks } from '../core/asks.ts';
import { toBeStopped } from '../core/goes-on.ts';
import { requestText } from '../core/permissions.ts';
import { restlessRuns } from '../core/restless.ts';
import { budgetLack, lacksBudget } from '../core/budget.ts';
import { tokenLimit } from '../core/plan.ts';
import { workersIn } from '../core/run-index.ts';
import {
  awaitsApproval,
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from '../core/state.ts';
import { reviewLacksBudget } from '../core/review.ts';
import { firstAgent } from '../core/schedule/which-agent.ts';
import { fallbackOf, waitsSince } from '../core/unanswered.ts';
import { oneLine } from './cells.ts';
import { clockTime, counted, grouped, spanText, timestamp } from './figures.ts';
import type { InboxChange, InboxEntry, InboxKind } from './inbox-schema.ts';
import { settlingCommands } from './next-command.ts';
import { stalledSince, stallText } from './stalled.ts';
import type { LivenessOf } from './liveness.ts';

export interface InboxOptions {
  readonly state: RepositoryState;
  /** Looks at live attempts; left out when none is to be looked at. */
  readonly liveness?: LivenessOf;
  /** Why a daemon leads the runs no more, in a sentence without a full stop, and since when; left out or null when none is missing. */
  readonly unled?: { readonly why: string; readonly at: number } | null;
  /** Whether no loop leads the runs: then nobody stops what is to be stopped. */
  readonly unattended?: boolean;
  /** Only of this run; null for all that live. */
  readonly run: string | null;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** The entries, oldest first. */
export function inboxEntries(options: InboxOptions): readonly InboxEntry[] {
  const { state, run: only, now, liveness, unled = null, unattended = false } = options;
  const live = restlessRuns(state).filter(isRunLive);
  const entries = live
    .filter((run) => only === null || run.id === only)
    .flatMap((run) => [
      ...daemonEntries(run, now, unled ?? (unattended ? unstopped(run) : null)),
      ...ofRun(run, now),
      ...shortOfBudget(state, run, now),
      ...stalledOf(run, now, liveness),
      ...asksOf(run, now),
    ])
    .map((entry) => (live.length > 1 ? withRun(entry) : entry));
  return entries.sort((a, b) => (a.since < b.since ? -1 : a.since > b.since ? 1 : 0));
}

/** What of two moments' entries is new, and what is not waited for any more. */
export function inboxChanges(
  before: readonly InboxEntry[],
  after: readonly InboxEntry[],
  now: number,
): readonly InboxChange[] {
  const missing = (from: readonly InboxEntry[], than: readonly InboxEntry[]): InboxEntry[] => {
    const known = new Set(than.map(nameOf));
    return from.filter((entry) => !known.has(nameOf(entry)));
  };
  const at = timestamp(now);
  return [
    ...missing(before, after).map((entry) => ({ v: 1, change: 'settled', at, entry }) as const),
    ...missing(after, before).map((entry) => ({ v: 1, change: 'waits', at, entry }) as const),
  ];
}

/** The entries for a person: what, since when, what happens without an answer, what to type. */
export function inboxText(entries: readonly InboxEntry[]): readonly string[] {
  if (entries.length === 0) return ['Nothing waits for you.'];
  const isOneRun = new Set(entries.map(({ run }) => run)).size === 1;
  const whoOf = ({ run, worker }: InboxEntry): string =>
    worker === null ? `run ${run}` : isOneRun ? worker : `${run}/${worker}`;
  return entries.flatMap((entry, index) => [
    ...(index === 0 ? [] : ['']),
    `${whoOf(entry)}: ${entry.kind.replaceAll('_', ' ')}, for ${spanText(entry.age_ms)}${fallbackText(entry)}`,
    `    ${oneLine(entry.text)}`,
    ...launchLines(entry).map((line) => `    ${oneLine(line)}`),
    ...entry.findings
      .flatMap((finding) => finding.split('\n'))
      .slice(0, 5)
      .map((line) => `    | ${oneLine(line)}`),
    ...entry.commands.map((command) => `    ${command}`),
  ]);
}

/** One line for a change, `10:15:04 patterns waits: question: which?`. */
export function inboxChangeLine({ change, at, entry }: InboxChange, offsetMinutes: number): string {
  const who = entry.worker ?? `run ${entry.run}`;
  const what = entry.kind.replaceAll('_', ' ');
  const how = entry.commands.length === 0 ? '' : ` (${entry.commands.join(', or ')})`;
  const said = change === 'waits' ? `waits: ${what}: ${entry.text}${how}` : `settled: ${what}`;
  return `${clockTime(Date.parse(at), offsetMinutes)} ${oneLine(`${who} ${said}`)}`;
}

function ofRun(run: RunState, now: number): readonly InboxEntry[] {
  const whole: readonly InboxEntry[] =
    run.pausedAt === null
      ? []
      : [
          {
            ...empty,
            run: run.id,
            worker: null,
            kind: 'paused',
            text: 'the run is paused: nothing of it starts',
            since: timestamp(run.pausedAt),
            age_ms: Math.max(0, now - run.pausedAt),
            commands: ['czar resume'],
          },
        ];
  return [...whole, ...[...run.workers.values()].flatMap((worker) => ofWorker(run, worker, now))];
}

/** Workers that are ready, and that their budget, or that of the run or the day, keeps from starting. */
function shortOfBudget(state: RepositoryState, run: RunState, now: number): readonly InboxEntry[] {
  if (run.state !== 'waiting') return [];
  return workersIn(run, 'ready', 'reviewing').flatMap((worker): readonly InboxEntry[] => {
    const at = { state, run, now };
    const lacks =
      worker.state === 'ready' ? lacksBudget(at, worker) : reviewLacksBudget(at, worker);
    if (awaitsApproval(run, worker) || !lacks) return [];
    const { text, command } = budgetLack(at, worker);
    return [
      {
        ...empty,
        run: run.id,
        worker: worker.id,
        kind: 'budget',
        text,
        since: timestamp(worker.since),
        age_ms: Math.max(0, now - worker.since),
        commands: [command],
      },
    ];
  });
}

function ofWorker(run: RunState, worker: WorkerState, now: number): readonly InboxEntry[] {
  const since = waitsSince(run, worker);
  if (since === null) return [];
  const kind = kindOf(worker);
  const fallback = fallbackOf(run, worker);
  const blocked = worker.state === 'blocked' ? worker.block : null;
  return [
    {
      run: run.id,
      worker: worker.id,
      kind,
      text: textOf(worker, kind),
      findings: [...(blocked?.findings ?? [])],
      files: [...(blocked?.files ?? [])],
      launch: kind === 'approval' ? launchOf(run, worker) : null,
      ask: null,
      since: timestamp(since),
      age_ms: Math.max(0, now - since),
      if_unanswered: fallback?.instead ?? 'wait',
      after: fallback?.afterMs ?? null,
      commands: [...settlingCommands(run, worker)],
    },
  ];
}

type Unled = NonNullable<InboxOptions['unled']>;

/** Nobody leads the run, and nobody will who is not told to. */
function daemonEntries(run: RunState, now: number, unled: Unled | null): readonly InboxEntry[] {
  if (unled === null) return [];
  const { why, at } = unled;
  return [
    {
      ...empty,
      run: run.id,
      worker: null,
      kind: 'daemon',
      text: why,
      since: timestamp(at),
      age_ms: Math.max(0, now - at),
      commands: ['czar daemon start'],
    },
  ];
}

/** What somebody has said is to be stopped, and nobody stops without a loop; null when there is nothing. */
function unstopped(run: RunState): Unled | null {
  const workers = toBeStopped(run);
  if (workers.length === 0) return null;
  const names = workers.map(({ id }) => id).join(', ');
  const at = Math.max(run.pausedAt ?? 0, ...workers.map(({ since }) => since));
  return { why: `no czar is running here that stops ${names}`, at };
}

/** Live attempts that are silent: they hold their slot, and only a person can tell whether they still work. */
function stalledOf(
  run: RunState,
  now: number,
  liveness: LivenessOf | undefined,
): readonly InboxEntry[] {
  if (liveness === undefined) return [];
  return workersIn(run, 'active').flatMap((worker): readonly InboxEntry[] => {
    const since = stalledSince(run, worker, { seen: () => liveness(run, worker), now });
    if (since === null || worker.stop !== null) return [];
    const { id } = worker;
    return [
      {
        ...empty,
        run: run.id,
        worker: id,
        kind: 'stalled',
        text: stallText(since, now),
        since: timestamp(since),
        age_ms: Math.max(0, now - since),
        commands: [`czar logs ${id}`, `czar attach ${id}`, `czar cancel ${id}`],
      },
    ];
  });
}

/** What live attempts wait with, each by itself. */
function asksOf(run: RunState, now: number): readonly InboxEntry[] {
  return workersIn(run, 'active').flatMap((worker) =>
    openAsks(worker).map((ask): InboxEntry => {
      const name = `${worker.id}/${ask.id}`;
      const { what } = ask;
      return {
        ...empty,
        run: run.id,
        worker: worker.id,
        ...(what.kind === 'question'
          ? {
              kind: 'question',
              text: what.text,
              ask: { id: ask.id, kind: 'question', title: what.text, command: null, path: null },
              commands: [`czar answer ${name} TEXT`],
            }
          : {
              kind: 'permission',
              text: `${what.request.kind}: ${requestText(what.request)}`,
              ask: {
                id: ask.id,
                kind: what.request.kind,
                title: what.request.title,
                command: what.request.command ?? null,
                path: what.request.path ?? null,
              },
              commands: [`czar approve ${name}`, `czar deny ${name}`],
            }),
        since: timestamp(ask.at),
        age_ms: Math.max(0, now - ask.at),
        if_unanswered: ask.instead,
        after: ask.afterMs,
      };
    }),
  );
}

const empty = {
  findings: [],
  files: [],
  launch: null,
  ask: null,
  if_unanswered: 'wait',
  after: null,
} satisfies Partial<InboxEntry>;

function kindOf({ state, block, verdicts }: WorkerState): InboxKind {
  if (state === 'ready') return 'approval';
  if (state === 'reviewing') return 'review';
  if (state === 'paused' || block === null) return 'paused';
  if (block.kind === 'dependency') return 'infrastructure';
  if (block.kind !== 'gate') return block.kind;
  const red = verdicts.filter((verdict) => verdict.result === 'fail');
  const owner = red.some((verdict) => verdict.gate === 'ownership');
  return owner && block.step === 'verifying' ? 'ownership' : 'gate';
}

function textOf(worker: WorkerState, kind: InboxKind): string {
  if (worker.state === 'reviewing')
    return `is the change good? ${counted(worker.work?.changed.length ?? 0, 'file')} at ${(worker.work?.tip ?? '').slice(0, 10)}`;
  if (kind === 'approval') return `may attempt ${worker.attempts + 1} start?`;
  return worker.state === 'blocked' ? (worker.block?.text ?? worker.reason) : worker.reason;
}

function launchOf(run: RunState, worker: WorkerState): NonNullable<InboxEntry['launch']> {
  const definition = definitionOf(run, worker.id);
  const { role, budget, owns, edges, references } = definition;
  const { name, why } = firstAgent(definition, run.missing);
  return {
    attempt: worker.attempts + 1,
    role,
    agent: name,
    model: why === null ? definition.model : null,
    budget:
      budget === null
        ? null
        : { tokens: budget.tokens, limit: tokenLimit(budget), cost_usd: budget.costUsd },
    owns: owns === null ? null : [...owns],
    dependencies: edges.filter((edge) => edge.kind !== 'sequential').map((edge) => edge.on),
    references: [...references],
  };
}

function launchLines({ launch }: InboxEntry): readonly string[] {
  if (launch === null) return [];
  const { role, agent, model, budget, owns, dependencies, references } = launch;
  const tokens = budget?.tokens ?? null;
  const limit = budget?.limit ?? null;
  const sees = [...dependencies, ...references];
  return [
    `${role === null ? '' : `${role}; `}agent ${agent}${model === null ? '' : ` (${model})`}`,
    `budget: ${tokens === null ? 'none' : `${grouped(tokens)} tokens`}${limit === null ? '' : `, limit ${grouped(limit)}`}`,
    `may change: ${owns === null ? 'anything' : owns.join(', ') || 'nothing'}`,
    `sees: ${sees.length === 0 ? 'no other worker’s work' : sees.join(', ')}`,
  ];
}

function fallbackText({ if_unanswered: then, after, age_ms: age }: InboxEntry): string {
  return after === null ? '' : `; in ${spanText(Math.max(0, after - age))}: ${then}`;
}

function nameOf({ run, worker, kind, ask, since }: InboxEntry): string {
  return JSON.stringify([run, worker, kind, ask?.id, since]);
}

/** Its commands, where more than one run lives. */
function withRun(entry: InboxEntry): InboxEntry {
  return {
    ...entry,
    commands: entry.commands.map((command) =>
      command.replace(/(^|&& |; )czar /g, `$1czar --run ${entry.run} `),
    ),
  };
}
