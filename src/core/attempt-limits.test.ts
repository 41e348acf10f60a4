import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId } from '../../test/support/core-world.ts';
import { limitsText, overLimitText, sizeText } from './attempt-limits.ts';

const limits = { processes: 500, memoryBytes: 2_000_000_000 };
const retry = {
  maxAttempts: 2,
  backoff: 'fixed',
  initialMs: 0,
  maxMs: 0,
  from: 'clean',
} as const;
const tooMany = 'it ran more than 500 processes and threads (limit of limits.processes)';

/** A world in which the first attempt runs and has been found over its limit. */
function over(): CoreWorld {
  const world = new CoreWorld(planOf([{ id: 'a', limits, retry }]));
  world.until('watch', 'a');
  world.send({ kind: 'over-limit', run: runId, worker: 'a', attempt: 1, limit: 'processes' });
  return world;
}

describe('an attempt over a limit', () => {
  test('is stopped, also by another loop, and counts as a failed attempt that says which limit', () => {
    const world = over();
    assert.equal(world.intent('watch', 'a'), undefined, 'nothing follows it any more');
    world.send({ kind: 'loop-started', pid: 2, host: 'test', version: '0' });
    const stop = world.intent('stop', 'a') ?? assert.fail('nothing is stopped');
    world.perform(stop);
    world.rest(undefined, ({ kind }) => kind === 'watch');
    assert.equal(world.worker('a').attempts, 2);
    assert.equal(world.worker('a').failures, 1);
    assert.match(world.worker('a').notes[0]?.text ?? '', /more than 500 processes/);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('that a person cancels is cancelled, and one that has ended already is not stopped', () => {
    const world = over();
    assert.equal(world.code({ kind: 'cancel', run: runId, worker: 'a' }), 0);
    world.rest();
    assert.equal(world.worker('a').state, 'cancelled');

    const late = new CoreWorld(planOf([{ id: 'a', limits, retry }]));
    late.until('watch', 'a');
    const watch = late.intent('watch', 'a') ?? assert.fail('nothing is watched');
    late.perform(watch, (intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 0 }) : null,
    );
    late.send({ kind: 'over-limit', run: runId, worker: 'a', attempt: 1, limit: 'memory' });
    late.rest();
    assert.equal(late.run.state, 'complete');
    assert.equal(late.worker('a').attempts, 1);
  });
});

test('limits are said in numbers that were written', () => {
  assert.equal(overLimitText('processes', limits), tooMany);
  assert.equal(
    overLimitText('memory', limits),
    'it used more than 2 GB of memory (limit of limits.memory)',
  );
  assert.equal(limitsText(limits), 'at most 500 processes and threads, 2 GB of memory');
  assert.equal(limitsText({ processes: null, memoryBytes: null }), null);
  assert.deepEqual([3_221_225_472, 1_500_000, 1_048_576, 1_001].map(sizeText), [
    '3 GiB',
    '1500 KB',
    '1 MiB',
    '1001 B',
  ]);
});
