import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CoreWorld,
  endOf,
  planOf,
  runId,
  type WorkerSketch,
} from '../../test/support/core-world.ts';
import { deniedAfterMs, mostOpenAsks, openAsks } from './asks.ts';
import type { Report } from './events.ts';
import { schedule } from './schedule.ts';
import { why } from './why.ts';

const push = { kind: 'command', title: 'push it', command: 'git push' } as const;
const hour = 3_600_000;

let offset = 0;

/** A world in which `a` runs and has reported this. */
function reported(world: CoreWorld, reports: readonly Report[], worker = 'a'): CoreWorld {
  world.rest(undefined, ({ kind }) => kind === 'watch');
  say(world, reports, worker);
  return world;
}

function say(world: CoreWorld, reports: readonly Report[], worker = 'a'): void {
  const attempt = world.worker(worker).attempt?.n ?? 0;
  offset += 1;
  world.send({
    kind: 'reports',
    run: runId,
    worker,
    attempt,
    reports,
    refused: [],
    reportOffset: offset,
    outputOffset: 0,
  });
}

function asking(sketch: Partial<WorkerSketch> = {}): CoreWorld {
  return reported(new CoreWorld(planOf([{ id: 'a', ...sketch }])), [
    { kind: 'permission', id: 'p1', request: push },
  ]);
}

function answers(world: CoreWorld): readonly unknown[] {
  return world.intents().flatMap((intent) => {
    if (intent.kind !== 'answer') return [];
    const { id, decision, text } = intent;
    return [{ id, decision, text }];
  });
}

function pass(world: CoreWorld, ms: number): void {
  world.now += ms;
  world.send({ kind: 'tick' });
}

