/**
 * What `czar status` shows a person, made from the documents of `status.ts`: a table of a run, the report with its
 * sections, and one worker. Plain text; whoever prints it strips control characters and fits it to the terminal.
 */
import type { WorkerStateName } from '../core/lifecycle.ts';
import { columns, oneLine } from './cells.ts';
import {
  counted,
  grouped,
  localStamp,
  minuteStamp,
  percentText,
  spanText,
  thousands,
} from './figures.ts';
import { lowDiskText } from './low-disk.ts';
import { notPushedSummary } from './not-pushed.ts';
import type { RunTotals } from './status.ts';
import type { StatusDocument, WorkerStatusDocument } from './status-schema.ts';
import { unattended, type Died, type GaveUp } from './unattended.ts';
import type { StateWord } from './vocabulary.ts';

type WorkerDocument = StatusDocument['workers'][number];

/** What a state looks like. */
export const symbols: Readonly<Record<WorkerStateName, string>> = {
  pending: '·',
  ready: '○',
  starting: '◔',
  active: '●',
  verifying: '◐',
  reviewing: '◑',
  merging: '◕',
  complete: '✓',
  blocked: '!',
  paused: '‖',
  failed: '✗',
  skipped: '»',
  cancelled: '×',
};

/** What a view needs beside the document. */
export interface TextOptions {
  /** Name of the plan. */
  readonly name: string;
  /** Cells a line may have. */
  readonly width: number;
  /** Minutes that the reader's clock is ahead of UTC. */
  readonly offsetMinutes: number;
  /** Whether a process drives the runs here; left out when that was not looked at. */
  readonly loop?: 'alive' | 'none';
  /** Who led the runs and died of it; left out or null when nobody did. */
  readonly died?: Died | null;
  /** The daemon that nobody starts again; left out or null without one. */
  readonly gaveUp?: GaveUp | null;
  /** What states are called; czar's own words when left out. */
  readonly word?: StateWord;
}

const ownWord: StateWord = (state) => state;

/** The run as a title, a table with a row for each worker, and the totals. */
export function statusText(document: StatusDocument, options: TextOptions): readonly string[] {
  const { run, totals } = document;
  const rows = document.workers.map((worker) => [
    symbols[worker.state],
    worker.id,
    stateText(worker, options.word),
    tokensText(worker),
    worker.duration_ms === null ? '' : spanText(worker.duration_ms),
    waitText(worker),
  ]);
  const head = ['', 'worker', 'state', 'tokens', 'elapsed', 'waiting on'];
  return [
    `${oneLine(options.name)}  run ${run.id}  ${run.state}`,
    '',
    ...columns([head, ...rows], { width: options.width, flex: 5 }),
    '',
    totalsText(document, options.word),
    `started ${minuteStamp(Date.parse(run.started_at), options.offsetMinutes)}, integration branch ${run.integration}`,
    ...run.diverged.map(
      ({ ref, why }) => `diverged: ${ref.replace(/^refs\/heads\//, '')} (${why})`,
    ),
    ...notPushedSummary(
      Object.fromEntries((run.not_pushed ?? []).map(({ ref, why }) => [ref, why])),
    ),
    ...(run.disk_low === undefined ? [] : [lowDiskText(run.disk_low)]),
    ...unattended(document, options),
    ...(totals.blocked > 0 ? ['czar why WORKER says what a worker waits for'] : []),
  ].map((line) => line.trimEnd());
}

/** Workers of one kind of state, each with what is to be said of it. */
export interface StatusGroup {
  readonly title: string;
  readonly workers: readonly {
    readonly id: string;
    readonly state: WorkerStateName;
    readonly lines: readonly string[];
  }[];
}

/** The sections of a report. Every worker stands in exactly one of them, so that their counts sum to the total. */
export function statusGroups(document: StatusDocument): readonly StatusGroup[] {
  return sections.map(({ title, holds, lines }) => ({
    title,
    workers: document.workers
      .filter((worker) => holds.includes(worker.state))
      .map((worker) => ({ id: worker.id, state: worker.state, lines: lines(worker) })),
  }));
}

/** The report by sections. */
export function statusReport(document: StatusDocument, options: TextOptions): readonly string[] {
  const groups = statusGroups(document);
  const overview = [
    ['Workers', grouped(document.totals.total)],
    ...groups.map(({ title, workers }) => [
      title,
      `${workers.length}${title === 'COMPLETED' ? ` (${percentText(document.totals.percent)})` : ''}`,
    ]),
    ['Tokens', allTokensText(document)],
  ];
  return [
    `${oneLine(options.name)}  run ${document.run.id}  ${document.run.state}`,
    '',
    'OVERVIEW',
    ...columns(
      overview.map(([name = '', value = '']) => ['', `${capital(name)}:`, value]),
      { width: options.width, flex: 1 },
    ),
    ...groups
      .filter(({ workers }) => workers.length > 0)
      .flatMap(({ title, workers }) => [
        '',
        title,
        ...workers.flatMap(({ id, state, lines }) => [
          `  ${symbols[state]} ${id}`,
          ...lines.map((line) => `      ${oneLine(line)}`),
        ]),
      ]),
  ];
}

