import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';

const asked = { kind: 'request-pull', run: runId, target: 'main', partial: false } as const;
const url = 'https://example.org/pulls/1';
const found = { kind: 'record-pull', run: runId, number: 1, url, program: 'gh' } as const;

test('what is merged becomes a pull request when the run is complete, or a part is wanted', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
  assert.equal(world.code(asked), 4, 'nothing is merged');
  world.rest(undefined, (intent) => intent.kind === 'watch' && intent.worker === 'b');
  assert.equal(world.code(asked), 4, 'it is not complete');
  assert.equal(world.code({ ...asked, partial: true }), 0);
  assert.equal(world.run.pull?.state, 'asked');
  world.rest(undefined, ({ kind }) => kind === 'publish');
  assert.equal(world.code(asked), 4, 'the branch is not shown yet');
  world.rest();
  assert.equal(world.code(asked), 0);
  assert.equal(world.run.pull?.tip, world.run.tip);
});

test('a pull request is recorded once for each commit, and its end once', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  const tell = (tip: string, state: 'open' | 'merged' | 'closed'): readonly string[] => {
    const { length } = world.log;
    assert.equal(world.code({ ...found, tip, state }), 0);
    return world.log.slice(length).map(({ type }) => type);
  };
  world.rest();
  assert.equal(world.code({ ...found, tip: 'c', state: 'open' }), 3, 'nobody asked for one');
  assert.equal(world.code(asked), 0);
  const { length } = world.log;
  assert.equal(world.code(asked), 0);
  assert.equal(world.log.length, length, 'asked once, also when it was killed before it was open');
  assert.deepEqual(tell('c1', 'open'), ['pull.opened']);
  assert.deepEqual(tell('c1', 'open'), []);
  assert.deepEqual(tell('c2', 'open'), ['pull.opened']);
  assert.deepEqual(tell('c2', 'merged'), ['pull.closed']);
  assert.deepEqual(tell('c2', 'merged'), []);
  const { pull } = world.run;
  assert.deepEqual([pull?.state, pull?.number, pull?.url], ['merged', 1, url]);
});
