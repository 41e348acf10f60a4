import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import type { Intent } from './intents.ts';

const silentMs = 60_000;
const retry = {
  maxAttempts: 2,
  backoff: 'fixed',
  initialMs: 0,
  maxMs: 0,
  from: 'clean',
} as const;

function silent(world: CoreWorld, attempt: number): void {
  world.send({ kind: 'stalled', run: runId, worker: 'a', attempt, silentMs });
}

/** A world in which the first attempt runs and has been found silent. */
function stalling(): CoreWorld {
  const world = new CoreWorld(
    planOf([{ id: 'a', stall: { afterMs: silentMs, restart: true }, retry }]),
  );
  world.until('watch', 'a');
  silent(world, 1);
  return world;
}

function stop(world: CoreWorld): Extract<Intent, { kind: 'stop' }> {
  const found = world.intent('stop', 'a');
  return found?.kind === 'stop' ? found : assert.fail('nothing is stopped');
}

/** Whatever is watched is found silent. */
const always: Script = (intent) =>
  intent.kind === 'watch'
    ? { kind: 'stalled', run: runId, worker: 'a', attempt: intent.attempt, silentMs }
    : null;

describe('an attempt that stalls, where that begins again', () => {
  test('is stopped, also by another loop, and counts as a failed attempt', () => {
    const world = stalling();
    assert.equal(world.worker('a').state, 'active');
    assert.equal(world.intent('watch', 'a'), undefined, 'nothing follows it any more');
    assert.equal(stop(world).why, 'requested');
    // What is to be done is derived from the log alone, so a loop that died in between changes nothing.
    world.send({ kind: 'loop-started', pid: 2, host: 'test', version: '0' });
    world.perform(stop(world));
    world.rest(undefined, ({ kind }) => kind === 'watch');
    assert.equal(world.worker('a').attempts, 2);
    assert.equal(world.worker('a').failures, 1);
    assert.match(world.worker('a').notes[0]?.text ?? '', /stalled: nothing printed.* for 60 s/);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('fails the worker when its attempts are used up', () => {
    const world = stalling();
    world.rest(always);
    assert.equal(world.worker('a').state, 'failed');
    assert.match(world.worker('a').reason, /stalled/);
    assert.equal(world.worker('a').attempts, 2);
  });

  test('what ended well, or asked a person, before it could be stopped counts as that', () => {
    const well = stalling();
    well.perform(stop(well), (intent) =>
      intent.kind === 'stop' ? endOf(intent, { how: 'exited', code: 0 }) : null,
    );
    well.rest();
    assert.equal(well.worker('a').state, 'complete');
    assert.equal(well.worker('a').attempts, 1);

    const asks = new CoreWorld(
      planOf([{ id: 'a', stall: { afterMs: silentMs, restart: true }, retry }]),
    );
    asks.until('watch', 'a');
    asks.send({
      kind: 'reports',
      run: runId,
      worker: 'a',
      attempt: 1,
      reports: [{ kind: 'ask', text: 'which?' }],
      refused: [],
      reportOffset: 9,
      outputOffset: 0,
    });
    silent(asks, 1);
    asks.rest();
    assert.equal(asks.worker('a').state, 'blocked');
    assert.equal(asks.worker('a').block?.kind, 'question');
  });

  test('what a person asks for wins, and what comes too late means nothing', () => {
    for (const [kind, state] of [
      ['pause', 'paused'],
      ['cancel', 'cancelled'],
    ] as const) {
      const world = stalling();
      assert.equal(world.code({ kind, run: runId, worker: 'a' }), 0);
      world.rest();
      assert.equal(world.worker('a').state, state);
      assert.equal(world.worker('a').attempts, 1);
    }
    const world = stalling();
    world.perform(stop(world));
    world.until('watch', 'a');
    silent(world, 1);
    assert.notEqual(world.intent('watch', 'a'), undefined, 'it was another attempt');
  });
});