/** One worker with its tasks and what happened last, newest first. */
export function workerText(
  { worker }: WorkerStatusDocument,
  options: Omit<TextOptions, 'name'>,
): readonly string[] {
  const at = (time: string): string => localStamp(Date.parse(time), options.offsetMinutes);
  const facts: readonly (readonly [string, string | null])[] = [
    ['Branch', worker.branch],
    ['State', `${symbols[worker.state]} ${stateSentence(worker, options)}`],
    ['Czar', options.loop === 'none' && isUnderWay(worker) ? 'none runs; czar run goes on' : null],
    ['Reason', worker.block?.text ?? worker.reason],
    ['Role', worker.role],
    ['Agent', worker.agent],
    ['Tree', worker.worktree],
    ['Wave', String(worker.wave)],
    ['Waiting on', worker.waiting_on.join(', ') || null],
    ['Waiting for', worker.waiting_for],
    ['Waiting until', worker.waiting_until === null ? null : at(worker.waiting_until)],
    ['Started', worker.started_at === null ? null : at(worker.started_at)],
    ['Completed', worker.completed_at === null ? null : at(worker.completed_at)],
    ['Duration', worker.duration_ms === null ? null : spanText(worker.duration_ms)],
    ['Tokens', usageText(worker)],
    ['Cost', worker.cost_usd > 0 ? `$${worker.cost_usd.toFixed(2)}` : null],
    ['Merged', worker.merged === null ? null : worker.merged.commit.slice(0, 10)],
  ];
  const section = (title: string, lines: readonly string[]): readonly string[] =>
    lines.length === 0 ? [] : ['', `${title}:`, ...lines.map((line) => `  ${oneLine(line)}`)];
  return [
    `Worker: ${worker.id}  (run ${worker.run})`,
    ...columns(
      facts.flatMap(([name, value]) => (value === null ? [] : [[`${name}:`, oneLine(value)]])),
      { width: options.width, flex: 1 },
    ),
    ...section('Findings', worker.block?.findings.flatMap((text) => text.split('\n')) ?? []),
    ...section('Files', worker.block?.files ?? []),
    ...section(
      'Tasks',
      worker.task_list.map((task) => `${taskSymbol(task)} ${task.task}`),
    ),
    ...section(
      'Sent back',
      worker.reworks.map(({ round, at: time, text }) => `${round}  ${at(time)}  ${text}`),
    ),
    ...section('Gates', [
      ...new Set(
        worker.verdicts.map(({ gate, result, command }) =>
          command === null ? `${gate}: ${result}` : `${gate} (${command}): ${result}`,
        ),
      ),
    ]),
    ...section(
      'Attempts',
      worker.attempts.map(
        ({ attempt, started_at: started, agent, outcome }) =>
          `${attempt}. ${at(started)}  ${outcome}${agent === null ? '' : ` (${agent.name}: ${agent.why})`}`,
      ),
    ),
    ...section(
      'Kept',
      worker.kept.map(({ ref, files, why }) => `${ref}  ${counted(files.length, 'file')}, ${why}`),
    ),
    ...section(
      'Left out of git',
      worker.kept.flatMap(({ left_out }) =>
        left_out.map(({ path, why, aside }) =>
          aside === null ? `${path}: ${why}` : `${path}: ${why}; in ${aside}`,
        ),
      ),
    ),
    ...section(
      'Latest activity',
      worker.activity.map(({ at: time, text }) => `${at(time)}  ${text}`),
    ),
  ];
}

/** The counts of every state that has workers, and the sums. */
export function totalsText(
  { totals, tokens, cost_usd }: RunTotals,
  word: StateWord = ownWord,
): string {
  const sums = new Map<string, number>();
  for (const state of stateOrder) {
    const one = word(state);
    if (totals[state] > 0) sums.set(one, (sums.get(one) ?? 0) + totals[state]);
  }
  const counts = [...sums].map(([one, count]) => `${count} ${one}`);
  return [
    `${counted(totals.total, 'worker')}: ${counts.join(', ')} (${percentText(totals.percent)} complete)`,
    ...(tokens > 0 ? [`${grouped(tokens)} tokens`] : []),
    ...(cost_usd > 0 ? [`$${cost_usd.toFixed(2)}`] : []),
  ].join('; ');
}

const stateOrder: readonly WorkerStateName[] = [
  'complete',
  'active',
  'starting',
  'verifying',
  'reviewing',
  'merging',
  'ready',
  'pending',
  'blocked',
  'paused',
  'failed',
  'skipped',
  'cancelled',
];

