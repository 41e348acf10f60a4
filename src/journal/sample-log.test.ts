/** Logs for the tests of this folder: a small plan, and events of every kind of touch that folds accept. */
import assert from 'node:assert/strict';
import test from 'node:test';
import type { Event, NewEvent, TreeVerdict } from '../core/events.ts';
import { emptyState, evolve, type FoldState } from '../core/evolve.ts';
import { canMove, states, type WorkerStateName } from '../core/lifecycle.ts';
import type { Plan, WorkerDefinition } from '../core/plan.ts';
import type { WorkerState } from '../core/state.ts';

/** A plan of workers without edges. */
export function samplePlan(ids: readonly string[], revision = 'r1'): Plan {
  return {
    name: 'sample',
    revision,
    workers: ids.map((id) => sampleWorker(id)),
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
      graceMs: 10_000,
      maxFileBytes: 10_000_000,
    },
    overlaps: {},
  };
}

function sampleWorker(id: string): WorkerDefinition {
  return {
    id,
    kind: 'worker',
    source: { file: `.czar/workers/${id}.md`, line: 1 },
    role: null,
    mission: null,
    firstAction: null,
    instructions: '',
    agent: { name: 'stub', why: 'default' },
    model: null,
    branch: null,
    workspace: 'branch',
    edges: [],
    budget: null,
    deliverables: [],
    owns: null,
    references: [],
    tasks: ['write it'],
    successCriteria: [],
    verify: [],
    setup: [],
    teardown: [],
    copy: [],
    link: [],
    handoff: 'optional',
    priority: 'normal',
    retry: { maxAttempts: 2, backoff: 'fixed', initialMs: 0, maxMs: 0, from: 'clean' },
    timeoutMs: null,
    when: null,
    labels: {},
    hash: id,
  };
}

/** Writes a log event by event; each is folded at once, so that what follows can be chosen from the state. */
export class LogWriter {
  readonly state: FoldState = emptyState();
  #at = Date.UTC(2025, 11, 26, 14, 32, 0, 0);

