import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId } from '../../test/support/core-world.ts';
import {
  secondRun,
  takes,
  atWork,
  start,
  runOf,
  waits,
  live,
  ends,
  look,
} from '../../test/support/resource-world.ts';
import type { Plan, Policies } from './plan.ts';
import { why } from './why.ts';

describe('disk space', () => {
  const plan = (policies: Partial<Policies> = {}): Plan => planOf([{ id: 'a' }], policies);

  test('fault 70: below the reserve nothing starts; it goes on by itself when there is space again', () => {
    const world = new CoreWorld(plan());
    look(world, { free: 0.4e9 });
    assert.deepEqual(live(world), []);
    assert.equal(waits(world, 'a'), 'resource:disk');
    assert.equal(
      why(world.state, world.run, world.worker('a'), world.now),
      'a is ready: it waits for disk space: 400 MB are free, and it starts at 1 GB (disk_reserve).',
    );
    assert.equal(world.run.state, 'running', 'no person is waited for');
    const types = world.log.map(({ type }) => type);
    assert.equal(types.filter((type) => type === 'disk.low').length, 1);
    look(world, { free: 0.6e9 });
    look(world, { free: 1.01e9 });
    assert.deepEqual(
      world.log.filter(({ type }) => type === 'machine.observed' || type === 'disk.low').length,
      2,
      'what changes nothing, and what is just above the line, is not told',
    );
    look(world, { free: 2e9 });
    assert.deepEqual(live(world), ['a']);
  });

  test('the reserve of a small disk is a tenth of it, and one that is written counts as it is', () => {
    const small = new CoreWorld(plan());
    look(small, { disk: 1e9, free: 0.2e9 });
    assert.deepEqual(live(small), ['a']);
    const written = new CoreWorld(plan({ diskReserveBytes: 60e9 }));
    look(written, {});
    assert.deepEqual(live(written), []);
    const none = new CoreWorld(plan({ diskReserveBytes: 0 }));
    look(none, { free: 0 });
    assert.deepEqual(live(none), ['a']);
  });

  test('who asks for space starts when that much is free beside the reserve', () => {
    const world = new CoreWorld(planOf([{ id: 'a', ...takes('disk', 5e9) }, { id: 'b' }]));
    look(world, { free: 5e9 });
    assert.deepEqual(live(world), ['b']);
    assert.equal(waits(world, 'a'), 'resource:disk');
    look(world, { free: 7e9 });
    assert.deepEqual(live(world), ['a', 'b']);
    assert.ok(!world.log.some(({ type }) => type === 'disk.low'));
  });

  test('who wants nearly the whole disk starts when that is there', () => {
    const world = new CoreWorld(planOf([{ id: 'a', ...takes('disk', 96e9) }]));
    look(world, { free: 90e9 });
    assert.deepEqual(live(world), []);
    look(world, { free: 99.9e9 });
    assert.deepEqual(live(world), ['a']);
  });

  test('what lives goes on while the disk is low', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
    look(world, {});
    assert.deepEqual(live(world), ['a']);
    look(world, { free: 0 });
    ends(world, 'a');
    assert.equal(world.worker('a').state, 'complete');
    assert.equal(waits(world, 'b'), 'resource:disk');
  });
});

describe('what live runs share', () => {
  test('claims of two runs that overlap are not held at the same time', () => {
    const world = new CoreWorld(planOf([{ id: 'a', owns: ['src/**'] }]));
    atWork(world);
    start(
      world,
      secondRun,
      planOf([
        { id: 'near', owns: ['src/b/*.ts'] },
        { id: 'far', owns: ['docs/**'] },
        { id: 'free' },
      ]),
    );
    atWork(world);
    assert.deepEqual(live(world), ['a', `${secondRun}/far`, `${secondRun}/free`]);
    assert.equal(waits(world, 'near', secondRun), `ownership:${runId}/a`);
    ends(world, 'a');
    assert.ok(live(world).includes(`${secondRun}/near`));
  });

  test('a run whose worker waits for a claim of another run that waits for a person, waits for a person too', () => {
    const budget = {
      tokens: null,
      costUsd: null,
      realityMultiplier: 1,
      limit: 10,
      onExceeded: 'warn',
    } as const;
    const limits = { run: { tokens: 10, costUsd: null }, day: { tokens: null, costUsd: null } };
    const world = new CoreWorld(
      planOf([{ id: 'a', owns: ['src/**'], budget }], { budget: limits }),
    );
    atWork(world);
    start(world, secondRun, planOf([{ id: 'b', owns: ['src/**'] }]));
    atWork(world);
    assert.equal(waits(world, 'b', secondRun), `ownership:${runId}/a`);
    assert.equal(runOf(world, secondRun).state, 'running');
    world.send({
      kind: 'reports',
      run: runId,
      worker: 'a',
      attempt: 1,
      reports: [{ kind: 'usage', usage: { input: 20, output: 0, cached: 0, costUsd: 0 } }],
      refused: [],
      reportOffset: 1,
      outputOffset: 0,
    });
    const stop = world.intent('stop', 'a');
    assert.ok(stop?.kind === 'stop');
    world.send(endOf(stop, { how: 'stopped', why: 'requested', code: null }));
    atWork(world);
    assert.equal(waits(world, 'a'), 'budget', 'it is ready, and holds its claim');
    assert.equal(waits(world, 'b', secondRun), `ownership:${runId}/a`);
    assert.equal(runOf(world, secondRun).state, 'waiting');
    const more = { kind: 'raise-budget', run: runId, scope: 'run', worker: null } as const;
    assert.ok(world.ask({ ...more, tokens: 1_000, costUsd: 0 }).ok);
    assert.equal(runOf(world, secondRun).state, 'running');
  });

  test('agent slots and check slots are those of all runs', () => {
    const plan = planOf(
      [
        { id: 'a', setup: ['install'] },
        { id: 'b', setup: ['install'] },
      ],
      {
        maxParallel: 3,
        maxParallelChecks: 1,
      },
    );
    const world = new CoreWorld(plan);
    start(world, secondRun, plan);
    for (;;) {
      const next = world.intents().find(({ kind }) => kind !== 'watch' && kind !== 'setup');
      if (next === undefined) break;
      world.perform(next);
    }
    assert.deepEqual(live(world), ['a', 'b', `${secondRun}/a`]);
    assert.equal(waits(world, 'b', secondRun), 'slot');
    assert.equal(world.intents().filter(({ kind }) => kind === 'setup').length, 1);
  });
});
