/**
 * A run, and one worker of it, as documents: what `czar status --json` prints and what every other view is made of.
 * Pure: the time and what is known of processes are arguments.
 */
import { reviewStatus } from './review.ts';
import type { TreeVerdict } from '../core/events.ts';
import type { Machine } from '../core/events.ts';
import { edgeState } from '../core/edges.ts';
import { waves } from '../core/graph.ts';
import { waveOf, wavesOf } from '../core/schedule/order.ts';
import type { WorkerStateName } from '../core/lifecycle.ts';
import { tokenForecast, type Edge, type WorkerDefinition } from '../core/plan.ts';
import {
  definitionOf,
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
  workersOf,
} from '../core/state.ts';
import { waitingFor } from '../core/schedule/grant.ts';
import { agentNameOf, nextAgent } from '../core/schedule/which-agent.ts';
import { waitingForWord } from '../core/why.ts';
import type { AttemptRecord } from './attempts.ts';
import { percent, timestamp } from './figures.ts';
import type { LivenessOf } from './liveness.ts';
import { lowDiskNow } from './low-disk.ts';
import { stalledSince, stallText } from './stalled.ts';
import type { StatusDocument, WorkerStatusDocument } from './status-schema.ts';

export interface StatusOptions {
  readonly state: RepositoryState;
  readonly run: RunState;
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly liveness: LivenessOf;
  /** Whether a process drives the runs here; left out when that was not looked at. */
  readonly loop?: 'alive' | 'none';
  /** The machine as it is: a loop on a full disk cannot write down that it is. Left out where it was not looked at. */
  readonly machine?: Machine | null;
  /** Branches (full names) that the remote has not, each with the reason; left out where that was not looked at. */
  readonly refused?: Readonly<Record<string, string>>;
}

type WorkerDocument = StatusDocument['workers'][number];

/** The document of the whole run. */
export function statusDocument(options: StatusOptions): StatusDocument {
  const { run } = options;
  const low = isRunLive(run) ? lowDiskNow(run, options.machine ?? null) : null;
  const refused = Object.entries(options.refused ?? {});
  const levels = wavesIn(run);
  const waveById = new Map(levels.flatMap((ids, index) => ids.map((id) => [id, index + 1])));
  const workers = membersOf(run).map((worker) =>
    workerDocument(worker, { ...options, wave: waveById.get(worker.id) ?? 1 }),
  );
  return {
    v: 1,
    run: {
      id: run.id,
      state: run.state,
      base: run.base.commit,
      integration: run.integration,
      started_at: timestamp(run.startedAt),
      ended_at: run.endedAt === null ? null : timestamp(run.endedAt),
      ...(options.loop === undefined ? {} : { loop: options.loop }),
      ...(low === null ? {} : { disk_low: low }),
      ...(refused.length === 0 ? {} : { not_pushed: refused.map(([ref, why]) => ({ ref, why })) }),
      diverged: Object.entries(run.diverged).map(([ref, why]) => ({ ref, why })),
    },
    ...runTotals(membersOf(run)),
    waves: levels.map((ids) => [...ids]),
    workers,
  };
}

/** The totals of a run, as its document has them. */
export type RunTotals = Pick<StatusDocument, 'totals' | 'tokens' | 'cost_usd'>;

/** The document of one worker. `attempts` is its history (`attemptsOf`). */
export function workerStatusDocument(
  worker: WorkerState,
  options: StatusOptions & { readonly attempts: readonly AttemptRecord[] },
): WorkerStatusDocument {
  const { run } = options;
  const wave = 1 + wavesIn(run).findIndex((ids) => ids.includes(worker.id));
  const seen = options.liveness(run, worker);
  const { block, merged, usage } = worker;
  return {
    v: 1,
    worker: {
      ...workerDocument(worker, { ...options, wave, liveness: () => seen }),
      run: run.id,
      mission: definitionOf(run, worker.id).mission,
      observed_at: timestamp(seen.observedAt),
      evidence: {
        output: optionalTime(seen.lastOutputAt),
        report: optionalTime(seen.lastReportAt),
        commit: worker.work?.tip ?? null,
      },
      task_list: worker.tasks.map(({ task, startedAt, completedAt }) => ({
        task,
        started_at: optionalTime(startedAt),
        completed_at: optionalTime(completedAt),
      })),
      activity: worker.latest.toReversed().map(({ at, text }) => ({ at: timestamp(at), text })),
      attempts: options.attempts.map(({ n, startedAt, endedAt, agent, outcome }) => ({
        attempt: n,
        started_at: timestamp(startedAt),
        ended_at: optionalTime(endedAt),
        agent,
        outcome,
      })),
      usage: { input: usage.input, output: usage.output, cached: usage.cached },
      block:
        block === null
          ? null
          : {
              kind: block.kind,
              text: block.text,
              findings: [...block.findings],
              files: [...block.files],
            },
      reworks: worker.reworks.map(({ at, attempt, kind, step, text, files }, index) => ({
        round: index + 1,
        at: timestamp(at),
        attempt,
        kind,
        step,
        text,
        files: [...files],
      })),
      merged: merged === null ? null : { commit: merged.commit, at: timestamp(merged.at) },
      notes: worker.notes.map(({ kind, text, at }) => ({ kind, text, at: timestamp(at) })),
      kept: worker.kept.map(({ ref, commit, files, why, leftOut }) => ({
        ref,
        commit,
        files: [...files],
        why,
        left_out: leftOut.map((one) => ({ ...one, aside: one.aside ?? null })),
      })),
      verdicts: verdictsOf(run, worker),
    },
  };
}

