import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import { dayAccount } from './budget.ts';
import type { EventOf } from './events.ts';
import type { Budget, Limits } from './plan.ts';
import { waitingFor } from './schedule/grant.ts';

const none: Limits = { tokens: null, costUsd: null };

function limit(tokens: number, more: Partial<Budget> = {}): Budget {
  return {
    tokens: null,
    costUsd: null,
    realityMultiplier: 1.5,
    limit: tokens,
    onExceeded: 'block',
    ...more,
  };
}

const once = {
  maxAttempts: 1,
  backoff: 'fixed',
  initialMs: 0,
  maxMs: 0,
  from: 'clean',
} as const;

/** The agent of the worker reports so many tokens while it works. */
function reports(world: CoreWorld, worker: string, tokens: number, costUsd = 0): void {
  const attempt = world.worker(worker).attempts;
  const before = world.worker(worker).attempt?.reportOffset ?? 0;
  const usage = { input: tokens, output: 0, cached: 0, costUsd };
  world.send({
    kind: 'reports',
    run: runId,
    worker,
    attempt,
    reports: [{ kind: 'usage', usage }],
    refused: [],
    reportOffset: before + 1,
    outputOffset: 0,
  });
}

/** Effects until the agents of all these workers work. */
function atWork(world: CoreWorld): void {
  world.rest(undefined, ({ kind }) => kind === 'watch');
}

const stopIsDone: Script = (intent) =>
  intent.kind === 'stop' ? endOf(intent, { how: 'stopped', why: 'requested', code: null }) : null;

function told(world: CoreWorld): readonly string[] {
  return world.log
    .filter((one): one is EventOf<'budget.warned' | 'budget.exceeded'> & (typeof world.log)[0] =>
      ['budget.warned', 'budget.exceeded'].includes(one.type),
    )
    .map(({ type, data }) => `${type} ${data.scope}`);
}

function raise(world: CoreWorld, scope: 'worker' | 'run' | 'day', tokens: number, worker = 'a') {
  const who = scope === 'worker' ? worker : null;
  return world.ask({ kind: 'raise-budget', run: runId, scope, worker: who, tokens, costUsd: 0 });
}

