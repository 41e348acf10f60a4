import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CoreWorld,
  endOf,
  planOf,
  runId,
  type Script,
  type WorkerSketch,
} from '../../test/support/core-world.ts';
import { waitingFor } from './schedule/grant.ts';
import type { Plan } from './plan.ts';
import { schedule } from './schedule.ts';
import { agentNameOf, nextAgent } from './schedule/which-agent.ts';

const names = ['first', 'second', 'third'];

/** A plan whose workers have the agent `first`, and two that may take its place. */
function plan(sketches: readonly WorkerSketch[], fallback = ['second', 'third']): Plan {
  const made = planOf(
    sketches.map((one) => ({ agent: { name: 'first', why: 'default' }, fallback, ...one })),
  );
  const agents = Object.fromEntries(
    names.map((name) => [name, { name, adapter: 'command' as const, command: [name], env: [] }]),
  );
  return { ...made, agents };
}

/** Attempts of the worker are turned away until then, in their order; those after them go well. */
function turnedAway(worker: string, ...until: readonly (number | null)[]): Script {
  return (intent) => {
    if (intent.kind !== 'watch' || intent.worker !== worker) return null;
    const end = until[intent.attempt - 1];
    if (end === undefined) return null;
    const ended = endOf(intent, { how: 'exited', code: 1 });
    return ended.kind === 'attempt-ended'
      ? { ...ended, judgement: { kind: 'quota', reason: 'no more', until: end } }
      : ended;
  };
}

/** Who made each attempt of the worker, with why, and when it began. */
function startsOf(world: CoreWorld, id: string): readonly (readonly unknown[])[] {
  return world.log.flatMap((event) =>
    event.type === 'worker.started' && event.worker === id
      ? [[event.data.agent?.name ?? 'first', event.data.agent?.why ?? null, event.at]]
      : [],
  );
}

describe('an agent that has no quota', () => {
  test('reviews what another has made in its place as soon as it has quota again', () => {
    const review = { agents: ['first'], person: false, quorum: 1 };
    const world = new CoreWorld(plan([{ id: 'a', review }]));
    const until = world.now + 3_600_000;
    world.rest(turnedAway('a', until));
    assert.equal(world.run.state, 'complete');
    const reviewed = world.log.find(({ type }) => type === 'review.started');
    assert.equal(reviewed?.at, until);
    assert.equal(startsOf(world, 'a').length, 2);
  });

  test('is replaced at once by the next one that has, which begins in the tree of the other, in a session of its own', () => {
    const world = new CoreWorld(plan([{ id: 'a' }]));
    const { now } = world;
    const away = turnedAway('a', now + 3_600_000);
    world.rest((intent, w) => {
      if (intent.kind === 'watch' && intent.attempt === 1)
        w.send({
          kind: 'reports',
          run: runId,
          worker: 'a',
          attempt: 1,
          reports: [{ kind: 'session', id: 's1' }],
          refused: [],
          reportOffset: 0,
          outputOffset: 10,
        });
      return away(intent, w);
    });
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(startsOf(world, 'a'), [
      ['first', null, now],
      ['second', 'first has no quota', now],
    ]);
    const { failures, attempts, attempt, session } = world.worker('a');
    assert.deepEqual([failures, attempts, attempt?.continues], [0, 2, true]);
    // Whose session it is stands beside it: another agent takes up none of it.
    assert.deepEqual(
      [session?.agent, agentNameOf(world.run, world.worker('a'))],
      ['first', 'second'],
    );
    const ready = world.log.find(
      ({ type, data }) => type === 'worker.ready' && 'counts' in data && data.counts === 'quota',
    );
    assert.deepEqual(ready !== undefined && 'away' in ready.data && ready.data.away, {
      agent: 'first',
      until: now + 3_600_000,
    });
  });

  test('is waited for when nobody else has any either: until the first of them has some', () => {
    const world = new CoreWorld(plan([{ id: 'a' }, { id: 'b', on: ['a'] }]));
    const { now } = world;
    const script = turnedAway('a', now + 90_000, now + 30_000, now + 60_000);
    while (world.worker('a').quotaInRow < 3)
      world.perform(world.intents()[0] ?? assert.fail(), script);
    assert.deepEqual(waitingFor(world.state, world.run, world.worker('a'), now), {
      kind: 'quota',
      until: now + 30_000,
    });
    assert.equal(schedule(world.state, { now, stopping: false }).wakeAt, now + 30_000);
    world.rest(script);
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(startsOf(world, 'a').at(-1), ['second', 'first has no quota', now + 30_000]);
    // Its own agent is back, or not: that is asked for each attempt anew.
    assert.deepEqual(startsOf(world, 'b'), [['second', 'first has no quota', now + 30_000]]);
    world.now = now + 90_000;
    assert.deepEqual(nextAgent(world.state, world.run, 'a', world.now), {
      name: 'first',
      why: null,
      until: null,
    });
  });

  test('is replaced for everybody who has others, and waited for by who has none, in every run', () => {
    const made = plan([{ id: 'a' }, { id: 'b' }]);
    const alone = made.workers.map(({ fallback, ...one }) =>
      one.id === 'b' ? one : { ...one, ...(fallback === undefined ? {} : { fallback }) },
    );
    const world = new CoreWorld({
      ...made,
      workers: alone,
      policies: { ...made.policies, maxParallel: 1 },
    });
    const until = world.now + 50_000;
    world.rest(turnedAway('a', until));
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(startsOf(world, 'b'), [['first', null, until]]);
  });

  test('is tried again when a person takes up the worker that it turned away', () => {
    const world = new CoreWorld(plan([{ id: 'a' }]));
    const script = turnedAway('a', world.now + 90_000, world.now + 90_000, world.now + 90_000);
    while (world.worker('a').quotaInRow < 3)
      world.perform(world.intents()[0] ?? assert.fail(), script);
    for (const kind of ['pause', 'resume'] as const)
      assert.ok(world.ask({ kind, run: runId, worker: 'a' }).ok);
    assert.equal(world.worker('a').state, 'starting');
    assert.equal(agentNameOf(world.run, world.worker('a')), 'first');
  });
});

