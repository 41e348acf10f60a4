/**
 * Every order in which the effects of a small plan can end, and every way: the pure core from the first event to each
 * state in which nothing is left to do. States that differ in times alone are one.
 */
import type { Command, Outcome } from '../src/core/commands.ts';
import { decide } from '../src/core/decide.ts';
import { emptyState, evolve, type FoldState } from '../src/core/evolve.ts';
import type { Event, NewEvent } from '../src/core/events.ts';
import { advance } from '../src/core/advance.ts';
import type { Intent } from '../src/core/intents.ts';
import type { Plan } from '../src/core/plan.ts';
import { schedule } from '../src/core/schedule.ts';
import type { RunState } from '../src/core/state.ts';
import { endOf, runId, success, treeVerdict } from '../test/support/core-world.ts';
import { Violation, type Invariant } from './invariants.ts';

export interface Explored {
  readonly states: number;
  /** States in which nothing is left to do. */
  readonly ends: number;
  /** Whether every state was seen, not only as many as the bound allows. */
  readonly whole: boolean;
}

/** Explores the plan, at most so many states; throws the first violation. */
export function explore(plan: Plan, bound: number): Explored {
  const seen = new Set<string>();
  const first = begin(plan);
  const open: FoldState[] = [first];
  let ends = 0;
  while (open.length > 0 && seen.size < bound) {
    const state = open.pop();
    if (state === undefined) break;
    const key = keyOf(state);
    if (seen.has(key)) continue;
    seen.add(key);
    const { intents } = schedule(state, { now: 1_000, stopping: false });
    if (intents.length === 0) {
      ends += 1;
      atRest(runOf(state));
    }
    for (const intent of intents) {
      for (const outcome of outcomesOf(intent)) open.push(after(state, outcome));
    }
  }
  return { states: seen.size, ends, whole: open.length === 0 };
}

function begin(plan: Plan): FoldState {
  const state = emptyState();
  take(state, { kind: 'loop-started', pid: 1, host: 'sim', version: '0' });
  take(state, {
    kind: 'start-run',
    by: 'user',
    run: runId,
    plan,
    base: { ref: 'main', commit: 'base', dirty: 0 },
    integration: `czar/${runId}-integration`,
    target: 'main',
    scope: null,
  });
  return state;
}

function after(state: FoldState, outcome: Outcome): FoldState {
  const next: FoldState = {
    ...state,
    runs: new Map(
      [...state.runs].map(([id, run]) => [
        id,
        { ...run, workers: new Map(run.workers), trees: new Map(run.trees) },
      ]),
    ),
  };
  take(next, outcome);
  // Showing the result changes nothing that anything else depends on: it is done at once.
  for (const intent of schedule(next, { now: 1_000, stopping: false }).intents)
    if (intent.kind === 'publish') take(next, success(intent));
  return next;
}

function take(state: FoldState, command: Command): void {
  const decision = decide(state, command, 1_000);
  if (!decision.ok) throw new Violation('P8', decision.rejection.what);
  fold(state, decision.events);
  for (;;) {
    const events = advance(state, { now: 1_000, draining: false, when: () => true });
    if (events.length === 0) break;
    fold(state, events);
  }
  if (state.runs.size > 0) check(runOf(state));
}

function fold(state: FoldState, events: readonly NewEvent[]): void {
  for (const event of events) {
    const run = state.runs.get(runId);
    if (run !== undefined) checkEvent(run, event);
    const placed: Event = { ...event, seq: state.seq + 1, at: 1_000 };
    evolve(state, placed);
  }
}

