import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CoreWorld,
  planOf,
  runId,
  type Script,
  type WorkerSketch,
} from '../../test/support/core-world.ts';
import type { Intent } from './intents.ts';
import { schedule } from './schedule.ts';
import { nobodyAnswered } from './unanswered.ts';

const hour = 3_600_000;
const after = (instead: 'deny' | 'skip' | 'fail'): Pick<WorkerSketch, 'unanswered'> => ({
  unanswered: { instead, afterMs: hour },
});

const asks: Script = (intent) =>
  intent.kind === 'watch' && intent.worker === 'a' ? question(intent) : null;

function question(intent: Extract<Intent, { kind: 'watch' }>): ReturnType<Script> {
  const { run, worker, attempt } = intent;
  const reports = [{ kind: 'ask', text: 'which?' } as const];
  return {
    kind: 'reports',
    run,
    worker,
    attempt,
    reports,
    refused: [],
    reportOffset: 9,
    outputOffset: 0,
  };
}

/** A world at rest in which `a` has asked; time has not gone on. */
function asked(plan: ReturnType<typeof planOf>): CoreWorld {
  const world = new CoreWorld(plan);
  world.until('watch', 'a');
  world.perform(world.intent('watch', 'a') ?? assert.fail(), asks);
  while (world.intents().length > 0) world.perform(world.intents()[0] ?? assert.fail());
  assert.equal(world.worker('a').state, 'blocked');
  return world;
}

function pass(world: CoreWorld, ms: number): void {
  world.now += ms;
  world.send({ kind: 'tick' });
}

describe('what nobody answers', () => {
  test('waits for ever unless the plan says otherwise', () => {
    const world = asked(planOf([{ id: 'a' }]));
    assert.equal(schedule(world.state, { now: world.now, stopping: false }).wakeAt, null);
    pass(world, 1_000 * hour);
    assert.equal(world.worker('a').state, 'blocked');
  });

  for (const [then, state, run] of [
    ['skip', 'skipped', 'complete'],
    ['fail', 'failed', 'failed'],
  ] as const) {
    test(`a question is ${state} when its time is over, not before, by the principal policy`, () => {
      const world = asked(planOf([{ id: 'a', ...after(then) }]));
      const due = world.worker('a').since + hour;
      assert.equal(schedule(world.state, { now: world.now, stopping: false }).wakeAt, due);
      pass(world, hour - 1);
      assert.equal(world.worker('a').state, 'blocked');
      pass(world, 1);
      assert.equal(world.worker('a').state, state);
      assert.equal(world.run.state, run);
      assert.equal(world.worker('a').failures, 0, 'no attempt failed');
      const event = world.log.find(({ type }) => type === `worker.${state}`);
      assert.ok(event !== undefined && 'by' in event.data && event.data.by === 'policy');
      assert.match(world.worker('a').reason, /nobody answered in time/);
    });
  }

  test('a question is denied once: its agent goes on without an answer; the next question waits', () => {
    const world = asked(planOf([{ id: 'a', ...after('deny') }]));
    pass(world, hour);
    assert.equal(world.worker('a').state, 'starting');
    const noted = world.log.findLast((event) => event.type === 'worker.noted');
    assert.ok(noted?.type === 'worker.noted' && noted.data.by === 'policy');
    assert.equal(noted.data.text, nobodyAnswered);
    world.until('watch', 'a');
    world.perform(world.intent('watch', 'a') ?? assert.fail(), asks);
    world.rest();
    assert.equal(world.worker('a').state, 'blocked');
    pass(world, 10 * hour);
    assert.equal(world.worker('a').state, 'blocked');
    world.ask({ kind: 'answer', run: runId, worker: 'a', text: 'so' });
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('a launch is denied, skipped or failed; a denial waits for a person then', () => {
    const plan = planOf([
      { id: 'a', approve: true, ...after('deny') },
      { id: 'b', approve: true, ...after('skip') },
      { id: 'c', approve: true, ...after('fail') },
    ]);
    const world = new CoreWorld(plan);
    world.perform(world.intent('prepare-run') ?? assert.fail());
    pass(world, hour - 1);
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => world.worker(id).state),
      ['ready', 'ready', 'ready'],
    );
    pass(world, 1);
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => world.worker(id).state),
      ['blocked', 'skipped', 'failed'],
    );
    const denied = world.log.find((event) => event.type === 'approval.denied');
    assert.ok(denied?.type === 'approval.denied' && denied.data.by === 'policy');
    pass(world, 10 * hour);
    assert.equal(world.worker('a').block?.kind, 'denied');
    world.ask({ kind: 'approve', run: runId, workers: ['a'] });
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
  });

  test('what cannot be denied goes on waiting, and so does what a person paused', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a', verify: ['v'], ...after('deny') },
        { id: 'b', ...after('skip') },
      ]),
    );
    world.ask({ kind: 'pause', run: runId, worker: 'b' });
    world.rest((intent) =>
      intent.kind === 'build-merge'
        ? {
            kind: 'merge-conflict',
            run: runId,
            worker: 'a',
            base: intent.base,
            tip: intent.tip,
            files: ['x'],
            messages: [],
          }
        : null,
    );
    assert.equal(world.worker('a').block?.kind, 'conflict');
    pass(world, 10 * hour);
    assert.deepEqual(
      ['a', 'b'].map((id) => world.worker(id).state),
      ['blocked', 'paused'],
    );
  });

  test('nothing happens by itself while the run is paused; resumed, what is overdue does', () => {
    const world = asked(planOf([{ id: 'a', ...after('skip') }]));
    world.ask({ kind: 'pause', run: runId, worker: null });
    pass(world, 10 * hour);
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(schedule(world.state, { now: world.now, stopping: false }).wakeAt, null);
    world.ask({ kind: 'resume', run: runId, worker: null });
    assert.equal(world.worker('a').state, 'skipped');
  });

  test('a dependency that was skipped by a default skips those behind it, and one that failed blocks them', () => {
    for (const [then, state] of [
      ['skip', 'skipped'],
      ['fail', 'blocked'],
    ] as const) {
      const world = asked(
        planOf([
          { id: 'a', ...after(then) },
          { id: 'b', on: ['a'] },
        ]),
      );
      pass(world, hour);
      assert.equal(world.worker('b').state, state);
    }
  });
});