describe('an agent that is not installed', () => {
  test('is replaced from the start, which the log says of the run and of the attempt', () => {
    const world = new CoreWorld(plan([{ id: 'a' }]), undefined, { missing: ['first', 'second'] });
    world.rest();
    assert.deepEqual(startsOf(world, 'a'), [
      ['third', 'first is not installed, second is not installed', 1_000],
    ]);
    const told = world.log.flatMap((one) => (one.type === 'agents.missing' ? [one.data] : []));
    assert.deepEqual(told, [{ agents: ['first', 'second'] }]);
  });

  test('works again once it is there, and its absence is told once', () => {
    const world = new CoreWorld(plan([{ id: 'a' }, { id: 'b', on: ['a'] }]), undefined, {
      missing: ['first'],
    });
    world.rest(undefined, ({ kind }) => kind === 'watch');
    for (const agents of [['first'], [], []])
      assert.ok(world.ask({ kind: 'set-missing-agents', run: runId, agents }).ok);
    world.rest();
    assert.deepEqual(
      ['a', 'b'].map((id) => startsOf(world, id)[0]?.slice(0, 2)),
      [
        ['second', 'first is not installed'],
        ['first', null],
      ],
    );
    assert.equal(world.log.filter(({ type }) => type === 'agents.missing').length, 2);
  });

  test('is tried all the same when nobody is installed: its launch says what is wrong', () => {
    const world = new CoreWorld(plan([{ id: 'a' }]), undefined, { missing: names });
    world.rest((intent) =>
      intent.kind === 'launch'
        ? {
            kind: 'launch-failed',
            run: runId,
            worker: 'a',
            attempt: intent.attempt,
            error: 'first is not on the PATH',
            final: true,
          }
        : null,
    );
    assert.deepEqual(
      [world.run.state, world.worker('a').reason],
      ['failed', 'first is not on the PATH'],
    );
  });
});

test('what another agent costs is counted by its own price', () => {
  const made = plan([{ id: 'a', model: 'big' }]);
  const price = (input: number) => ({ input, output: 0, cached: 0 });
  const prices = { big: price(1), second: price(7) };
  const world = new CoreWorld({ ...made, policies: { ...made.policies, prices } });
  const away = turnedAway('a', world.now + 60_000);
  world.rest((intent, w) => {
    if (intent.kind === 'watch' && intent.attempt === 2)
      w.send({
        kind: 'reports',
        run: runId,
        worker: 'a',
        attempt: 2,
        reports: [{ kind: 'usage', usage: { input: 1e6, output: 0, cached: 0, costUsd: 0 } }],
        refused: [],
        reportOffset: 1,
        outputOffset: 0,
      });
    return away(intent, w);
  });
  assert.equal(world.worker('a').usage.costUsd, 7);
});