/** The ways in which an effect can end. */
function outcomesOf(intent: Intent): readonly Outcome[] {
  const well = success(intent);
  switch (intent.kind) {
    case 'watch':
      return [
        well,
        endOf(intent, { how: 'exited', code: 1 }),
        endOf(intent, { how: 'lost', why: 'gone' }),
      ];
    case 'check':
      return [
        well,
        {
          kind: 'checked',
          run: intent.run,
          subject: intent.subject,
          worker: intent.worker,
          verdicts: intent.gates.map((gate) => treeVerdict(intent.tree, gate, 'fail')),
        },
      ];
    case 'review': {
      const { run, worker, n } = intent;
      const said = {
        kind: 'verdict',
        result: 'changes_requested',
        text: 'no',
        findings: [],
      } as const;
      return [well, { kind: 'reviewed', run, worker, n, said, usage: null }];
    }
    case 'build-merge': {
      const { run, worker, base, tip } = intent;
      return [well, { kind: 'merge-conflict', run, worker, base, tip, files: ['f'], messages: [] }];
    }
    case 'prepare-run':
    case 'check-inputs':
    case 'prepare-tree':
    case 'tend-tree':
    case 'setup':
    case 'launch':
    case 'answer':
    case 'stop':
    case 'collect':
    case 'teardown':
    case 'judge':
    case 'end-review':
    case 'commit-merge':
    case 'publish':
    case 'push':
    case 'build-landing':
    case 'commit-landing':
      return [well];
  }
}

function checkEvent(run: RunState, event: NewEvent): void {
  if (event.type !== 'worker.started' || event.worker === undefined) return;
  const worker = run.workers.get(event.worker);
  must('S1', worker?.state === 'ready' && event.data.attempt === worker.attempts + 1, event.worker);
  for (const edge of run.plan.workers.find((one) => one.id === event.worker)?.edges ?? []) {
    const on = run.workers.get(edge.on);
    const begun =
      on?.state === 'complete' || (edge.requires !== 'complete' && (on?.attempts ?? 0) > 0);
    must('S3', begun, `${event.worker} starts and ${edge.on} is ${on?.state}`);
  }
}

function check(run: RunState): void {
  const workers = [...run.workers.values()];
  const live = workers.filter((one) => one.state === 'starting' || one.state === 'active');
  must('P1', live.length <= run.plan.policies.maxParallel, `${live.length} live`);
  const bases = workers.flatMap((one) => one.merge?.base ?? []);
  must('A5', new Set(bases).size === bases.length, 'two merges on one commit');
  const claims = workers.filter((one) => one.claims).map((one) => one.id);
  const clash = live.find((one) => {
    const others = run.plan.overlaps[one.id] ?? [];
    return one.claims && others.some((id) => claims.includes(id) && !lends(run, id, one.id));
  });
  must('P2', clash === undefined, `${clash?.id} shares its claim`);
}

function lends(run: RunState, from: string, to: string): boolean {
  const worker = run.workers.get(from);
  return worker?.state === 'merging' && worker.superseded.includes(to);
}

function atRest(run: RunState): void {
  const where = [...run.workers.values()].map((one) => `${one.id}=${one.state}`).join(' ');
  must('L2', run.state !== 'running', `${run.state}: ${where}`);
  for (const worker of run.workers.values()) {
    const caused = worker.state !== 'blocked' || (worker.block?.text ?? '') !== '';
    must('S17', caused, `${worker.id} is blocked without a cause`);
    const waits = worker.superseded.some((id) => run.workers.get(id)?.state !== 'complete');
    must('L3', worker.state !== 'merging' || waits, where);
  }
}

function must(invariant: Invariant, holds: boolean, detail: string): void {
  if (!holds) throw new Violation(invariant, detail);
}

function runOf(state: FoldState): RunState {
  const run = state.runs.get(runId);
  if (run === undefined) throw new Error('the run has not begun');
  return run;
}

const timesAndTalk = new Set([
  'latest',
  'notes',
  'plan',
  'published',
  'usage',
  'tasks',
  'lastWords',
]);

function keyOf(state: FoldState): string {
  const run = runOf(state);
  return JSON.stringify(
    { ...run, workers: [...run.workers.values()], trees: [...run.trees] },
    (name, value: unknown) => (timesAndTalk.has(name) ? undefined : value),
  );
}
