// Limits that change while a run is live: what holds at once, what is refused, and what stays as it was.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import type { EventOf } from './events.ts';
import { limitsOf, limitTexts, noSources, type RunLimits, type RunSources } from './limits.ts';
import type { Budget, Plan } from './plan.ts';
import { why } from './why.ts';

const none = { tokens: null, costUsd: null };
const budget: Budget = {
  ...none,
  realityMultiplier: 1.5,
  limit: 100,
  onExceeded: 'block',
};

function set(
  world: CoreWorld,
  limits: Partial<RunLimits>,
  sources: RunSources | null = null,
): ReturnType<CoreWorld['ask']> {
  const all = { ...limitsOf(world.run.plan.policies), ...limits };
  return world.ask({ kind: 'set-limits', run: runId, limits: all, sources });
}

const changes = (world: CoreWorld): readonly EventOf<'limits.changed'>['data'][] =>
  world.log.flatMap((event) => (event.type === 'limits.changed' ? [event.data] : []));

const live = (world: CoreWorld): readonly string[] =>
  [...world.run.workers.values()].flatMap(({ id, state }) => (state === 'active' ? [id] : []));

/** How often it was told that the run has used up what it may. */
const told = (world: CoreWorld): number =>
  world.log.filter((one) => one.type === 'budget.exceeded' && one.data.scope === 'run').length;

function atWork(world: CoreWorld): void {
  world.rest(undefined, ({ kind }) => kind === 'watch');
}

describe('limits of a live run', () => {
  test('more may go on at once; less stops nothing that lives, and nothing more starts', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }], { maxParallel: 1 }),
    );
    atWork(world);
    assert.deepEqual(live(world), ['a']);
    set(world, { maxParallel: 2 });
    atWork(world);
    assert.deepEqual(live(world), ['a', 'b']);
    set(world, { maxParallel: 1 });
    atWork(world);
    assert.deepEqual(live(world), ['a', 'b']);
    assert.deepEqual(changes(world).map(limitTexts), [
      ['max_parallel 1 → 2'],
      ['max_parallel 2 → 1'],
    ]);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('what is the same is no event, and a run that is over keeps what it had', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    assert.ok(set(world, {}).ok);
    world.rest();
    assert.ok(set(world, { maxParallel: 9 }).ok);
    assert.deepEqual(changes(world), []);
    assert.equal(world.run.plan.policies.maxParallel, 4);
  });

  test('a lower budget stops what lives, a higher one lets it go on, and both are told of anew', () => {
    const stopped: Script = (intent) =>
      intent.kind === 'stop'
        ? endOf(intent, { how: 'stopped', why: 'requested', code: null })
        : null;
    const of = (tokens: number): Partial<RunLimits> => ({
      budget: { run: { ...none, tokens }, day: none },
    });
    const world = new CoreWorld(planOf([{ id: 'a', budget }], of(1_000)));
    atWork(world);
    world.send({
      kind: 'reports',
      run: runId,
      worker: 'a',
      attempt: 1,
      reports: [{ kind: 'usage', usage: { input: 50, output: 0, cached: 0, costUsd: 0 } }],
      refused: [],
      reportOffset: 1,
      outputOffset: 0,
    });
    set(world, of(50));
    world.rest(stopped, ({ kind }) => kind === 'watch');
    assert.equal(world.worker('a').state, 'ready');
    assert.equal(told(world), 1);
    set(world, of(500));
    atWork(world);
    assert.equal(world.worker('a').state, 'active');
    set(world, of(50));
    world.rest(stopped, ({ kind }) => kind === 'watch');
    assert.equal(told(world), 2);
  });

  test('a budget that not every worker has a share of is refused, and nothing changes', () => {
    const world = new CoreWorld(planOf([{ id: 'a', budget }, { id: 'b' }]));
    atWork(world);
    const limits = { budget: { run: { ...none, tokens: 1 }, day: none }, maxParallel: 1 };
    const answer = set(world, limits);
    assert.ok(!answer.ok);
    assert.match(answer.rejection.what, /and b has none/);
    assert.equal(world.run.plan.policies.maxParallel, 4);
  });

  test('a limit that is gone is gone; where they come from is kept until something else is chosen', () => {
    const prices = { stub: { input: 1, output: 1, cached: 1 } };
    const world = new CoreWorld(planOf([{ id: 'a' }], { prices }));
    atWork(world);
    const chosen = { ...noSources, flags: ['grace=1s'] };
    const { prices: _gone, ...without } = limitsOf(world.run.plan.policies);
    world.ask({ kind: 'set-limits', run: runId, limits: without, sources: chosen });
    assert.equal(world.run.plan.policies.prices, undefined);
    assert.deepEqual(world.run.sources, chosen);
    set(world, { graceMs: 7 });
    assert.deepEqual(world.run.sources, chosen);
    assert.equal(changes(world).length, 2);
  });

  test('an amendment leaves the limits as they are', () => {
    const plan: Plan = planOf([{ id: 'a' }], { maxParallel: 1 });
    const world = new CoreWorld(plan);
    atWork(world);
    set(world, { maxParallel: 3 });
    const joined = planOf([{ id: 'a' }, { id: 'b' }], { maxParallel: 1 });
    const amended = { ...joined, revision: 'r2' };
    assert.ok(world.ask({ kind: 'amend', run: runId, plan: amended, scope: null }).ok);
    assert.equal(world.run.plan.policies.maxParallel, 3);
    assert.equal(world.run.plan.revision, 'r2');
  });

  test('a pause while a budget stops an agent counts; one that fails of it says so', () => {
    const stop = (onExceeded: Budget['onExceeded']): CoreWorld => {
      const world = new CoreWorld(planOf([{ id: 'a', budget: { ...budget, onExceeded } }]));
      atWork(world);
      world.send({
        kind: 'reports',
        run: runId,
        worker: 'a',
        attempt: 1,
        reports: [{ kind: 'usage', usage: { input: 100, output: 0, cached: 0, costUsd: 0 } }],
        refused: [],
        reportOffset: 1,
        outputOffset: 0,
      });
      assert.ok(world.worker('a').stop !== null);
      return world;
    };
    const stopped: Script = (intent) =>
      intent.kind === 'stop'
        ? endOf(intent, { how: 'stopped', why: 'requested', code: null })
        : null;
    const world = stop('block');
    assert.ok(world.ask({ kind: 'pause', run: runId, worker: 'a' }).ok);
    world.rest(stopped, ({ kind }) => kind === 'watch');
    assert.equal(world.worker('a').state, 'paused');
    world.ask({ kind: 'resume', run: runId, worker: 'a' });
    world.rest(stopped, ({ kind }) => kind === 'watch');
    assert.equal(world.worker('a').attempts, 1, 'its budget is still used up');
    assert.match(
      why(world.state, world.run, world.worker('a'), world.now),
      /its budget is used up: 100 of 100 tokens \(czar budget a --add TOKENS\)/,
    );
    const failing = stop('fail').ask({ kind: 'pause', run: runId, worker: 'a' });
    assert.ok(!failing.ok);
    assert.match(failing.rejection.what, /fails: its budget is used up/);
  });
});