describe('what a running attempt waits for', () => {
  test('leaves it active, and says so; the run waits when nothing else goes on', () => {
    const world = asking();
    assert.equal(world.worker('a').state, 'active');
    assert.equal(world.run.state, 'waiting');
    assert.match(
      why(world.state, world.run, world.worker('a'), world.now),
      /waits for permission \(p1\): git push\.$/,
    );
    const other = reported(new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }])), [
      { kind: 'permission', id: 'p1', request: push },
    ]);
    assert.equal(other.run.state, 'running', 'b goes on');
  });

  for (const [kind, decision] of [
    ['approve', 'allow'],
    ['deny', 'deny'],
  ] as const) {
    test(`is brought to it once it is settled: ${kind}`, () => {
      const world = asking();
      const request = { run: runId, workers: ['a/p1'] };
      const asked = kind === 'deny' ? { kind, why: 'not today', ...request } : { kind, ...request };
      assert.equal(world.code(asked), 0);
      assert.equal(world.run.state, 'running');
      const text = kind === 'deny' ? 'not today' : null;
      assert.deepEqual(answers(world), [{ id: 'p1', decision, text }]);
      assert.deepEqual(
        answers(world),
        [{ id: 'p1', decision, text }],
        'as long as it is not there',
      );
      world.perform(world.intent('answer') ?? assert.fail());
      assert.deepEqual(answers(world), []);
      assert.equal(world.code(asked), 0, 'said again it changes nothing');
      const other = kind === 'deny' ? 'approve' : 'deny';
      assert.equal(world.code({ kind: other, run: runId, workers: ['a/p1'], why: null }), 4);
      assert.deepEqual(answers(world), []);
    });
  }

  test('is denied by the policy after ten minutes, and no earlier', () => {
    const world = asking();
    const { wakeAt } = schedule(world.state, { now: world.now, stopping: false });
    assert.equal(wakeAt, world.now + deniedAfterMs);
    pass(world, deniedAfterMs - 1);
    assert.deepEqual(answers(world), []);
    pass(world, 1);
    const answered = world.log.findLast((event) => event.type === 'permission.answered');
    assert.deepEqual(
      [answered?.data.by, answered?.data.decision, world.worker('a').state],
      ['policy', 'deny', 'active'],
    );
    assert.match(JSON.stringify(answers(world)), /"deny".*Find another way/);
    assert.equal(world.code({ kind: 'approve', run: runId, workers: ['a/p1'] }), 4);
  });

  test('is dealt with as its worker says: later, or by failing it; it is never skipped', () => {
    const later = asking({ unanswered: { instead: 'deny', afterMs: hour } });
    pass(later, deniedAfterMs);
    assert.deepEqual(answers(later), []);
    pass(later, hour);
    assert.equal(answers(later).length, 1);
    const skips = asking({ unanswered: { instead: 'skip', afterMs: 1 } });
    pass(skips, deniedAfterMs - 1);
    assert.deepEqual(answers(skips), []);
    pass(skips, 1);
    assert.equal(answers(skips).length, 1);
    const fails = asking({ unanswered: { instead: 'fail', afterMs: hour } });
    pass(fails, hour);
    fails.rest((intent) =>
      intent.kind === 'stop'
        ? endOf(intent, { how: 'stopped', why: 'requested', code: null })
        : null,
    );
    assert.equal(fails.worker('a').state, 'failed');
    assert.match(fails.worker('a').reason, /if_unanswered: fail/);
  });

  test('is settled with all others by approve and deny without names', () => {
    const world = reported(
      new CoreWorld(planOf([{ id: 'a' }, { id: 'b', approve: true }, { id: 'c' }])),
      [
        { kind: 'permission', id: 'p1', request: push },
        { kind: 'permission', id: 'p2', request: push },
      ],
    );
    assert.equal(world.code({ kind: 'approve', run: runId, workers: null }), 0);
    assert.deepEqual(
      answers(world).map((one) => JSON.stringify(one)),
      ['p1', 'p2'].map((id) => JSON.stringify({ id, decision: 'allow', text: null })),
    );
    world.rest(undefined, ({ kind }) => kind === 'watch');
    assert.equal(world.worker('b').state, 'active', 'its launch was approved with them');
    assert.equal(world.code({ kind: 'deny', run: runId, workers: null, why: null }), 4);
  });

  test('is answered for the attempt that asked, and for no other', () => {
    const world = asking();
    world.rest(
      (intent) =>
        intent.kind === 'watch' && intent.attempt === 1
          ? endOf(intent, { how: 'exited', code: 1 })
          : null,
      ({ kind, ...intent }) => kind === 'watch' && 'attempt' in intent && intent.attempt === 2,
    );
    assert.equal(world.worker('a').attempt?.n, 2);
    assert.equal(world.code({ kind: 'approve', run: runId, workers: ['a/p1'] }), 3);
    assert.equal(world.code({ kind: 'approve', run: runId, workers: ['nobody/p1'] }), 3);
    say(world, [{ kind: 'permission', id: 'p1001', request: push }]);
    assert.equal(world.code({ kind: 'approve', run: runId, workers: ['a/p1001', 'a/p9'] }), 3);
    assert.deepEqual(answers(world), [], 'all or none');
    world.send({ kind: 'answer-delivered', run: runId, worker: 'a', attempt: 1, id: 'p1001' });
    assert.ok(!world.story('a').includes('answer.delivered'), 'an outcome of the attempt before');
  });

  test('cannot change under its name, and is not without end', () => {
    const world = asking();
    say(world, [{ kind: 'permission', id: 'p1', request: { ...push, command: 'rm -rf /' } }]);
    assert.deepEqual(
      openAsks(world.worker('a')).map(({ what }) => what),
      [{ kind: 'permission', request: push }],
    );
    const many = Array.from({ length: 2 * mostOpenAsks }, (_, n): Report => ({
      kind: 'permission',
      id: `p${n + 2}`,
      request: push,
    }));
    say(world, many);
    assert.equal(openAsks(world.worker('a')).length, mostOpenAsks);
    const refused = world.log.filter((event) => event.type === 'worker.report_refused');
    assert.equal(refused.length, mostOpenAsks + 2);
  });

  test('is over when its agent waits no longer, also in the same breath', () => {
    const world = asking();
    say(world, [
      { kind: 'gave-up', id: 'p1' },
      { kind: 'permission', id: 'p2', request: push },
      { kind: 'gave-up', id: 'p2' },
      { kind: 'gave-up', id: 'p2' },
      { kind: 'gave-up', id: 'p3' },
    ]);
    assert.deepEqual(openAsks(world.worker('a')), []);
    assert.deepEqual(answers(world), [], 'nobody is there to be told');
    const settled = world.log.filter((event) => event.type === 'permission.answered');
    assert.deepEqual(
      settled.map(({ data }) => [data.id, data.by]),
      [
        ['p1', 'agent'],
        ['p2', 'agent'],
      ],
    );
    assert.equal(world.run.state, 'running');
    assert.equal(world.code({ kind: 'approve', run: runId, workers: ['a/p1'] }), 4);
  });

  test('is on record once when its agent tells of the denial too', () => {
    const world = asking();
    const denied = { kind: 'denied', tool: 'Bash' } as const;
    say(world, [{ ...denied, detail: 'git push' }]);
    assert.equal(world.code({ kind: 'deny', run: runId, workers: ['a/p1'], why: null }), 0);
    say(world, [
      { ...denied, detail: 'git push' },
      { ...denied, detail: 'git…' },
      { ...denied, detail: 'git' },
    ]);
    const told = world.log.filter((event) => event.type === 'permission.denied');
    assert.deepEqual(
      told.map(({ data }) => data.detail),
      ['git push', 'git'],
      'the first came before the answer, the last is another',
    );
  });

  test('is forgotten with its attempt', () => {
    const world = asking();
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
    assert.equal(world.run.state, 'complete');
  });

  test('is no stall', () => {
    const world = asking({ stall: { afterMs: 1_000, restart: true } });
    world.send({ kind: 'stalled', run: runId, worker: 'a', attempt: 1, silentMs: 1_000 });
    assert.equal(world.worker('a').stop, null);
  });
});

