import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import { why } from './why.ts';

/** Asks, and gives the exit code that it becomes: 0 when it was taken. */
function code(world: CoreWorld, kind: 'pause' | 'resume', worker: string | null): number {
  return world.code({ kind, run: runId, worker });
}

const asks: Script = (intent) =>
  intent.kind !== 'watch'
    ? null
    : {
        kind: 'reports',
        run: runId,
        worker: intent.worker,
        attempt: intent.attempt,
        reports: [{ kind: 'ask', text: 'which?' }],
        refused: [],
        reportOffset: 10,
        outputOffset: 0,
      };

describe('a worker that is paused', () => {
  test('is stopped first, starts nothing, and goes on in its tree when it is resumed', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
    world.until('watch', 'a');
    assert.equal(code(world, 'pause', 'a'), 0);
    assert.equal(world.worker('a').state, 'active', 'its agent lives until it is stopped');
    assert.equal(world.intent('stop', 'a')?.kind, 'stop');
    world.rest();
    assert.equal(world.worker('a').state, 'paused');
    assert.equal(world.worker('b').state, 'pending', 'a pause is no failure');
    assert.equal(world.run.state, 'waiting');
    assert.match(
      why(world.state, world.run, world.worker('a'), world.now),
      /^a is paused: paused by a person\.$/,
    );

    assert.equal(code(world, 'resume', 'a'), 0);
    const started = world.log.findLast((event) => event.type === 'worker.started');
    assert.ok(started?.type === 'worker.started' && started.data.continues);
    assert.equal(world.worker('a').failures, 0);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('is paused, and goes on, at once where nothing of it runs: pending, ready, blocked', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'b', on: ['a'] }, { id: 'c' }], { maxParallel: 1 }),
    );
    world.until('watch', 'a');
    for (const id of ['b', 'c']) {
      const { state } = world.worker(id);
      assert.equal(code(world, 'pause', id), 0);
      assert.equal(world.worker(id).state, 'paused');
      assert.equal(code(world, 'resume', id), 0);
      assert.equal(world.worker(id).state, state);
    }
    assert.equal(code(world, 'pause', 'c'), 0);
    world.rest();
    assert.equal(world.worker('b').state, 'complete');
    assert.equal(world.worker('c').attempts, 0);
    assert.equal(world.run.state, 'waiting');
    assert.equal(code(world, 'resume', 'c'), 0);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('asks what it asked before when it is resumed, its finding in the next prompt once', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    let asked = false;
    world.rest((intent, w) => {
      const said = asked ? null : asks(intent, w);
      asked ||= said !== null;
      return said;
    });
    assert.equal(world.worker('a').block?.kind, 'question');
    assert.equal(code(world, 'pause', 'a'), 0);
    for (const request of [
      { kind: 'answer', run: runId, worker: 'a', text: 'so' },
      { kind: 'unblock', run: runId, worker: 'a', note: null },
    ] as const) {
      const decision = world.ask(request);
      assert.ok(!decision.ok && decision.rejection.exit === 4, request.kind);
      assert.match(decision.rejection.what, /is paused/);
    }
    assert.equal(code(world, 'resume', 'a'), 0);
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(world.worker('a').block?.text, 'which?');
    assert.equal(world.worker('a').notes.filter((note) => note.kind === 'finding').length, 1);
    world.ask({ kind: 'answer', run: runId, worker: 'a', text: 'so' });
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('whose agent asks while it is being stopped is blocked by the question when it is resumed', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.until('watch', 'a');
    const watch = world.intent('watch', 'a') ?? assert.fail();
    world.perform(watch, asks);
    code(world, 'pause', 'a');
    world.rest();
    assert.equal(world.worker('a').state, 'paused');
    code(world, 'resume', 'a');
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(world.worker('a').block?.kind, 'question');
  });

  test('whose agent ended well before the stop reached it has its work committed, and goes on to its gates', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['v'] }]));
    world.until('watch', 'a');
    code(world, 'pause', 'a');
    world.perform(world.intent('stop', 'a') ?? assert.fail(), (intent) =>
      intent.kind === 'stop' ? endOf(intent, { how: 'exited', code: 0 }) : null,
    );
    const collect = world.intent('collect', 'a');
    assert.ok(collect?.kind === 'collect' && collect.commit === 'all');
    world.rest();
    assert.equal(world.worker('a').state, 'paused');
    code(world, 'resume', 'a');
    assert.equal(world.worker('a').state, 'verifying');
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
    assert.equal(world.worker('a').attempts, 1);
  });

  test('stops its check, whose slot is free at once, and is judged again when it is resumed', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', verify: ['v'] },
          { id: 'b', verify: ['w'] },
        ],
        { maxParallelChecks: 1 },
      ),
    );
    world.until('check', 'a');
    code(world, 'pause', 'a');
    assert.deepEqual(
      world.intents().filter((intent) => intent.kind === 'check' && intent.worker === 'a'),
      [],
    );
    world.rest();
    assert.equal(world.worker('a').state, 'paused');
    assert.equal(world.worker('b').state, 'complete');
    code(world, 'resume', 'a');
    assert.equal(world.worker('a').state, 'verifying');
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('goes back into the queue when its merge was not through; one that is through is carried on', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.until('build-merge', 'a');
    assert.equal(code(world, 'pause', 'a'), 0);
    world.rest();
    assert.equal(world.worker('a').state, 'paused');
    assert.equal(world.worker('a').merge, null);
    code(world, 'resume', 'a');
    assert.equal(world.worker('a').state, 'merging');
    world.until('commit-merge', 'a');
    assert.equal(code(world, 'pause', 'a'), 4);
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
  });

  test('is blocked by the failure that is open when it is resumed, not by the one that was settled', () => {
    const plan = planOf([{ id: 'a' }, { id: 'b' }, { id: 'c', on: ['a', 'b'] }]);
    const broken =
      (id: string): Script =>
      (intent) =>
        intent.kind === 'launch' && intent.worker === id
          ? {
              kind: 'launch-failed',
              run: runId,
              worker: id,
              attempt: intent.attempt,
              error: 'missing',
              final: true,
            }
          : null;
    const world = new CoreWorld(plan);
    world.rest(broken('a'), (intent) => intent.kind === 'watch');
    assert.equal(world.worker('c').blockedBy, 'a');
    code(world, 'pause', 'c');
    world.rest((intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : null,
    );
    world.ask({ kind: 'retry', run: runId, worker: 'a', note: null, clean: false });
    code(world, 'resume', 'c');
    assert.equal(world.worker('c').blockedBy, 'b');
    world.ask({ kind: 'retry', run: runId, worker: 'b', note: null, clean: false });
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('holds neither a slot nor its claim', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', owns: ['x'] },
          { id: 'b', owns: ['x'] },
        ],
        { maxParallel: 1 },
      ),
    );
    world.until('watch', 'a');
    code(world, 'pause', 'a');
    world.rest();
    assert.deepEqual(
      ['a', 'b'].map((id) => world.worker(id).state),
      ['paused', 'complete'],
    );
  });

  test('may be submitted or cancelled; a cancel while it is being stopped wins', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
    world.until('watch', 'a');
    code(world, 'pause', 'a');
    code(world, 'pause', 'b');
    world.ask({ kind: 'cancel', run: runId, worker: 'b' });
    assert.equal(code(world, 'pause', 'b'), 4);
    world.rest();
    assert.equal(world.worker('b').state, 'cancelled');
    world.ask({
      kind: 'submit',
      run: runId,
      worker: 'a',
      tree: { exists: true, unfinished: null },
    });
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
  });
});
