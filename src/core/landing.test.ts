import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Request } from './commands.ts';
import type { Intent } from './intents.ts';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';

const order: Request = {
  kind: 'land',
  run: runId,
  target: 'main',
  mode: 'merge',
  partial: true,
  onto: 'base',
};

/** `a` is merged, and the check of `b` on its branch has its slot. */
function withCheckUnderWay(): CoreWorld {
  const world = new CoreWorld(
    planOf([{ id: 'a' }, { id: 'b', on: ['a'], verify: ['test b'] }], {
      maxParallelChecks: 1,
      checks: ['test all'],
    }),
  );
  world.rest(undefined, (intent) => intent.kind === 'check' && intent.subject === 'branch');
  assert.equal(world.worker('a').state, 'complete');
  assert.equal(world.worker('b').checking, true);
  return world;
}

/** Performs what is due, with an effect of the kind failing the next `times` times. */
function failing(world: CoreWorld, kind: Intent['kind'], times: number): void {
  let left = times;
  world.rest((intent) => {
    if (intent.kind !== kind || left === 0) return null;
    left -= 1;
    const { key, run } = intent;
    return {
      kind: 'effect-failed',
      run,
      worker: null,
      attempt: null,
      key,
      effect: kind,
      error: 'no',
    };
  });
}

test('the check of a landing gets a slot though every slot is taken', () => {
  const world = withCheckUnderWay();
  assert.equal(world.ask(order).ok, true);
  const build = world.intent('build-landing');
  assert.ok(build);
  world.perform(build);
  const check = world.intents().find((one) => one.kind === 'check' && one.subject === 'land');
  assert.ok(check, 'the landing is checked');
});

test('a landing is judged by the verify of those whose work it holds, not of who is merged while it is checked', () => {
  const verify = (id: string): readonly string[] => [`test ${id}`];
  const world = new CoreWorld(
    planOf([
      { id: 'a', verify: verify('a') },
      { id: 'b', on: ['a'], verify: verify('b') },
    ]),
  );
  world.rest(undefined, ({ kind }) => kind === 'commit-merge');
  const [merge] = world.intents().filter(({ kind }) => kind === 'commit-merge');
  assert.ok(merge);
  world.perform(merge);
  world.rest(undefined, ({ kind }) => kind === 'commit-merge');
  assert.deepEqual(world.run.mergedOrder, ['a']);
  assert.equal(world.ask({ ...order, onto: 'moved' }).ok, true);
  world.rest(undefined, (intent) => intent.kind === 'check' && intent.subject === 'land');
  assert.deepEqual(world.run.mergedOrder, ['a', 'b']);
  const check = world.intents().find((one) => one.kind === 'check' && one.subject === 'land');
  assert.ok(check?.kind === 'check');
  assert.deepEqual(
    check.gates.map(({ command }) => command),
    ['test a'],
  );
});

test('a landing of what a sync brought in is judged by everybody, also where the clock was set back', () => {
  const world = new CoreWorld(
    planOf([
      { id: 'a', verify: ['test a'] },
      { id: 'b', on: ['a'] },
    ]),
  );
  const isOfB = (intent: Intent): boolean => intent.kind === 'watch' && intent.worker === 'b';
  const isCheck = ({ kind }: Intent): boolean => kind === 'check';
  world.rest(undefined, isOfB);
  assert.deepEqual(world.run.mergedOrder, ['a']);
  assert.equal(world.ask({ kind: 'sync', run: world.run.id, target: 'main', onto: 'on' }).ok, true);
  world.rest(undefined, isOfB);
  assert.equal(world.run.landing, null);
  world.now = 0;
  assert.equal(world.ask({ ...order, partial: true, onto: 'moved-on' }).ok, true);
  world.rest(undefined, (intent) => isOfB(intent) || isCheck(intent));
  const check = world.intents().find((one) => one.kind === 'check' && one.subject === 'land');
  assert.ok(check?.kind === 'check', 'the landing is checked');
  assert.deepEqual(
    check.gates.map(({ command }) => command),
    ['test a'],
  );
});

test('who asks for the landing that is under way joins it; another one is refused', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  assert.equal(world.ask(order).ok, true);
  const { length } = world.log;
  assert.deepEqual(world.ask({ ...order, partial: false }), { ok: true, events: [] });
  assert.equal(world.log.length, length);
  for (const other of [{ target: 'release' }, { mode: 'squash' }] as const) {
    const refused = world.ask({ ...order, ...other });
    assert.ok(!refused.ok);
    assert.match(refused.rejection.what, /landed on main already \(merge\)/);
  }
});

test('failures of an effect count only until it succeeds', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  failing(world, 'publish', 2);
  assert.deepEqual(world.run.troubles, {});
  for (let n = 0; n < 3; n += 1) {
    assert.equal(world.ask(order).ok, true);
    failing(world, 'build-landing', 2);
    assert.equal(world.log.findLast((event) => event.type === 'run.landed')?.run, runId);
    assert.deepEqual(world.run.troubles, {});
  }
  assert.ok(!world.log.some((event) => event.type === 'land.refused'));
  world.ask(order);
  failing(world, 'build-landing', 3);
  assert.equal(world.log.at(-1)?.type, 'land.refused');
  assert.deepEqual(world.run.troubles, {});
});
