/**
 * The pure core driven by hand: a plan, a log in memory, and effects whose outcomes the test chooses. What it does not
 * choose succeeds.
 */
import { advance } from '../../src/core/advance.ts';
import type { Command, Outcome, Request } from '../../src/core/commands.ts';
import { decide } from '../../src/core/decide.ts';
import type { Decision } from '../../src/core/decision.ts';
import { emptyState, evolve, type FoldState } from '../../src/core/evolve.ts';
import type { Event, NewEvent } from '../../src/core/events.ts';

import type { Intent } from '../../src/core/intents.ts';
import type { Edge, Plan, Policies, WorkerDefinition } from '../../src/core/plan.ts';
import { schedule } from '../../src/core/schedule.ts';
import { definitionOf, type RunState, type WorkerState } from '../../src/core/state.ts';
import { success } from './core-outcomes.ts';

export { endOf, success, treeVerdict } from './core-outcomes.ts';

export const runId = '20261121-1';

export type WorkerSketch = Partial<Omit<WorkerDefinition, 'edges'>> & {
  readonly id: string;
  readonly on?: readonly (string | (Partial<Edge> & { readonly on: string }))[];
};

/** A valid plan from sketches: what a sketch leaves out has its default. */
export function planOf(sketches: readonly WorkerSketch[], policies: Partial<Policies> = {}): Plan {
  const workers = sketches.map(workerOf);
  const owners = workers.filter((worker) => worker.owns !== null);
  const overlaps = Object.fromEntries(
    owners.map((one) => [
      one.id,
      owners
        .filter((two) => two !== one && two.owns?.some((glob) => one.owns?.includes(glob)))
        .map((two) => two.id),
    ]),
  );
  return {
    name: 'test',
    revision: 'r1',
    workers,
    agents: { stub: { name: 'stub', adapter: 'command', command: ['stub'], env: [] } },
    overlaps,
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
      graceMs: 1_000,
      maxFileBytes: 10_000_000,
      ...policies,
    },
  };
}

function workerOf(sketch: WorkerSketch): WorkerDefinition {
  const { on = [], ...rest } = sketch;
  return {
    kind: 'worker',
    source: { file: `.czar/workers/${sketch.id}.md`, line: 1 },
    role: null,
    mission: null,
    firstAction: null,
    instructions: '',
    agent: { name: 'stub', why: 'default' },
    model: null,
    branch: null,
    workspace: 'branch',
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
    hash: `h-${sketch.id}`,
    ...rest,
    edges: on.map((edge) => ({
      kind: 'output',
      requires: 'complete',
      allowSkipped: false,
      inputs: [],
      reason: null,
      via: 'explicit',
      ...(typeof edge === 'string' ? { on: edge } : edge),
    })),
  };
}

export type Script = (intent: Intent, world: CoreWorld) => Outcome | null;

export class CoreWorld {
  readonly state: FoldState = emptyState();
  readonly log: Event[] = [];
  now = 1_000;
  draining = false;
  stopping = false;
  readonly when: (expression: string) => boolean | { readonly error: string };

  constructor(
    plan: Plan,
    when: CoreWorld['when'] = () => true,
    {
      approve = false,
      sources,
      missing = [],
    }: Partial<
      Pick<Extract<Request, { kind: 'start-run' }>, 'approve' | 'sources' | 'missing'>
    > = {},
  ) {
    this.when = when;
    this.send({ kind: 'loop-started', pid: 1, host: 'test', version: '0' });
    this.send({
      kind: 'start-run',
      by: 'user',
      run: runId,
      plan,
      base: { ref: 'main', commit: 'base', dirty: 0 },
      integration: `czar/${runId}-integration`,
      target: 'main',
      scope: null,
      approve,
      missing,
      ...(sources === undefined ? {} : { sources }),
    });
  }

  get run(): RunState {
    const run = this.state.runs.get(runId);
    if (run === undefined) throw new Error('no run');
    return run;
  }

  worker(id: string): WorkerState {
    const worker = this.run.workers.get(id);
    if (worker === undefined) throw new Error(`no worker ${id}`);
    return worker;
  }

  ask(request: Request): Decision {
    return this.send({ ...request, by: 'user' });
  }

  /** Asks, and gives the exit code that the answer becomes: 0 when it is taken. */
  code(request: Request): number {
    const decision = this.ask(request);
    return decision.ok ? 0 : decision.rejection.exit;
  }

  send(command: Command): Decision {
    const decision = decide(this.state, command, this.now);
    if (decision.ok) {
      this.append(decision.events);
      this.settle();
    }
    return decision;
  }

  settle(): void {
    for (;;) {
      const events = advance(this.state, {
        now: this.now,
        draining: this.draining,
        when: (text) => this.when(text),
      });
      if (events.length === 0) return;
      this.append(events);
    }
  }

  private append(events: readonly NewEvent[]): void {
    for (const event of events) {
      const placed: Event = { ...event, seq: this.state.seq + 1, at: this.now };
      evolve(this.state, placed);
      this.log.push(placed);
    }
  }

  intents(): readonly Intent[] {
    return schedule(this.state, { now: this.now, stopping: this.stopping }).intents;
  }

  intent(kind: Intent['kind'], worker?: string): Intent | undefined {
    return this.intents().find(
      (one) =>
        one.kind === kind && (worker === undefined || ('worker' in one && one.worker === worker)),
    );
  }

  perform(intent: Intent, script: Script = () => null): void {
    const outcome = script(intent, this) ?? success(intent);
    const run = outcome.kind === 'judged' ? this.state.runs.get(outcome.run) : undefined;
    if (outcome.kind !== 'judged' || run === undefined) return void this.send(outcome);
    const { hash } = definitionOf(run, outcome.worker);
    const verdicts = outcome.verdicts.map((verdict) => ({ ...verdict, definition: hash }));
    this.send({ ...outcome, verdicts });
  }

  /** Performs every intent, oldest first, until nothing is left to do; time goes on when only time is waited for. */
  rest(script: Script = () => null, held: (intent: Intent) => boolean = () => false): void {
    for (let step = 0; step < 10_000; step += 1) {
      const next = this.intents().find((intent) => !held(intent));
      if (next !== undefined) {
        this.perform(next, script);
        continue;
      }
      const { wakeAt } = schedule(this.state, { now: this.now, stopping: this.stopping });
      if (wakeAt === null || wakeAt <= this.now) return;
      this.now = wakeAt;
      this.send({ kind: 'tick' });
    }
    throw new Error('the world does not come to rest');
  }

  /** Rests before any effect of the kind; one of the worker must be due then. */
  until(kind: Intent['kind'], worker: string): void {
    this.rest(undefined, (intent) => intent.kind === kind);
    if (this.intent(kind, worker) === undefined) throw new Error(`no ${kind} of ${worker} is due`);
  }

  story(worker: string): readonly string[] {
    return this.log.filter((event) => event.worker === worker).map((event) => event.type);
  }
}
