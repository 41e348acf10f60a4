/** Workers as a plan begins with them. */
import type { Plan, WorkerDefinition } from '../plan.ts';
import { noSpend } from '../spend.ts';
import type { WorkerState } from '../state.ts';

/** The same for all: thousands of empty lists are megabytes. */
const none: readonly never[] = [];
const noUsage = { input: 0, output: 0, cached: 0, costUsd: 0, source: 'none' } as const;

/** Every worker of the plan, pending since `at`. */
export function plannedWorkers(plan: Plan, at: number): Map<string, WorkerState> {
  return new Map(plan.workers.map((one) => [one.id, plannedWorker(one, at)]));
}

/** A worker that nothing has happened to but that it was planned. */
export function plannedWorker(
  { id, tasks }: Pick<WorkerDefinition, 'id' | 'tasks'>,
  at: number,
): WorkerState {
  return {
    id,
    state: 'pending',
    from: null,
    since: at,
    reason: 'planned',
    block: null,
    blockedBy: null,
    readySince: null,
    notBefore: null,
    superseded: none,
    claims: false,
    inputsChecked: false,
    attempts: 0,
    failures: 0,
    lostInRow: 0,
    reworks: none,
    reworksUsed: 0,
    review: null,
    quotaInRow: 0,
    session: null,
    attempt: null,
    nextClean: true,
    approval: null,
    branch: null,
    worktree: null,
    stop: null,
    pausedWithRun: false,
    work: null,
    submitted: false,
    checking: false,
    verdicts: none,
    approvals: none,
    queuedAt: null,
    merge: null,
    conflicted: null,
    resolution: null,
    aside: false,
    merged: null,
    mergedFacts: null,
    noChange: false,
    satisfies: false,
    kept: none,
    dropped: none,
    usage: noUsage,
    raised: noSpend,
    told: 0,
    tasks:
      tasks.length === 0
        ? none
        : tasks.map((task) => ({ task, startedAt: null, completedAt: null })),
    handoff: null,
    notes: none,
    latest: none,
    startedAt: null,
    completedAt: null,
  };
}
