/**
 * A long log, written through the journal: many runs of one story, which the core itself told once with effects that go
 * well and agents that report much. Copies differ in the run's id, in numbers and in time. The last run is in its middle.
 */
import { hash } from 'node:crypto';
import type { Event, Report } from '../../src/core/events.ts';
import { emptyState, evolve } from '../../src/core/evolve.ts';
import type { Intent } from '../../src/core/intents.ts';
import { openJournal } from '../../src/journal/sqlite.ts';
import { CoreWorld, planOf, runId, success } from '../../test/support/core-world.ts';

const workers = 50;
const reports = 180;
const batch = 400;

export interface LongLog {
  readonly events: number;
  readonly runs: number;
  /** Workers of each run. */
  readonly workers: number;
}

/** Writes at least `count` events to a new log at the path. */
export function writeLongLog(path: string, count: number): LongLog {
  const story = storyOfARun();
  const text = JSON.stringify(story);
  const middle = Math.floor(story.length * 0.6);
  const state = emptyState();
  using journal = openJournal(path);
  let runs = 0;
  for (let isLast = false; !isLast;) {
    runs += 1;
    isLast = state.seq + middle >= count;
    const told: readonly Event[] = JSON.parse(text.replaceAll(runId, `20261101-${runs}`));
    const events = isLast ? told.slice(0, middle) : told;
    for (let from = 0; from < events.length; from += batch) {
      const next = events.slice(from, from + batch).map((event) => {
        const placed = placedAt(event, { seq: state.seq + 1, epoch: runs });
        evolve(state, placed);
        return placed;
      });
      journal.append(next, state);
    }
  }
  return { events: state.seq, runs, workers };
}

/** The event as it happens in the copy of that number: a day later each. */
function placedAt(
  event: Event,
  { seq, epoch }: { readonly seq: number; readonly epoch: number },
): Event {
  const at = event.at + epoch * 86_400_000;
  return event.type === 'loop.started'
    ? { ...event, seq, at, data: { ...event.data, epoch } }
    : { ...event, seq, at };
}

/** Writes a new log at the path whose one run has so many workers, and is in the middle of at least `count` events. */
export function writeLongRun(path: string, shape: { workers: number; count: number }): number {
  const { workers: length, count } = shape;
  // A worker has about thirty events of its own.
  const said = Math.ceil((count * 1.2) / length);
  const world = worldOf(length, 100);
  while (world.log.length < count) {
    const due = world.intents();
    if (due.length === 0) throw new Error('the story is too short');
    for (const intent of due) world.perform(intent, () => told(world, intent, said));
  }
  const state = emptyState();
  using journal = openJournal(path);
  for (let from = 0; from < world.log.length; from += batch) {
    const next = world.log.slice(from, from + batch);
    for (const event of next) evolve(state, event);
    journal.append(next, state);
  }
  return state.seq;
}

/** Every event of a run of layered workers, from the loop's start to its end. */
function storyOfARun(): readonly Event[] {
  const world = worldOf(workers, 8);
  world.rest((intent) => told(world, intent, reports));
  if (world.run.state !== 'complete') throw new Error(`the story ends ${world.run.state}`);
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log;
}

function worldOf(length: number, maxParallel: number): CoreWorld {
  const name = (index: number): string => `worker-${String(index).padStart(3, '0')}`;
  return new CoreWorld(
    planOf(
      Array.from({ length }, (_, index) => ({
        id: name(index),
        tasks: ['read', 'write', 'check'],
        deliverables: [`src/${name(index)}/`],
        verify: ['npm test'],
        on: index < 10 ? [] : [name(index - 10), name(index - 7 - (index % 3))],
      })),
      { maxParallel },
    ),
  );
}

/** The effect goes well, and an agent that is watched has reported so much. */
function told(world: CoreWorld, intent: Intent, count: number): ReturnType<typeof success> {
  world.now += 250;
  if (intent.kind === 'watch') world.send(reportsOf(intent, count));
  const outcome = success(intent);
  if (outcome.kind !== 'merge-built') return outcome;
  // The core's world names a merge by all that it holds; git by an id.
  return { ...outcome, commit: idOf(outcome.commit), tree: idOf(outcome.tree) };
}

function idOf(name: string): string {
  return hash('sha1', name);
}

function reportsOf(
  intent: Extract<Intent, { kind: 'watch' }>,
  count: number,
): Parameters<CoreWorld['send']>[0] {
  const { run, worker, attempt } = intent;
  const said = Array.from({ length: count }, (_, n): Report => {
    const usage = { input: 900 + n, output: 120 + n, cached: 300, costUsd: 0.01 };
    switch (n % 6) {
      case 0:
        return { kind: 'usage', usage };
      case 1:
        return { kind: 'task-start', task: ['read', 'write', 'check'][n % 3] ?? 'read' };
      case 2:
        return { kind: 'task-complete', task: ['read', 'write', 'check'][n % 3] ?? 'read' };
      default:
        return { kind: 'checkpoint', name: `step ${n}: a file was read and another was written` };
    }
  });
  return {
    kind: 'reports',
    run,
    worker,
    attempt,
    reports: said,
    refused: [],
    reportOffset: 9_000,
    outputOffset: 40_000,
  };
}
