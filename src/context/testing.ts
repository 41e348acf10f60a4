/** Builders for the tests of this folder. */
import type { WorkerDefinition } from '../core/plan.ts';
import { plannedWorker } from '../core/evolve/planned-workers.ts';
import type { RunState, WorkerState } from '../core/state.ts';

/** A run of the given definitions; workers are active unless something else is given. */
export function aRun(
  definitions: Readonly<Record<string, Partial<WorkerDefinition>>>,
  workers: Readonly<Record<string, Partial<WorkerState>>>,
): RunState {
  const ids = Object.keys(definitions);
  return {
    id: '20261121-1',
    state: 'running',
    plan: {
      name: 'scratch',
      revision: 'revision-1',
      workers: ids.map((id) => aDefinition(id, definitions[id] ?? {})),
      agents: {},
      policies: {
        maxParallel: 4,
        maxParallelChecks: 2,
        barrier: 'none',
        ownership: 'serialize',
        agingMs: 600_000,
        checks: [],
        setup: [],
        protect: [],
        unattendedMs: 900_000,
        checkTimeoutMs: 600_000,
        graceMs: 5_000,
        maxFileBytes: 10_000_000,
      },
      overlaps: {},
    },
    scope: null,
    checkout: '',
    base: { ref: 'refs/heads/main', commit: 'base', dirty: 0 },
    integration: 'czar/20261121-1-integration',
    target: 'main',
    tip: 'base',
    spent: { tokens: 0, costUsd: 0 },
    day: null,
    dayBefore: null,
    raised: { tokens: 0, costUsd: 0 },
    told: 0,
    sources: null,
    machine: null,
    rates: [],
    startedAt: 1,
    endedAt: null,
    reason: null,
    cancelling: false,
    pausedAt: null,
    approve: false,
    workers: new Map(ids.map((id) => [id, aWorker(id, workers[id] ?? {})])),
    trees: new Map(),
    reviewing: [],
    tending: [],
    pull: null,
    mergedOrder: [],
    published: {},
    pushed: {},
    diverged: {},
    landing: null,
    landed: null,
    missing: [],
    turnedAway: {},
    batched: [],
    troubles: {},
  };
}

function aDefinition(id: string, given: Partial<WorkerDefinition>): WorkerDefinition {
  return {
    id,
    kind: 'worker',
    source: { file: `.czar/workers/${id}.md`, line: 1 },
    role: null,
    mission: null,
    firstAction: null,
    instructions: '',
    agent: { name: 'mine', why: 'default' },
    model: null,
    branch: null,
    workspace: 'branch',
    edges: [],
    budget: null,
    deliverables: [],
    owns: null,
    references: [],
    tasks: [],
    successCriteria: [],
    verify: [],
    setup: [],
    teardown: [],
    copy: [],
    link: [],
    handoff: 'optional',
    priority: 'normal',
    retry: {
      maxAttempts: 2,
      backoff: 'exponential',
      initialMs: 5_000,
      maxMs: 300_000,
      from: 'clean',
    },
    timeoutMs: null,
    when: null,
    labels: {},
    hash: `definition-${id}`,
    ...given,
  };
}

function aWorker(id: string, given: Partial<WorkerState>): WorkerState {
  return {
    ...plannedWorker({ id, tasks: [] }, 1),
    state: 'active',
    from: 'starting',
    since: 1,
    reason: 'started',
    inputsChecked: true,
    attempts: 1,
    nextClean: false,
    startedAt: 1,
    ...given,
  };
}
