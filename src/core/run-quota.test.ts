import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import { waitingFor } from './schedule/grant.ts';
import type { Plan, Policies } from './plan.ts';

/** A plan whose workers all have an agent of a provider. */
function plan(ids: readonly string[], policies: Partial<Policies> = {}): Plan {
  const made = planOf(
    ids.map((id) => ({ id })),
    policies,
  );
  const [name = ''] = made.workers.map((worker) => worker.agent.name);
  const agent = { name, adapter: 'claude', command: ['claude'], env: [] } as const;
  return { ...made, agents: { [name]: agent } };
}

/** The first attempt of the worker is turned away until then. */
function turnedAway(worker: string, until: number | null): Script {
  return (intent) => {
    if (intent.kind !== 'watch' || intent.worker !== worker || intent.attempt > 1) return null;
    const ended = endOf(intent, { how: 'exited', code: 1 });
    return ended.kind === 'attempt-ended'
      ? { ...ended, judgement: { kind: 'quota', reason: 'no more', until } }
      : ended;
  };
}

function startsOf(world: CoreWorld): readonly (readonly [string | undefined, number])[] {
  return world.log
    .filter(({ type }) => type === 'worker.started')
    .map(({ worker, at }) => [worker, at]);
}

describe('an agent of a provider', () => {
  test('starts a moment after the one before it, as far apart as the plan says', () => {
    for (const [policies, apart] of [
      [{ maxParallel: 9 }, 200],
      [{ maxParallel: 9, staggerMs: 0 }, 0],
      [{ maxParallel: 9, staggerMs: 5_000 }, 5_000],
    ] as const) {
      const world = new CoreWorld(plan(['a', 'b', 'c'], policies));
      world.rest(undefined, ({ kind }) => kind === 'watch');
      const [first = 0, ...rest] = startsOf(world).map(([, at]) => at);
      assert.deepEqual(rest, [first + apart, first + 2 * apart]);
    }
  });

  test('that is turned away waits until its provider has more, and so does everybody else of it', () => {
    const world = new CoreWorld(plan(['a', 'b'], { maxParallel: 1 }));
    const until = world.now + 100_000;
    while (world.worker('a').quotaInRow === 0)
      world.perform(world.intents()[0] ?? assert.fail(), turnedAway('a', until));
    assert.deepEqual(
      ['a', 'b'].map((id) => waitingFor(world.state, world.run, world.worker(id), until - 1)?.kind),
      ['quota', 'quota'],
    );
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.ok(
      startsOf(world)
        .slice(1)
        .every(([, at]) => at >= until),
    );
    assert.deepEqual([world.worker('a').failures, world.worker('a').attempts], [0, 2]);
  });

  test('fault 45: an end of its quota that is over by this clock, or absurdly far, is no end', () => {
    for (const [until, least, most] of [
      [0, 60_000, 60_000],
      [1.7e300, 1, 8 * 86_400_000],
    ] as const) {
      const world = new CoreWorld(plan(['a']));
      while (world.worker('a').quotaInRow === 0)
        world.perform(world.intents()[0] ?? assert.fail(), turnedAway('a', until));
      const wait = (world.worker('a').notBefore ?? 0) - world.now;
      assert.ok(wait >= least && wait <= most, String(wait));
      for (const kind of ['pause', 'resume'] as const)
        assert.ok(world.ask({ kind, run: runId, worker: 'a' }).ok);
      assert.equal(world.worker('a').state, 'starting', 'a person knows better');
    }
  });

  test('that is turned away has used nothing, and lends its claim to others', () => {
    const first = plan(['a'], {
      maxParallel: 2,
      budget: { run: { tokens: 1_000, costUsd: null }, day: { tokens: null, costUsd: null } },
    });
    const budget = { tokens: 400, costUsd: null, realityMultiplier: 1, limit: 400 } as const;
    const workers = first.workers.map((one) => ({
      ...one,
      owns: ['src/**'],
      budget: { ...budget, onExceeded: 'block' as const },
    }));
    const world = new CoreWorld({ ...first, workers });
    while (world.worker('a').quotaInRow === 0)
      world.perform(world.intents()[0] ?? assert.fail(), turnedAway('a', world.now + 60_000));
    assert.deepEqual([world.run.spent.tokens, world.worker('a').claims], [0, false]);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('that is not told for how long waits longer each time', () => {
    const world = new CoreWorld(plan(['a']));
    const always: Script = (intent) => {
      if (intent.kind !== 'watch' || intent.attempt > 3) return null;
      const ended = endOf(intent, { how: 'exited', code: 1 });
      return ended.kind === 'attempt-ended'
        ? { ...ended, judgement: { kind: 'quota', reason: 'no more', until: null } }
        : ended;
    };
    world.rest(always);
    assert.equal(world.run.state, 'complete');
    const at = startsOf(world).map(([, when]) => when);
    const waits = at.slice(1).map((when, place) => Math.round((when - (at[place] ?? 0)) / 60_000));
    assert.deepEqual(waits, [1, 2, 4]);
  });

  test('goes on in its session when it goes on in its tree, and begins another in a clean one', () => {
    const world = new CoreWorld(plan(['a']));
    const reports: Script = (intent, w) => {
      if (intent.kind !== 'watch' || intent.attempt > 2) return null;
      w.send({
        kind: 'reports',
        run: runId,
        worker: 'a',
        attempt: intent.attempt,
        reports: [{ kind: 'session', id: `s${intent.attempt}` }],
        refused: [],
        reportOffset: 0,
        outputOffset: 10,
      });
      return intent.attempt === 1
        ? endOf(intent, { how: 'lost', why: 'gone' })
        : endOf(intent, { how: 'exited', code: 1 });
    };
    world.rest(reports, (intent) => intent.kind === 'watch' && intent.attempt === 2);
    assert.equal(world.worker('a').session?.id, 's1');
    world.rest(reports, (intent) => intent.kind === 'watch' && intent.attempt === 3);
    assert.equal(world.worker('a').session, null);
  });
});
