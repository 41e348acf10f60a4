/**
 * What a run cost and brought, for each worker and as sums. Pure: what only git knows is an argument, all else is the
 * fold of the log.
 */
import { workerAccount } from '../core/budget.ts';
import { definitionOf, isRunLive, type RunState, type WorkerState } from '../core/state.ts';
import { counted, grouped, percent, timestamp } from './figures.ts';
import type { MetricsDocument } from './metrics-schema.ts';
import { membersOf } from './status.ts';

/** What git says of a worker's work: as it was merged, else as it was collected last. */
export interface WorkFacts {
  readonly commits: number;
  readonly created: number;
  readonly modified: number;
  readonly deleted: number;
  /** Files of tests among those that are new. */
  readonly testsAdded: number;
}

export interface MetricsOptions {
  readonly run: RunState;
  /** By worker; one that is missing brought nothing. */
  readonly facts: ReadonlyMap<string, WorkFacts>;
  /** Milliseconds since 1970. */
  readonly now: number;
}

type WorkerMetrics = MetricsDocument['workers'][number];
export type BudgetFigures = WorkerMetrics['budget'];

/** The document. */
export function metricsDocument(options: MetricsOptions): MetricsDocument {
  const { run, now } = options;
  const workers = membersOf(run).map((worker) => ofWorker(worker, options));
  return { v: 1, at: timestamp(now), run: reportedRun(run, now), workers, totals: sums(workers) };
}

/** The run that a report is about. */
export function reportedRun(run: RunState, now: number): MetricsDocument['run'] {
  return {
    id: run.id,
    name: run.plan.name,
    state: run.state,
    over: !isRunLive(run),
    started_at: timestamp(run.startedAt),
    ended_at: run.endedAt === null ? null : timestamp(run.endedAt),
    elapsed_ms: Math.max(0, (run.endedAt ?? now) - run.startedAt),
  };
}

function ofWorker(worker: WorkerState, { run, facts, now }: MetricsOptions): WorkerMetrics {
  const { startedAt, completedAt, usage } = worker;
  const found = facts.get(worker.id) ?? nothing;
  const { created, modified, deleted } = found;
  const ms = startedAt === null ? 0 : Math.max(0, (completedAt ?? run.endedAt ?? now) - startedAt);
  return {
    id: worker.id,
    state: worker.state,
    merged: worker.merged !== null,
    started_at: startedAt === null ? null : timestamp(startedAt),
    completed_at: completedAt === null ? null : timestamp(completedAt),
    duration_ms: ms,
    duration_h: hours(ms),
    tokens: usage.input + usage.output,
    cost_usd: micro(usage.costUsd),
    attempts: worker.attempts,
    commits: found.commits,
    files: { created, modified, deleted, total: created + modified + deleted },
    tests_added: found.testsAdded,
    source: usage.source,
    budget: budgetOf(run, worker),
  };
}

function budgetOf(run: RunState, worker: WorkerState): BudgetFigures {
  const planned = definitionOf(run, worker.id).budget?.tokens ?? null;
  const { limit, used } = workerAccount(run, worker);
  return budgetFigures({
    planned,
    limit: limit.tokens,
    used: worker.usage.source === 'none' ? null : used.tokens,
    started: worker.attempts > 0,
  });
}

function budgetFigures(of: {
  readonly planned: number | null;
  readonly limit: number | null;
  /** Null when nothing was reported. */
  readonly used: number | null;
  readonly started: boolean;
  /** Whether some of it was never reported. */
  readonly partly?: boolean;
}): BudgetFigures {
  const { planned, limit, used, started, partly = false } = of;
  const known = used ?? (started ? null : 0);
  const verdict =
    planned === null && limit === null
      ? 'none'
      : known === null
        ? 'unknown'
        : limit !== null && known > limit
          ? 'over_limit'
          : planned !== null && known > planned
            ? 'over_estimate'
            : partly
              ? 'unknown'
              : 'within';
  return {
    tokens: planned,
    limit,
    percent: known === null ? null : percent(known, planned),
    variance: known === null || planned === null ? null : known - planned,
    verdict,
  };
}

function sums(workers: readonly WorkerMetrics[]): MetricsDocument['totals'] {
  const sum = (of: (worker: WorkerMetrics) => number): number =>
    workers.reduce((total, worker) => total + of(worker), 0);
  const ms = sum((worker) => worker.duration_ms);
  return {
    workers: workers.length,
    complete: workers.filter((worker) => worker.state === 'complete').length,
    duration_ms: ms,
    duration_h: hours(ms),
    tokens: sum((worker) => worker.tokens),
    cost_usd: micro(sum((worker) => worker.cost_usd)),
    attempts: sum((worker) => worker.attempts),
    commits: sum((worker) => worker.commits),
    files: {
      created: sum((worker) => worker.files.created),
      modified: sum((worker) => worker.files.modified),
      deleted: sum((worker) => worker.files.deleted),
      total: sum((worker) => worker.files.total),
    },
    tests_added: sum((worker) => worker.tests_added),
    budget: budgetSums(workers),
  };
}

/** Over the workers that have a budget: what the others used is no part of it. */
function budgetSums(workers: readonly WorkerMetrics[]): BudgetFigures {
  const budgeted = workers.filter(({ budget }) => budget.tokens !== null);
  const reported = budgeted.filter(({ source }) => source !== 'none');
  const limits = budgeted.map(({ budget }) => budget.limit);
  const total = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0);
  return budgetFigures({
    planned: budgeted.length === 0 ? null : total(budgeted.map(({ budget }) => budget.tokens ?? 0)),
    limit:
      budgeted.length === 0 || limits.includes(null)
        ? null
        : total(limits.map((limit) => limit ?? 0)),
    used: reported.length === 0 ? null : total(reported.map(({ tokens }) => tokens)),
    started: budgeted.some(({ attempts }) => attempts > 0),
    partly: budgeted.some(isSilent),
  });
}

/** Whether it began, and nobody told what it used. */
function isSilent({ attempts, source }: WorkerMetrics): boolean {
  return attempts > 0 && source === 'none';
}

/** What all used, as far as it was reported: `1,234 (1 worker reported none)`. */
export function tokensText({
  workers,
  totals,
}: Pick<MetricsDocument, 'workers' | 'totals'>): string {
  const silent = workers.filter(isSilent).length;
  if (silent === 0) return grouped(totals.tokens);
  if (totals.tokens === 0) return 'not reported';
  return `${grouped(totals.tokens)} (${counted(silent, 'worker')} reported none)`;
}

const nothing: WorkFacts = { commits: 0, created: 0, modified: 0, deleted: 0, testsAdded: 0 };

/** Hours, to a millionth: what a sum of rounded ones would lose is less than a reader sees. */
function hours(ms: number): number {
  return Math.round((ms / 3_600_000) * 1e6) / 1e6;
}

/** Sums of decimal fractions without the noise of binary ones: millionths of a dollar. */
function micro(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