interface Section {
  readonly title: string;
  readonly holds: readonly WorkerStateName[];
  readonly lines: (worker: WorkerDocument) => readonly string[];
}

const sections: readonly Section[] = [
  {
    title: 'COMPLETED',
    holds: ['complete'],
    lines: (worker) => [
      `duration ${spanText(worker.duration_ms ?? 0)}, tokens ${worker.tokens.source === 'none' ? 'not reported' : grouped(worker.tokens.used)}`,
    ],
  },
  {
    title: 'ACTIVE',
    holds: ['starting', 'active', 'verifying', 'reviewing', 'merging'],
    lines: (worker) => [
      `${worker.state}, ${worker.tasks.completed}/${worker.tasks.total} tasks`,
      ...(worker.latest === null ? [] : [`latest: ${worker.latest}`]),
    ],
  },
  {
    title: 'PENDING',
    holds: ['pending'],
    lines: (worker) => [`blocked by: ${worker.waiting_on.join(', ')}`],
  },
  {
    title: 'READY',
    holds: ['ready'],
    lines: (worker) => [
      worker.waiting_for === null ? 'ready to start' : `waits for ${worker.waiting_for}`,
    ],
  },
  {
    title: 'BLOCKED',
    holds: ['blocked', 'paused'],
    lines: (worker) => [
      worker.blocked_by === null
        ? `${worker.state}: ${worker.reason}`
        : `blocked by: ${worker.blocked_by}`,
    ],
  },
  {
    title: 'NOT COMPLETED',
    holds: ['failed', 'skipped', 'cancelled'],
    lines: (worker) => [`${worker.state}: ${worker.reason}`],
  },
];

function stateText(worker: WorkerDocument, word: StateWord = ownWord): string {
  const state = word(worker.state);
  if (worker.liveness === 'unknown') return `${state} (unknown)`;
  return worker.state === 'active' && worker.liveness === 'ended' ? `${state} (ended)` : state;
}

/** The state in full: what is known of the process, and since when it is not. */
function stateSentence(
  worker: WorkerStatusDocument['worker'],
  { offsetMinutes, loop, word = ownWord }: Omit<TextOptions, 'name'>,
): string {
  const state = word(worker.state);
  if (worker.liveness === 'unknown') {
    const { output, report } = worker.evidence;
    const times = [output, report, worker.started_at].flatMap((time) => time ?? []);
    const last = Math.max(...times.map((time) => Date.parse(time)));
    const since = times.length === 0 ? '' : ` since ${minuteStamp(last, offsetMinutes)}`;
    return `${state} (unknown${since})`;
  }
  if (worker.state !== 'active' || worker.liveness !== 'ended') return state;
  return loop === 'none'
    ? `${state} (its agent has ended; nobody has collected it)`
    : `${state} (its agent has ended)`;
}

/** Whether it goes on by itself while a czar runs. */
function isUnderWay({ state }: WorkerDocument): boolean {
  return underWay.includes(state);
}

const underWay: readonly WorkerStateName[] = [
  'ready',
  'starting',
  'active',
  'verifying',
  'reviewing',
  'merging',
];

/** What the run used; not 0 where workers were at work and none told. */
export function allTokensText({ tokens, workers }: StatusDocument): string {
  const began = workers.filter(({ attempt }) => attempt > 0);
  const isSilent = began.length > 0 && began.every((one) => one.tokens.source === 'none');
  return isSilent && tokens === 0 ? 'not reported' : grouped(tokens);
}

function tokensText({ tokens }: WorkerDocument): string {
  if (tokens.source === 'none') return '';
  const share = tokens.percent === null ? '' : ` ${percentText(tokens.percent)}`;
  return `${thousands(tokens.used)}${share}`;
}

function usageText({ tokens }: WorkerDocument): string | null {
  const forecast = tokens.forecast === null ? '' : `, forecast ${grouped(tokens.forecast)}`;
  if (tokens.source === 'none') {
    return tokens.budget === null ? null : `none reported / ${grouped(tokens.budget)}${forecast}`;
  }
  if (tokens.budget === null || tokens.percent === null) return grouped(tokens.used);
  return `${grouped(tokens.used)} / ${grouped(tokens.budget)} (${percentText(tokens.percent)})${forecast}`;
}

function waitText(worker: WorkerDocument): string {
  if (worker.blocked_by !== null) return `failed: ${worker.blocked_by}`;
  if (worker.waiting_on.length > 0) return worker.waiting_on.join(', ');
  if (worker.waiting_for !== null) return worker.waiting_for;
  return worker.state === 'blocked' || worker.state === 'failed' ? oneLine(worker.reason) : '';
}

function taskSymbol(task: { started_at: string | null; completed_at: string | null }): string {
  if (task.completed_at !== null) return symbols.complete;
  return task.started_at === null ? symbols.pending : symbols.active;
}

function capital(text: string): string {
  return text.charAt(0) + text.slice(1).toLowerCase();
}
