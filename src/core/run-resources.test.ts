import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId } from '../../test/support/core-world.ts';
import {
  secondRun,
  there,
  takes,
  atWork,
  start,
  runOf,
  waits,
  live,
  ends,
  look,
} from '../../test/support/resource-world.ts';
import { limitsOf } from './limits.ts';
import type { Policies } from './plan.ts';
import { inUse } from './schedule/resources.ts';
import { why } from './why.ts';

describe('resources', () => {
  test('what workers ask for is never more than there is, and goes to the next when it is given back', () => {
    const ids = ['a', 'b', 'c'];
    const world = new CoreWorld(
      planOf(
        ids.map((id) => ({ id, ...takes('gpu', id === 'c' ? 2 : 1) })),
        { resources: { gpu: there(2) } },
      ),
    );
    atWork(world);
    assert.deepEqual(live(world), ['a', 'b']);
    assert.equal(waits(world, 'c'), 'resource:gpu');
    assert.equal(
      why(world.state, world.run, world.worker('c'), world.now),
      'c is ready: it waits for 2 of gpu: 2 of 2 in use (czar resources).',
    );
    ends(world, 'a');
    assert.deepEqual(live(world), ['b']);
    ends(world, 'b');
    assert.deepEqual(live(world), ['c']);
  });

  test('whatever ends an attempt gives back what it held', () => {
    const endings: Readonly<Record<string, (world: CoreWorld) => void>> = {
      done: (world) => ends(world, 'a'),
      failed: (world) => ends(world, 'a', 1),
      lost: (world) => {
        const watch = world.intent('watch', 'a');
        assert.ok(watch?.kind === 'watch');
        world.send(endOf(watch, { how: 'lost', why: 'the machine was restarted' }));
        atWork(world);
      },
      paused: (world) => void world.ask({ kind: 'pause', run: runId, worker: 'a' }),
      cancelled: (world) => void world.ask({ kind: 'cancel', run: runId, worker: 'a' }),
    };
    for (const [name, end] of Object.entries(endings)) {
      const once = {
        maxAttempts: 1,
        backoff: 'fixed',
        initialMs: 0,
        maxMs: 0,
        from: 'clean',
      } as const;
      const world = new CoreWorld(
        planOf(
          ['a', 'b'].map((id) => ({ id, retry: once, ...takes('port', 1, 'exclusive') })),
          { resources: { port: there(null) } },
        ),
      );
      atWork(world);
      assert.deepEqual(live(world), ['a'], name);
      end(world);
      atWork(world);
      // One that was lost goes on first: it is ready again in the same breath.
      if (name === 'lost') ends(world, 'a');
      assert.deepEqual(live(world), ['b'], name);
      assert.deepEqual(
        inUse(world.state, world.now).holders.map(({ worker }) => worker),
        ['b'],
        name,
      );
    }
  });

  test('all that a start needs is taken at once or not at all', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', ...takes('gpu') },
          { id: 'b', resources: { ...takes('licence').resources, ...takes('gpu').resources } },
          { id: 'c', ...takes('licence') },
        ],
        { resources: { gpu: there(1), licence: there(1) } },
      ),
    );
    atWork(world);
    assert.deepEqual(live(world), ['a', 'c'], 'b holds no licence while it waits for a gpu');
    assert.equal(waits(world, 'b'), 'resource:licence');
  });

  test('readers share, a writer waits for them, and one that is exclusive waits for everybody', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'r1', ...takes('db', 0, 'read') },
          { id: 'r2', ...takes('db', 0, 'read') },
          { id: 'w', ...takes('db', 1, 'write') },
          { id: 'x', ...takes('db', 1, 'exclusive') },
        ],
        { resources: { db: there(1) } },
      ),
    );
    atWork(world);
    assert.deepEqual(live(world), ['r1', 'r2']);
    assert.equal(waits(world, 'w'), 'resource:db');
    assert.match(
      why(world.state, world.run, world.worker('w'), world.now),
      /^w is ready: it waits for db: 20261121-1\/r1 has it \(reading\)\.$/,
    );
    ends(world, 'r1');
    assert.deepEqual(live(world), ['r2']);
    ends(world, 'r2');
    assert.deepEqual(live(world), ['w']);
    ends(world, 'w');
    assert.deepEqual(live(world), ['x']);
  });

  test('live runs share what there is', () => {
    const plan = planOf([{ id: 'a', ...takes('gpu') }], { resources: { gpu: there(1) } });
    const world = new CoreWorld(plan);
    atWork(world);
    start(world, secondRun, plan);
    atWork(world);
    assert.deepEqual(live(world), ['a']);
    assert.equal(waits(world, 'a', secondRun), 'resource:gpu');
    assert.equal(runOf(world, secondRun).state, 'running');
    world.perform(world.intents().find(({ kind }) => kind === 'watch') ?? assert.fail());
    atWork(world);
    assert.deepEqual(live(world), [`${secondRun}/a`]);
  });

  test('requests of a minute that rolls: a start waits until there is room, and the time is known', () => {
    const world = new CoreWorld(
      planOf(
        ['a', 'b', 'c'].map((id) => ({ id, ...takes('api', 20) })),
        { resources: { api: there(null, { requestsPerMinute: 40 }) } },
      ),
    );
    atWork(world);
    const from = world.now;
    assert.deepEqual(live(world), ['a', 'b']);
    assert.equal(waits(world, 'c'), 'resource:api');
    world.now += 10_000;
    assert.match(why(world.state, world.run, world.worker('c'), world.now), /for 50 s more/);
    ends(world, 'a');
    assert.deepEqual(live(world), ['b'], 'what is over counts for its minute all the same');
    world.rest(undefined, ({ kind }) => kind === 'watch');
    assert.deepEqual(live(world), ['b', 'c']);
    assert.equal(world.worker('c').startedAt, from + 60_000);
    ends(world, 'b');
    ends(world, 'c');
    assert.equal(world.run.state, 'complete');
  });

  test('tokens of a minute: what an agent tells of delays the next start of those that use the same', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', ...takes('api') },
          { id: 'b', ...takes('api'), on: ['a'] },
          { id: 'other', on: ['a'] },
        ],
        { resources: { api: there(null, { tokensPerMinute: 1_000 }) } },
      ),
    );
    atWork(world);
    for (const tokens of [600, 400]) {
      world.now += 1_000;
      world.send({
        kind: 'reports',
        run: runId,
        worker: 'a',
        attempt: 1,
        reports: [{ kind: 'usage', usage: { input: tokens, output: 0, cached: 0, costUsd: 0 } }],
        refused: [],
        reportOffset: world.now,
        outputOffset: 0,
      });
    }
    const last = world.now;
    ends(world, 'a');
    assert.deepEqual(live(world), ['other']);
    assert.equal(waits(world, 'b'), 'resource:api');
    world.rest(undefined, ({ kind }) => kind === 'watch');
    assert.equal(world.worker('b').startedAt, last - 1_000 + 60_000, 'when the first 600 are old');
  });

  test('cpu and memory are those of the machine unless they are declared', () => {
    const asks = ['a', 'b'].map((id) => ({ id, ...takes('cpu', 3) }));
    const world = new CoreWorld(planOf(asks));
    atWork(world);
    assert.equal(waits(world, 'a'), 'resource:cpu', 'not before the machine was looked at');
    look(world, {});
    assert.deepEqual(live(world), ['a']);
    assert.equal(waits(world, 'b'), 'resource:cpu');
    const seen = (): number => world.log.filter(({ type }) => type === 'machine.observed').length;
    look(world, { free: 49e9 });
    assert.equal(seen(), 1, 'what makes no difference is not told');
    const declared = new CoreWorld(planOf(asks, { resources: { cpu: there(6) } }));
    atWork(declared);
    assert.deepEqual(live(declared), ['a', 'b']);
  });

  test('what there is changes while the run lives, but a resource that somebody asks for does not go away', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', ...takes('gpu') },
          { id: 'b', ...takes('gpu') },
        ],
        {
          resources: { gpu: there(1) },
        },
      ),
    );
    atWork(world);
    assert.deepEqual(live(world), ['a']);
    const change = (resources: Policies['resources']): boolean => {
      const { resources: _before, ...limits } = limitsOf(world.run.plan.policies);
      const all = resources === undefined ? limits : { ...limits, resources };
      return world.ask({ kind: 'set-limits', run: runId, limits: all, sources: null }).ok;
    };
    assert.equal(change(undefined), false);
    assert.equal(change({ gpu: there(2) }), true);
    atWork(world);
    assert.deepEqual(live(world), ['a', 'b']);
  });

  test('on a machine that has become smaller, who asks for more than there is has all of it', () => {
    const world = new CoreWorld(planOf(['a', 'b'].map((id) => ({ id, ...takes('cpu', 8) }))));
    look(world, { cpu: 2 });
    assert.deepEqual(live(world), ['a']);
    ends(world, 'a');
    assert.deepEqual(live(world), ['b']);
  });

  test('one that has waited for a level reserves what it asks for: small ones do not pass it for ever', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 's1', ...takes('gpu'), priority: 'high' },
          { id: 's2', ...takes('gpu'), priority: 'high' },
          { id: 'big', ...takes('gpu', 2), priority: 'high' },
          { id: 's3', ...takes('gpu'), on: ['s1'], priority: 'high' },
          { id: 's4', ...takes('gpu'), on: ['s2'], priority: 'high' },
        ],
        { resources: { gpu: there(2) }, agingMs: 60_000 },
      ),
    );
    atWork(world);
    assert.deepEqual(live(world), ['s1', 's2']);
    world.now += 30_000;
    ends(world, 's1');
    assert.deepEqual(live(world), ['s2', 's3'], 'one that has just come is passed');
    world.now += 30_000;
    ends(world, 's2');
    assert.deepEqual(live(world), ['s3'], 'one that has waited for a minute is not');
    assert.equal(waits(world, 's4'), 'resource:gpu');
    assert.match(
      why(world.state, world.run, world.worker('s4'), world.now),
      /20261121-1\/big has waited long and is to have it first/,
    );
    ends(world, 's3');
    assert.deepEqual(live(world), ['big']);
  });
});