  /** The event with the next sequence number, folded in. */
  add(event: NewEvent): Event {
    this.#at += 250;
    const next = { ...event, seq: this.state.seq + 1, at: this.#at };
    evolve(this.state, next);
    return next;
  }

  loopStarted(epoch: number): Event {
    return this.add({
      type: 'loop.started',
      data: { pid: 1, host: 'here', version: '0.0.0', epoch },
    });
  }

  runStarted(run: string, plan: Plan): Event {
    return this.add({
      type: 'run.started',
      run,
      data: {
        plan,
        base: { ref: 'refs/heads/main', commit: 'c0', dirty: 0 },
        integration: `czar/${run}-integration`,
        target: 'main',
        scope: null,
      },
    });
  }

  /** The worker taken to a state by one event of the lifecycle. */
  enter(run: string, worker: string, to: WorkerStateName): Event {
    return this.add(entering(run, this.state.runs.get(run)?.workers.get(worker), to));
  }
}

/** A log that `choices` decide: each number picks what happens next. Any numbers give a log that folds. */
export function randomLog(choices: readonly number[]): readonly Event[] {
  const log = new LogWriter();
  const events = [log.loopStarted(1), log.runStarted('20251226-1', samplePlan(['a', 'b', 'c']))];
  for (const choice of choices) events.push(log.add(chosen(log.state, choice)));
  return events;
}

function chosen(state: FoldState, choice: number): NewEvent {
  const pick = <T>(values: readonly T[], divisor: number): T => {
    const value = values[Math.floor(choice / divisor) % values.length];
    assert.ok(value !== undefined);
    return value;
  };
  const run = pick([...state.runs.values()], 13);
  const worker = pick([...run.workers.values()], 101);
  const at = { run: run.id, worker: worker.id };
  const verdict: TreeVerdict = {
    gate: 'verify',
    result: pick(['pass', 'fail', 'inconclusive'], 7),
    tree: `t${choice % 5}`,
    command: 'make test',
    setup: [],
    findings: ['a "finding"\nwith two lines'],
    log: null,
    durationMs: 12,
  };
  switch (choice % 13) {
    case 0:
      return {
        type: 'loop.started',
        data: { pid: 2, host: 'h', version: '0', epoch: state.epoch + 1 },
      };
    case 1:
      return state.runs.size > 2
        ? { type: 'run.waiting', run: run.id, data: { workers: [] } }
        : {
            type: 'run.started',
            run: `20251226-${state.runs.size + 1}`,
            data: {
              plan: samplePlan(['x', 'y'], `r${choice}`),
              base: { ref: 'HEAD', commit: 'c1', dirty: 2 },
              integration: 'i',
              target: null,
              scope: ['x'],
            },
          };
    case 2:
      return { type: 'run.prepared', run: run.id, data: { commit: `c${choice}` } };
    case 3:
      return { ...at, type: 'gate.passed', data: { verdict } };
    case 4:
      return { run: run.id, type: 'gate.failed', data: { verdict } };
    case 5:
      return {
        ...at,
        type: 'worker.usage',
        data: { input: choice, output: 1, cached: 0, costUsd: 0.125, source: 'reported' },
      };
    case 6:
      return {
        ...at,
        type: 'worker.checkpoint',
        data: { name: `"${choice}" \u0007 ünïcode\ud83d` },
      };
    case 7:
      return { ...at, type: 'worker.task_started', data: { task: `t${choice % 3}` } };
    default: {
      const next = states.filter((to) => canMove(worker.state, to));
      if (next.length > 0) return entering(run.id, worker, pick(next, 17));
      return { ...at, type: 'worker.handoff', data: { text: 'over' } };
    }
  }
}

function entering(run: string, worker: WorkerState | undefined, to: WorkerStateName): NewEvent {
  assert.ok(worker !== undefined);
  const at = { run, worker: worker.id };
  const entered = { from: worker.state, reason: 'because' };
  switch (to) {
    case 'pending':
      return {
        ...at,
        type: 'worker.pending',
        data: { ...entered, by: 'user', note: 'n', clean: true },
      };
    case 'ready':
      return {
        ...at,
        type: 'worker.ready',
        data: { ...entered, notBefore: null, counts: null, tree: null },
      };
    case 'starting': {
      const attempt = worker.attempts + 1;
      return {
        ...at,
        attempt,
        type: 'worker.started',
        data: { ...entered, attempt, continues: false, claims: true },
      };
    }
    case 'active': {
      const process = { pid: 7, start: '12', boot: 'b' };
      return {
        ...at,
        attempt: worker.attempts,
        type: 'worker.active',
        data: { ...entered, process },
      };
    }
    case 'verifying':
      return { ...at, type: 'worker.verifying', data: { ...entered, submitted: false } };
    case 'reviewing':
      return { ...at, type: 'worker.reviewing', data: entered };
    case 'merging':
      return { ...at, type: 'worker.merging', data: entered };
    case 'complete':
      return { ...at, type: 'worker.complete', data: { ...entered, noChange: false } };
    case 'blocked': {
      const block = {
        kind: 'gate',
        step: 'verifying',
        text: 'red',
        findings: ['f'],
        files: [],
      } as const;
      return { ...at, type: 'worker.blocked', data: { ...entered, block, blockedBy: null } };
    }
    case 'paused':
      return { ...at, type: 'worker.paused', data: { ...entered, by: 'user' } };
    case 'failed':
      return { ...at, type: 'worker.failed', data: { ...entered, blockedBy: null } };
    case 'skipped':
      return { ...at, type: 'worker.skipped', data: { ...entered, by: 'user', satisfies: false } };
    case 'cancelled':
      return { ...at, type: 'worker.cancelled', data: { ...entered, by: 'user' } };
  }
}

test('a random log folds from its first event to its last', () => {
  const events = randomLog(Array.from({ length: 200 }, (_, index) => index * 7919));
  assert.equal(events.at(-1)?.seq, events.length);
  assert.ok(new Set(events.map((event) => event.type)).size > 10);
});
