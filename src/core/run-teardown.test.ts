import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import { schedule } from './schedule.ts';
import { why } from './why.ts';

const teardown = ['make stop'];
const red: Script = (intent) =>
  intent.kind === 'teardown'
    ? {
        kind: 'torn-down',
        run: runId,
        worker: intent.worker,
        attempt: intent.attempt,
        failures: [{ command: 'make stop', findings: ['exit 2'] }],
      }
    : null;

describe('the teardown of a worker', () => {
  test('runs once the work of an attempt is in the log, and before anything follows from it', () => {
    const world = new CoreWorld(planOf([{ id: 'a', teardown }]));
    world.until('teardown', 'a');
    const { state, attempt, work } = world.worker('a');
    assert.deepEqual([state, attempt?.phase], ['active', 'collected']);
    assert.equal(work?.tip, 'a.1');
    assert.match(why(world.state, world.run, world.worker('a'), world.now), /its teardown runs/);
    world.rest();
    assert.equal(world.run.state, 'complete');
    const story = world.story('a');
    assert.ok(story.indexOf('work.collected') < story.indexOf('worker.verifying'));
  });

  test('that fails is told, and fails nothing: neither a good attempt nor the count of a bad one', () => {
    const world = new CoreWorld(planOf([{ id: 'a', teardown, retry: retryOnce }]));
    world.rest((intent, w) =>
      intent.kind === 'watch' && intent.attempt === 1
        ? endOf(intent, { how: 'exited', code: 1 })
        : red(intent, w),
    );
    assert.equal(world.run.state, 'complete');
    assert.deepEqual([world.worker('a').attempts, world.worker('a').failures], [2, 1]);
    const told = world.log.flatMap((one) => (one.type === 'teardown.failed' ? [one.data] : []));
    assert.deepEqual(told, [
      { command: 'make stop', findings: ['exit 2'] },
      { command: 'make stop', findings: ['exit 2'] },
    ]);
  });

  test('whose effect cannot be done at all is given up after three tries, and its worker goes on', () => {
    const world = new CoreWorld(planOf([{ id: 'a', teardown }]));
    world.rest((intent) =>
      intent.kind === 'teardown'
        ? {
            kind: 'effect-failed',
            run: runId,
            worker: 'a',
            attempt: 1,
            key: intent.key,
            effect: 'teardown',
            error: 'no space left',
          }
        : null,
    );
    assert.equal(world.run.state, 'complete');
    assert.equal(world.log.filter(({ type }) => type === 'effect.failed').length, 3);
    assert.equal(world.log.filter(({ type }) => type === 'teardown.failed').length, 1);
  });

  test('is carried through before a person’s word counts, and waits for the next loop when this one is told to end', () => {
    const world = new CoreWorld(planOf([{ id: 'a', teardown }]));
    world.until('teardown', 'a');
    assert.deepEqual(schedule(world.state, { now: world.now, stopping: true }).intents, []);
    assert.ok(world.ask({ kind: 'cancel', run: runId, worker: 'a' }).ok);
    assert.equal(world.worker('a').state, 'active');
    assert.ok(world.intent('teardown', 'a') !== undefined);
    world.rest();
    assert.equal(world.worker('a').state, 'cancelled');
  });

  test('of an older attempt that is told of again means nothing', () => {
    const world = new CoreWorld(planOf([{ id: 'a', teardown }]));
    world.rest();
    const before = world.log.length;
    world.send({ kind: 'torn-down', run: runId, worker: 'a', attempt: 1, failures: [] });
    assert.equal(world.log.length, before);
  });
});

const retryOnce = {
  maxAttempts: 2,
  backoff: 'fixed',
  initialMs: 0,
  maxMs: 0,
  from: 'clean',
} as const;
