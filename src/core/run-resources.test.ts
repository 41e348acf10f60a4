import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import {
  CoreWorld,
  endOf,
  planOf,
  runId,
  type WorkerSketch,
} from '../../test/support/core-world.ts';
import type { Machine } from './events.ts';
import { waitingFor } from './grant.ts';
import type { Capacity, Plan, Policies, ResourceMode, ResourceRequest } from './plan.ts';
import { heldOf, inUse, isBarred } from './resources.ts';
import type { RunState } from './state.ts';
import { waitingForWord, why } from './why.ts';

const secondRun = '20261121-2';

function there(amount: number | null, rates: Partial<Capacity> = {}): Capacity {
  return { amount, requestsPerMinute: null, tokensPerMinute: null, ...rates };
}

function takes(name: string, amount = 1, mode: ResourceMode = 'share') {
  const request: ResourceRequest = { amount, mode };
  return { resources: { [name]: request } };
}

/** Effects until the agents of all that may start work. */
function atWork(world: CoreWorld): void {
  for (;;) {
    const next = world.intents().find(({ kind }) => kind !== 'watch');
    if (next === undefined) return;
    world.perform(next);
  }
}

function start(world: CoreWorld, run: string, plan: Plan): void {
  const base = { ref: 'main', commit: 'base', dirty: 0 };
  const integration = `czar/${run}-integration`;
  const asked = { run, plan, base, integration, target: 'main', scope: null };
  assert.ok(world.ask({ kind: 'start-run', ...asked }).ok);
}

function runOf(world: CoreWorld, id: string): RunState {
  return world.state.runs.get(id) ?? assert.fail(id);
}

/** What a worker waits for, as `status` says it. */
function waits(world: CoreWorld, worker: string, run = runId): string | null {
  const of = runOf(world, run);
  const state = of.workers.get(worker) ?? assert.fail(worker);
  return waitingForWord(waitingFor(world.state, of, state, world.now));
}

function live(world: CoreWorld): readonly string[] {
  return [...world.state.runs.values()].flatMap((run) =>
    [...run.workers.values()]
      .filter(({ state }) => state === 'starting' || state === 'active')
      .map(({ id }) => (run.id === runId ? id : `${run.id}/${id}`)),
  );
}

function ends(world: CoreWorld, worker: string, code = 0): void {
  const watch = world.intent('watch', worker);
  assert.ok(watch?.kind === 'watch');
  world.send(endOf(watch, { how: 'exited', code }));
  atWork(world);
}

const machine: Machine = { cpu: 4, memory: 8e9, disk: 100e9, free: 50e9 };

function look(world: CoreWorld, seen: Partial<Machine>): void {
  world.send({ kind: 'machine-observed', machine: { ...machine, ...seen } });
  atWork(world);
}

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

describe('in every plan', () => {
  const modes: readonly ResourceMode[] = ['share', 'read', 'write', 'exclusive'];
  const request = fc.record({
    amount: fc.integer({ min: 0, max: 3 }),
    mode: fc.constantFrom(...modes),
  });
  const workers = fc.array(
    fc.record({ x: fc.option(request), y: fc.option(request), high: fc.boolean() }),
    { minLength: 1, maxLength: 7 },
  );

  test('no resource is ever held beyond what there is, nobody waits for ever, and nothing is left', () => {
    fc.assert(
      fc.property(
        fc.array(workers, { minLength: 1, maxLength: 2 }),
        fc.record({ x: fc.integer({ min: 1, max: 3 }), y: fc.integer({ min: 1, max: 3 }) }),
        fc.infiniteStream(fc.nat()),
        (runs, amounts, choices) => {
          const capacities = { x: there(amounts.x), y: there(amounts.y) };
          const plans = runs.map((sketches) =>
            planOf(
              sketches.map(({ x, y, high }, index): WorkerSketch => {
                const asked = { ...(x === null ? {} : { x }), ...(y === null ? {} : { y }) };
                return { id: `w${index}`, priority: high ? 'high' : 'low', resources: asked };
              }),
              { resources: capacities, agingMs: 10_000 },
            ),
          );
          const world = new CoreWorld(plans[0] ?? assert.fail());
          for (const [index, plan] of plans.entries())
            if (index > 0) start(world, `20261121-${index + 1}`, plan);
          for (let step = 0; ; step += 1) {
            assert.ok(step < 2_000, 'it comes to rest');
            checkHeld(world, amounts);
            const intents = world.intents();
            const next = intents[(choices.next().value ?? 0) % Math.max(1, intents.length)];
            if (next === undefined) break;
            world.now += 3_000;
            world.perform(next);
          }
          for (const run of world.state.runs.values()) assert.equal(run.state, 'complete');
          assert.deepEqual(inUse(world.state, world.now).holders, []);
        },
      ),
      { numRuns: 200 },
    );
  });

  function checkHeld(world: CoreWorld, amounts: Readonly<Record<string, number>>): void {
    const { holders } = inUse(world.state, world.now);
    for (const [name, amount] of Object.entries(amounts)) {
      assert.ok(heldOf(name, amount, holders) <= amount, `${name} is held beyond ${amount}`);
      const mine = holders.filter((one) => one.name === name);
      for (const [index, one] of mine.entries())
        for (const two of mine.slice(index + 1))
          assert.ok(!isBarred(one.request.mode, two.request.mode), `${name}: side by side`);
    }
  }

  test('a big request starts though small ones never end to come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat()),
        (levels, choices) => {
          const small = Array.from({ length: 60 }, (_, index): WorkerSketch => ({
            id: `s${index}`,
            priority: 'high',
            on: index < 2 ? [] : [`s${index - 2}`],
            ...takes('gpu'),
          }));
          const world = new CoreWorld(
            planOf([{ id: 'big', priority: 'low', ...takes('gpu', 2) }, ...small], {
              resources: { gpu: there(2) },
              agingMs: levels * 10_000,
              maxParallel: 8,
            }),
          );
          while (world.worker('big').state === 'ready' || world.worker('big').state === 'pending') {
            const intents = world.intents();
            const next = intents[(choices.next().value ?? 0) % Math.max(1, intents.length)];
            world.now += 1_000;
            world.perform(next ?? assert.fail('nothing goes on'));
          }
          const open = small.filter(({ id }) => world.worker(id).state === 'pending');
          assert.ok(open.length > 0, 'it starts before the last of the small ones');
        },
      ),
      { numRuns: 30 },
    );
  });
});
