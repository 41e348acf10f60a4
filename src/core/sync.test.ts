/** A target enters integration: one thing at a time moves it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';

const sync = { kind: 'sync', run: runId, target: 'main', onto: 'main-2' } as const;

/** `a` is verified and about to be merged. */
function merging(): CoreWorld {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
  world.rest(undefined, ({ kind }) => kind === 'build-merge' || kind === 'commit-merge');
  assert.equal(world.intents().filter(({ kind }) => kind === 'build-merge').length, 1);
  return world;
}

test('a sync that is asked for during a merge is built on what that merge makes', () => {
  const world = merging();
  assert.ok(world.ask(sync).ok);
  assert.equal(world.intent('build-landing'), undefined);
  world.rest(undefined, ({ kind }) => kind === 'build-landing');
  const build = world.intent('build-landing');
  assert.ok(build?.kind === 'build-landing');
  assert.deepEqual([build.sync, build.onto, build.tip], [true, world.run.tip, 'main-2']);
});

test('no merge begins while a sync is under way, and the next one is built on it', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
  world.rest(undefined, ({ kind }) => kind === 'watch');
  const before = world.run.tip;
  assert.ok(world.ask(sync).ok);
  world.rest(undefined, ({ kind }) => kind === 'commit-landing');
  assert.equal(world.run.tip, before);
  assert.equal(world.intents().filter(({ kind }) => kind === 'build-merge').length, 0);
  assert.equal(world.log.filter(({ type }) => type === 'merge.started').length, 0);
  world.rest(undefined, ({ kind }) => kind === 'build-merge');
  const synced = world.log.find((event) => event.type === 'run.synced');
  assert.ok(synced?.type === 'run.synced');
  assert.deepEqual(synced.data, {
    target: 'main',
    tip: 'main-2',
    base: before,
    commit: world.run.tip,
  });
  const merge = world.intent('build-merge');
  assert.ok(merge?.kind === 'build-merge');
  assert.equal(merge.base, world.run.tip);
});

test('a batch that waits for more is tested as it is when a sync waits for it', () => {
  const policies = { mergeQueue: 'batch', checks: ['all'], maxParallel: 4 } as const;
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }], policies));
  world.rest(undefined, ({ kind }) => kind === 'build-merge');
  assert.ok(world.ask(sync).ok);
  world.rest();
  assert.equal(world.run.state, 'complete');
  const order = world.log.flatMap(({ type, worker }) =>
    type === 'worker.merged' || type === 'run.synced' ? [worker ?? 'main'] : [],
  );
  assert.deepEqual(order, ['a', 'main', 'b', 'c']);
});

test('only a live run is synced, and not while it lands; whoever asks again joins', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest(undefined, ({ kind }) => kind === 'watch');
  assert.ok(world.ask(sync).ok);
  assert.ok(world.ask({ ...sync, onto: 'main-3' }).ok);
  assert.equal(world.log.filter(({ type }) => type === 'land.started').length, 1);
  assert.equal(world.code({ ...sync, target: 'other' }), 4);
  const land = { kind: 'land', run: runId, target: 'main', mode: 'merge', onto: 'main-2' } as const;
  assert.equal(world.code({ ...land, partial: true }), 4);
  world.rest();
  assert.equal(world.run.state, 'complete');
  assert.equal(world.code(sync), 4);
  assert.ok(world.ask({ ...land, partial: false }).ok);
  assert.equal(world.run.landing?.sync, undefined);
});
