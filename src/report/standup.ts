/**
 * What people tell one another every morning and every week: what was completed, what goes on, what is in the way, what
 * comes next. Views of the state as it was at one moment; whoever asks brings that state. Pure.
 */
import { runAccount, shareOf, waitsForDay, workerAccount } from '../core/budget.ts';
import { waitingFor } from '../core/schedule/grant.ts';
import { warningShare } from '../core/spend.ts';
import {
  definitionOf,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from '../core/state.ts';
import { waitingForWord } from '../core/why.ts';
import { oneLine } from './cells.ts';
import { percent, percentText, timestamp } from './figures.ts';
import { nextCommand } from './next-command.ts';
import { dayBefore, holds, type Period } from './period.ts';
import type { DailyDocument, WeeklyDocument } from './standup-schema.ts';
import { membersOf, unmet } from './status.ts';

export interface StandupOptions {
  readonly state: RepositoryState;
  /** Only this run; null for all that went on in the time told of. */
  readonly run: string | null;
  /** The moment that the state is of, milliseconds since 1970. */
  readonly at: number;
}

interface Member {
  readonly run: RunState;
  readonly worker: WorkerState;
}

/** What is told on the morning of a day. */
export function dailyDocument(day: Period, options: StandupOptions): DailyDocument {
  const before = dayBefore(day);
  const runs = runsIn({ ...day, from: before.from }, options);
  const members = membersIn(runs);
  return {
    v: 1,
    date: day.name,
    at: timestamp(options.at),
    runs: runs.map(({ id }) => id),
    completed_yesterday: completedIn(before, members),
    completed_today: completedIn(day, members),
    active: members.filter(isActive).map(activeOf),
    blocked: members.filter(isBlocked).map((member) => blockedOf(member, options)),
    ready: members.filter(isReady).map(({ run, worker }) => ({
      run: run.id,
      worker: worker.id,
      waiting_for: waitingForWord(waitingFor(options.state, run, worker, options.at)),
    })),
    pending: members
      .filter(({ worker }) => worker.state === 'pending')
      .map(({ run, worker }) => ({
        run: run.id,
        worker: worker.id,
        waiting_on: [...unmet(run, worker)],
      })),
  };
}

/** What a week was, and what the next one brings. */
export function weeklyDocument(week: Period, options: StandupOptions): WeeklyDocument {
  const runs = runsIn(week, options);
  const members = membersIn(runs);
  const blockers = members.filter(isBlocked).map((member) => blockedOf(member, options));
  const active = members.filter(isActive).map(activeOf);
  const starting = members
    .filter(({ worker }) => worker.state === 'pending' || worker.state === 'ready')
    .map(({ run, worker }) => ({
      run: run.id,
      worker: worker.id,
      state: worker.state,
      waiting_on: [...unmet(run, worker)],
    }));
  return {
    v: 1,
    week: week.name,
    at: timestamp(options.at),
    runs: runs.map(({ id }) => id),
    completed: completedIn(week, members),
    active,
    starting_next: starting,
    metrics: metricsOf(members),
    risks: [...risksOf(runs, members, options)],
    blockers,
    next: [
      ...active.map(({ worker }) => `complete ${worker}`),
      ...blockers.map(({ worker, next }) =>
        next === null ? `settle what blocks ${worker}` : `settle ${worker}: ${next}`,
      ),
      ...starting.map(({ worker }) => `start ${worker}`),
      ...runs.flatMap((run) => landing(run)),
    ],
  };
}

/** Runs that went on in the time. */
function runsIn({ from, to }: Period, { state, run: only }: StandupOptions): readonly RunState[] {
  return [...state.runs.values()].filter(
    (run) =>
      (only === null || run.id === only) &&
      run.startedAt < to &&
      (run.endedAt === null || run.endedAt >= from),
  );
}

function membersIn(runs: readonly RunState[]): readonly Member[] {
  return runs.flatMap((run) => membersOf(run).map((worker) => ({ run, worker })));
}

function completedIn(period: Period, members: readonly Member[]): DailyDocument['completed_today'] {
  return members
    .filter(({ worker }) => worker.state === 'complete' && holds(period, worker.completedAt))
    .map(({ run, worker }) => ({
      run: run.id,
      worker: worker.id,
      at: timestamp(worker.completedAt ?? 0),
      duration_ms: Math.max(
        0,
        (worker.completedAt ?? 0) - (worker.startedAt ?? worker.completedAt ?? 0),
      ),
      tokens: worker.usage.input + worker.usage.output,
    }));
}

function isActive({ worker }: Member): boolean {
  const { state } = worker;
  return (
    state === 'starting' ||
    state === 'active' ||
    state === 'verifying' ||
    state === 'reviewing' ||
    state === 'merging'
  );
}

function isReady({ worker }: Member): boolean {
  return worker.state === 'ready';
}

/** What stands in the way of others, or waits for a person. */
function isBlocked({ run, worker }: Member): boolean {
  const { state } = worker;
  return (
    state === 'blocked' ||
    state === 'paused' ||
    (state === 'failed' && run.state !== 'complete' && run.state !== 'cancelled')
  );
}

function activeOf({ run, worker }: Member): DailyDocument['active'][number] {
  const completed = worker.tasks.filter((task) => task.completedAt !== null).length;
  const total = worker.tasks.length;
  return {
    run: run.id,
    worker: worker.id,
    state: worker.state,
    since: timestamp(worker.startedAt ?? worker.since),
    tasks: { completed, total },
    percent: percent(completed, total),
    latest: worker.latest.at(-1)?.text ?? null,
  };
}

function blockedOf(
  { run, worker }: Member,
  { state, at }: StandupOptions,
): DailyDocument['blocked'][number] {
  const waiting = waitingForWord(waitingFor(state, run, worker, at));
  return {
    run: run.id,
    worker: worker.id,
    state: worker.state,
    blocker:
      worker.blockedBy ??
      worker.block?.kind.replaceAll('_', ' ') ??
      waiting ??
      (worker.state === 'paused' ? 'a person' : 'its own failure'),
    reason: worker.block?.text ?? worker.reason,
    next: nextCommand(run, worker),
  };
}

function metricsOf(members: readonly Member[]): WeeklyDocument['metrics'] {
  const sum = (of: (member: Member) => number): number =>
    members.reduce((total, member) => total + of(member), 0);
  const used = ({ worker }: Member): number => worker.usage.input + worker.usage.output;
  const planned = ({ run, worker }: Member): number | null =>
    definitionOf(run, worker.id).budget?.tokens ?? null;
  const budgeted = members.filter((member) => planned(member) !== null);
  const budget = budgeted.length === 0 ? null : sum((member) => planned(member) ?? 0);
  const spent = budgeted.reduce((total, member) => total + used(member), 0);
  const complete = members.filter(({ worker }) => worker.state === 'complete').length;
  return {
    tokens: sum(used),
    budget,
    budgeted_tokens: spent,
    tokens_percent: percent(spent, budget),
    cost_usd: Math.round(sum(({ worker }) => worker.usage.costUsd) * 1e6) / 1e6,
    workers: members.length,
    workers_complete: complete,
    workers_percent: percent(complete, members.length),
  };
}

/** What may go wrong, as far as the log shows it. */
function risksOf(
  runs: readonly RunState[],
  members: readonly Member[],
  { state, at }: StandupOptions,
): readonly string[] {
  const ofWorkers = members.flatMap(({ run, worker }) => {
    if (worker.state === 'complete' || worker.state === 'skipped' || worker.state === 'cancelled')
      return [];
    const share = shareOf(workerAccount(run, worker));
    return [
      ...(share >= warningShare
        ? [`${worker.id} has used ${percentText(share * 100)} of its limit`]
        : []),
      ...(worker.failures > 0 && worker.state !== 'failed'
        ? [`${worker.id} has failed ${worker.failures === 1 ? 'once' : `${worker.failures} times`}`]
        : []),
      ...(worker.state === 'ready' && waitsForDay({ state, run, now: at }, worker)
        ? [`${worker.id} waits for the budget of another day`]
        : []),
    ];
  });
  const ofRuns = runs.flatMap((run) => {
    const share = shareOf(runAccount(run));
    return share >= warningShare
      ? [`run ${run.id} has used ${percentText(share * 100)} of its budget`]
      : [];
  });
  const diverged = runs.flatMap((run) =>
    Object.entries(run.diverged).map(([ref, why]) => `${ref} has diverged: ${oneLine(why)}`),
  );
  return [...ofRuns, ...ofWorkers, ...diverged];
}

function landing(run: RunState): readonly string[] {
  const unlanded = run.state === 'complete' && run.mergedOrder.length > 0 && run.landed === null;
  return unlanded ? [`land run ${run.id}: czar land --run ${run.id}`] : [];
}