/** The workers that this run executes, by wave, then in plan order. */
export function membersOf(run: RunState): readonly WorkerState[] {
  const { plan, scope } = run;
  const all = [...workersOf(run)];
  const members = scope === null ? all : all.filter((worker) => scope.includes(worker.id));
  return members.sort((a, b) => waveOf(plan, a.id) - waveOf(plan, b.id));
}

/** Dependencies that keep the worker from going on: none for one that has started on what it needs. */
export function unmet(run: RunState, worker: WorkerState): readonly string[] {
  switch (worker.state) {
    case 'pending':
    case 'blocked':
    case 'paused':
    case 'merging':
      return definitionOf(run, worker.id)
        .edges.filter((edge) => !isSatisfied(run, worker, edge))
        .map((edge) => edge.on);
    case 'ready':
    case 'starting':
    case 'active':
    case 'verifying':
    case 'reviewing':
    case 'complete':
    case 'failed':
    case 'skipped':
    case 'cancelled':
      return [];
  }
}

function workerDocument(
  worker: WorkerState,
  options: StatusOptions & { readonly wave: number },
): WorkerDocument {
  const { state, run, now } = options;
  const definition = definitionOf(run, worker.id);
  const { startedAt, completedAt } = worker;
  const waiting = waitingFor(state, run, worker, now);
  const stalled = stalledSince(run, worker, { seen: () => options.liveness(run, worker), now });
  return {
    id: worker.id,
    kind: definition.kind,
    role: definition.role,
    state: worker.state,
    liveness: options.liveness(run, worker).state,
    wave: options.wave,
    agent:
      worker.state === 'ready'
        ? nextAgent(state, run, worker.id, now).name
        : agentNameOf(run, worker),
    branch: worker.branch,
    worktree: worker.worktree,
    attempt: worker.attempts,
    dependencies: definition.edges.map((edge) => ({
      on: edge.on,
      kind: edge.kind,
      requires: edge.requires,
      satisfied: isSatisfied(run, worker, edge),
    })),
    waiting_on: [...new Set(unmet(run, worker))],
    waiting_for: waitingForWord(waiting),
    waiting_until: optionalTime(waiting !== null && 'until' in waiting ? waiting.until : null),
    blocked_by: worker.blockedBy,
    reason: stalled === null ? worker.reason : stallText(stalled, now),
    started_at: optionalTime(startedAt),
    completed_at: optionalTime(completedAt),
    duration_ms: startedAt === null ? null : Math.max(0, (completedAt ?? now) - startedAt),
    tokens: tokensOf(worker, definition),
    cost_usd: micro(worker.usage.costUsd),
    tasks: {
      completed: worker.tasks.filter((task) => task.completedAt !== null).length,
      total: worker.tasks.length,
    },
    review: reviewStatus(run, worker),
    latest: worker.latest.at(-1)?.text ?? null,
  };
}

function tokensOf(worker: WorkerState, { budget }: WorkerDefinition): WorkerDocument['tokens'] {
  const used = worker.usage.input + worker.usage.output;
  return {
    used,
    budget: budget?.tokens ?? null,
    forecast: tokenForecast(budget),
    percent: percent(used, budget?.tokens ?? null),
    source: worker.usage.source,
  };
}

/** An edge is satisfied once: what has started asks again only for what was sent back since. */
function isSatisfied(run: RunState, worker: WorkerState, edge: Edge): boolean {
  if (worker.superseded.includes(edge.on)) return run.workers.get(edge.on)?.state === 'complete';
  return worker.attempts > 0 || edgeState(run, edge).kind === 'satisfied';
}

/** Those of the whole plan are known; a part of it has waves of its own. */
function wavesIn({ plan, scope }: RunState): readonly (readonly string[])[] {
  if (scope === null) return wavesOf(plan);
  const members = new Set(scope);
  return waves(plan.workers.filter((worker) => members.has(worker.id)));
}

/** What the workers of a run come to together. */
export function runTotals(workers: readonly WorkerState[]): RunTotals {
  return {
    totals: totalsOf(workers),
    tokens: sum(workers.map(({ usage }) => usage.input + usage.output)),
    cost_usd: micro(sum(workers.map(({ usage }) => usage.costUsd))),
  };
}

function totalsOf(workers: readonly Pick<WorkerState, 'state'>[]): StatusDocument['totals'] {
  const counts = { ...zeroes };
  for (const worker of workers) counts[worker.state] += 1;
  return {
    total: workers.length,
    ...counts,
    percent: percent(counts.complete, workers.length) ?? 0,
  };
}

const zeroes: Readonly<Record<WorkerStateName, number>> = {
  pending: 0,
  ready: 0,
  starting: 0,
  active: 0,
  verifying: 0,
  reviewing: 0,
  merging: 0,
  complete: 0,
  blocked: 0,
  paused: 0,
  failed: 0,
  skipped: 0,
  cancelled: 0,
};

/** Gates on the branch as it was collected last, and on trees that this worker's work made. */
function verdictsOf(
  run: RunState,
  worker: WorkerState,
): WorkerStatusDocument['worker']['verdicts'] {
  const trees = new Set([worker.work?.tree, worker.merge?.built?.tree, worker.merged?.tree]);
  const onTrees = [...run.trees.values()].filter((verdict: TreeVerdict) => trees.has(verdict.tree));
  return [
    ...worker.verdicts.map(({ gate, result, findings }) => ({
      gate,
      result,
      command: null,
      findings: [...findings],
    })),
    ...onTrees.map(({ gate, result, command, findings }) => ({
      gate,
      result,
      command,
      findings: [...findings],
    })),
  ];
}

function optionalTime(ms: number | null): string | null {
  return ms === null ? null : timestamp(ms);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** Sums of decimal fractions without the noise of binary ones: millionths of a dollar. */
function micro(usd: number): number {
  return Math.round(usd * 1e6) / 1e6;
}