describe('a question that an attempt waits with', () => {
  const wait = { id: 'q1', ms: hour };

  test('is answered in place, and known to an attempt that begins anew', () => {
    const world = reported(new CoreWorld(planOf([{ id: 'a' }])), [
      { kind: 'ask', text: 'which?', wait },
    ]);
    assert.equal(world.worker('a').attempt?.stopWord, null, 'its turn does not end');
    assert.equal(world.code({ kind: 'approve', run: runId, workers: ['a/q1'] }), 4);
    assert.equal(world.code({ kind: 'answer', run: runId, worker: 'a', text: 'that one' }), 0);
    assert.deepEqual(answers(world), [{ id: 'q1', decision: 'allow', text: 'that one' }]);
    assert.deepEqual(
      world.worker('a').notes.map(({ kind, text }) => [kind, text]),
      [
        ['finding', 'which?'],
        ['answer', 'that one'],
      ],
    );
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
    assert.equal(world.code({ kind: 'answer', run: runId, worker: 'a', text: 'again' }), 4);
  });

  test('is named where there are several', () => {
    const world = reported(new CoreWorld(planOf([{ id: 'a' }])), [
      { kind: 'ask', text: 'which?', wait },
      { kind: 'ask', text: 'where?', wait: { ...wait, id: 'q2' } },
    ]);
    const answer = { kind: 'answer', run: runId, worker: 'a', text: 'here' } as const;
    assert.equal(world.code(answer), 4);
    assert.equal(world.code({ ...answer, ask: 'q2' }), 0);
    assert.equal(world.code({ ...answer, ask: 'q3' }), 4);
    assert.deepEqual(answers(world), [{ id: 'q2', decision: 'allow', text: 'here' }]);
  });

  test('has no answer when its time is over', () => {
    const world = reported(new CoreWorld(planOf([{ id: 'a' }])), [
      { kind: 'ask', text: 'which?', wait },
    ]);
    pass(world, hour);
    assert.match(JSON.stringify(answers(world)), /"q1","decision":"deny"/);
    assert.deepEqual(world.worker('a').notes, []);
  });
});