describe('budgets of a run of the core', () => {
  test('a worker is warned of at 80 %, stopped at 100 % with its work kept, and goes on when its budget is raised', () => {
    const world = new CoreWorld(planOf([{ id: 'a', budget: limit(100) }]));
    atWork(world);
    reports(world, 'a', 79);
    assert.deepEqual(told(world), []);
    reports(world, 'a', 1);
    assert.deepEqual(told(world), ['budget.warned worker']);
    reports(world, 'a', 25);
    assert.deepEqual(told(world), ['budget.warned worker', 'budget.exceeded worker']);
    world.rest(stopIsDone);
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(world.worker('a').block?.kind, 'budget');
    assert.equal(world.run.state, 'waiting');
    assert.equal(
      world.ask({ kind: 'unblock', run: runId, worker: 'a', note: null }).ok,
      false,
      'a budget is raised, not unblocked',
    );
    assert.equal(raise(world, 'worker', 100).ok, true);
    assert.equal(world.worker('a').attempt?.continues, true);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('on_exceeded: fail fails, warn goes on', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a', budget: limit(10, { onExceeded: 'fail' }) },
        { id: 'b', budget: limit(10, { onExceeded: 'warn' }) },
      ]),
    );
    atWork(world);
    reports(world, 'a', 10);
    reports(world, 'b', 10);
    world.rest(stopIsDone);
    assert.deepEqual([world.worker('a').state, world.worker('b').state], ['failed', 'complete']);
  });

  test('work that ended well before its budget could stop it is not lost', () => {
    const world = new CoreWorld(planOf([{ id: 'a', budget: limit(10) }]));
    atWork(world);
    reports(world, 'a', 11);
    world.rest((intent) =>
      intent.kind === 'stop' ? endOf(intent, { how: 'exited', code: 0 }) : null,
    );
    assert.equal(world.run.state, 'complete');
  });

  test('fault 89: attempts count together, and a retry without anything left does not start', () => {
    const world = new CoreWorld(planOf([{ id: 'a', budget: limit(100) }]));
    atWork(world);
    reports(world, 'a', 70);
    world.rest(
      (intent) =>
        intent.kind === 'watch' && intent.attempt === 1
          ? endOf(intent, { how: 'lost', why: 'the machine was restarted' })
          : null,
      ({ kind }) => kind === 'watch' && world.worker('a').attempts === 2,
    );
    reports(world, 'a', 30);
    world.rest(stopIsDone);
    assert.equal(world.worker('a').block?.kind, 'budget');
    assert.equal(world.worker('a').usage.input, 100);
    world.ask({ kind: 'retry', run: runId, worker: 'a', note: null, clean: false });
    assert.equal(world.worker('a').state, 'ready');
    assert.equal(waitingFor(world.state, world.run, world.worker('a'), world.now)?.kind, 'budget');
    assert.equal(world.run.state, 'waiting');
  });

  test('fault 87: fifty workers under a budget of the run never promise more than it has', () => {
    const workers = Array.from({ length: 50 }, (_, n) => ({ id: `w${n}`, budget: limit(10) }));
    const world = new CoreWorld(
      planOf(workers, {
        maxParallel: 50,
        budget: { run: { tokens: 105, costUsd: null }, day: none },
      }),
    );
    atWork(world);
    const live = (): readonly string[] =>
      [...world.run.workers.values()].filter((one) => one.state === 'active').map(({ id }) => id);
    assert.equal(live().length, 10);
    for (const id of live()) reports(world, id, 4);
    world.rest((intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 0 }) : null,
    );
    assert.ok(world.run.spent.tokens <= 105, `${world.run.spent.tokens}`);
    assert.equal(world.run.state, 'waiting');
    assert.ok(raise(world, 'run', 1_000).ok);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('fault 86: usage that never arrives is charged as reserved, and said to be estimated', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a', budget: limit(30) }], {
        budget: { run: { tokens: 100, costUsd: null }, day: none },
      }),
    );
    world.rest();
    const { usage } = world.worker('a');
    assert.deepEqual([usage.input, usage.source], [30, 'estimated']);
    assert.equal(world.run.spent.tokens, 30);
  });

  test('fault 89: what a day has used and was given stays, also when the clock is set back over midnight', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a', budget: limit(1_000) }], {
        budget: { run: none, day: { tokens: 5_000, costUsd: null } },
      }),
    );
    atWork(world);
    const day = 86_400_000;
    const account = () => dayAccount(world.state, world.run, world.now);
    for (const [at, tokens] of [
      [day - 10, 100],
      [day + 5, 20],
      [day - 5, 300],
    ] as const) {
      world.now = at;
      reports(world, 'a', tokens);
    }
    assert.equal(account().used.tokens, 400);
    assert.ok(raise(world, 'day', 50).ok);
    world.now = day + 10;
    reports(world, 'a', 1);
    assert.deepEqual([account().used.tokens, account().limit.tokens], [21, 5_000]);
    world.now = day - 1;
    assert.deepEqual([account().used.tokens, account().limit.tokens], [400, 5_050]);
  });

  test('a budget of the run that is used up sends what lives back to ready, and the day begins anew at midnight', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', budget: limit(60, { onExceeded: 'warn' }) },
          { id: 'b', budget: limit(40, { onExceeded: 'warn' }) },
        ],
        { budget: { run: none, day: { tokens: 100, costUsd: null } } },
      ),
    );
    atWork(world);
    reports(world, 'a', 90);
    assert.deepEqual(told(world).at(-1), 'budget.warned day');
    reports(world, 'b', 10);
    assert.deepEqual(told(world).at(-1), 'budget.exceeded day');
    for (const [kind, worker] of [
      ['stop', 'a'],
      ['stop', 'b'],
      ['collect', 'a'],
      ['collect', 'b'],
    ] as const)
      world.perform(world.intent(kind, worker) ?? assert.fail(), stopIsDone);
    assert.deepEqual([world.worker('a').state, world.worker('b').state], ['ready', 'ready']);
    assert.equal(world.run.state, 'waiting');
    const day = world.run.day?.day;
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.notEqual(world.run.day?.day, day);
  });

  test('what a day was raised by counts in every run: the warning comes again, in whichever it is due', () => {
    const plan = planOf([{ id: 'a', budget: limit(60, { onExceeded: 'warn' }) }], {
      budget: { run: none, day: { tokens: 100, costUsd: null } },
    });
    const world = new CoreWorld(plan);
    const ofDay = () => told(world).filter((one) => one.endsWith(' day'));
    atWork(world);
    reports(world, 'a', 80);
    assert.deepEqual(ofDay(), ['budget.warned day']);
    const other = '20261121-2';
    world.send({
      kind: 'start-run',
      by: 'user',
      run: other,
      plan,
      base: { ref: 'main', commit: 'base', dirty: 0 },
      integration: `czar/${other}-integration`,
      target: 'main',
      scope: null,
    });
    const more = { scope: 'day', worker: null, tokens: 100, costUsd: 0 } as const;
    assert.ok(world.ask({ kind: 'raise-budget', run: other, ...more }).ok);
    const account = dayAccount(world.state, world.run, world.now);
    assert.deepEqual([account.used.tokens, account.limit.tokens], [80, 200]);
    reports(world, 'a', 79);
    assert.deepEqual(ofDay(), ['budget.warned day']);
    reports(world, 'a', 1);
    assert.deepEqual(ofDay(), ['budget.warned day', 'budget.warned day']);
  });

  test('an attempt that reported nothing is charged however it ended, and a failure stays a failure', () => {
    const plan = planOf(
      [
        { id: 'a', budget: limit(30) },
        { id: 'b', budget: limit(30), retry: { ...once, maxAttempts: 2 } },
      ],
      { budget: { run: { tokens: 100, costUsd: null }, day: none } },
    );
    const world = new CoreWorld(plan);
    atWork(world);
    assert.ok(world.ask({ kind: 'pause', run: runId, worker: 'a' }).ok);
    world.rest((intent) => {
      if (intent.kind === 'watch') return endOf(intent, { how: 'exited', code: 1 });
      return stopIsDone(intent, world);
    });
    assert.deepEqual([world.worker('a').state, world.worker('a').usage.input], ['paused', 30]);
    assert.deepEqual([world.worker('b').state, world.worker('b').usage.input], ['ready', 30]);
    assert.ok(world.log.some((event) => event.type === 'worker.error' && event.worker === 'b'));
  });

  test('what has no limit is not raised', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    for (const scope of ['worker', 'run', 'day'] as const)
      assert.equal(raise(world, scope, 10).ok, false, scope);
  });
});
