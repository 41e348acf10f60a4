import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId } from '../../test/support/core-world.ts';
import { unread } from './unread.ts';
import { why } from './why.ts';

/** Asks, and gives the exit code that it becomes: 0 when it was taken. */
function code(world: CoreWorld, kind: 'pause' | 'resume', worker: string | null): number {
  return world.code({ kind, run: runId, worker });
}

describe('a run that is paused', () => {
  test('starts nothing, stops what runs, and goes on where it was', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'b', verify: ['v'] }, { id: 'c' }, { id: 'd', on: ['c'] }], {
        maxParallel: 3,
      }),
    );
    world.rest(
      undefined,
      (intent) => intent.kind === 'check' || (intent.kind === 'watch' && intent.worker !== 'b'),
    );
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => world.worker(id).state),
      ['active', 'verifying', 'active', 'pending'],
    );
    assert.equal(code(world, 'pause', null), 0);
    assert.equal(world.run.state, 'paused');
    world.rest();
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => world.worker(id).state),
      ['paused', 'paused', 'paused', 'pending'],
    );
    assert.deepEqual(world.intents(), []);
    const starts = world.log.filter((event) => event.type === 'worker.started').length;
    assert.equal(code(world, 'resume', null), 0);
    assert.equal(world.run.state, 'running');
    world.rest();
    assert.equal(world.run.state, 'complete');
    const since = world.log.filter((event) => event.type === 'worker.started').length - starts;
    assert.equal(since, 3, 'a and c again, then d');
  });

  test('is not prepared, and says why a ready worker waits', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    code(world, 'pause', null);
    assert.deepEqual(world.intents(), []);
    assert.match(why(world.state, world.run, world.worker('a'), world.now), /its run is paused/);
    code(world, 'resume', null);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('takes with it what is retried or submitted meanwhile, until it is resumed', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
    world.rest(
      (intent) => (intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : null),
      (intent) => intent.kind === 'watch' && intent.worker === 'b',
    );
    assert.equal(world.worker('a').state, 'failed');
    code(world, 'pause', null);
    world.ask({
      kind: 'submit',
      run: runId,
      worker: 'a',
      tree: { exists: true, unfinished: null },
    });
    world.rest();
    assert.equal(world.run.state, 'paused');
    assert.equal(world.worker('a').state, 'paused');
    code(world, 'resume', null);
    world.rest();
    assert.equal(world.run.state, 'complete');
    const collected = world.log.filter(
      (event) => event.type === 'work.collected' && event.worker === 'a',
    );
    assert.equal(collected.length, 3, 'two failed attempts, and the tree that was submitted');
  });

  test('leaves a worker paused that was paused alone, before it, meanwhile, or while it was being stopped', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }, { id: 'd' }]));
    world.until('watch', 'a');
    code(world, 'pause', 'a');
    code(world, 'pause', null);
    code(world, 'pause', 'b');
    world.rest();
    assert.equal(code(world, 'pause', 'c'), 0);
    code(world, 'resume', null);
    world.rest();
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => world.worker(id).state),
      ['paused', 'paused', 'paused', 'complete'],
    );
    assert.equal(world.run.state, 'waiting');
  });

  test('resumed before its agents are stopped still takes them up again', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.until('watch', 'a');
    code(world, 'pause', null);
    code(world, 'resume', null);
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.equal(world.worker('a').attempts, 2);
  });

  test('carries a merge through whose gates have passed, and may end that way', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.until('commit-merge', 'a');
    code(world, 'pause', null);
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
    assert.equal(world.run.state, 'complete');
  });

  test('is cancelled like any other', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
    world.until('watch', 'a');
    code(world, 'pause', null);
    assert.ok(world.ask({ kind: 'cancel', run: runId, worker: null }).ok);
    assert.equal(code(world, 'resume', null), 4);
    world.rest();
    assert.equal(world.run.state, 'cancelled');
  });
});

describe('a worker that is paused while the plan is amended', () => {
  const amend = (world: CoreWorld, sketches: Parameters<typeof planOf>[0]): number => {
    const plan = planOf(sketches);
    return world.code({
      kind: 'amend',
      run: runId,
      plan: { ...plan, revision: 'r2' },
      scope: null,
    });
  };

  test('waits for the dependency that it was given, and goes on in its tree', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
    world.until('watch', 'a');
    code(world, 'pause', 'a');
    world.rest(undefined, (intent) => intent.kind === 'watch');
    assert.equal(world.worker('a').state, 'paused');
    assert.equal(amend(world, [{ id: 'a', on: ['b'], hash: 'h-2' }, { id: 'b' }]), 0);
    code(world, 'resume', 'a');
    assert.equal(world.worker('a').state, 'pending');
    world.rest();
    assert.equal(world.run.state, 'complete');
    const started = world.log.findLast((event) => event.type === 'worker.started');
    assert.ok(
      started?.type === 'worker.started' && started.worker === 'a' && started.data.continues,
    );
  });

  test('is judged anew before it is merged', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.until('build-merge', 'a');
    code(world, 'pause', 'a');
    assert.equal(amend(world, [{ id: 'a', deliverables: ['x'], hash: 'h-2' }]), 0);
    code(world, 'resume', 'a');
    assert.equal(world.worker('a').state, 'verifying');
    assert.equal(world.intent('judge', 'a')?.kind, 'judge');
  });
});

describe('fault 47: pause and resume while the other is under way', () => {
  for (const [asked, ends] of [
    [['pause', 'resume'], 'complete'],
    [['pause', 'resume', 'pause'], 'paused'],
    [['pause', 'resume', 'resume', 'pause', 'pause', 'resume'], 'complete'],
  ] as const) {
    for (const phase of ['prepare-tree', 'launch', 'watch'] as const) {
      for (const who of ['a', null]) {
        test(`${asked.join(', ')} of ${who ?? 'the run'} at ${phase} ends ${ends}`, () => {
          const world = new CoreWorld(planOf([{ id: 'a' }]));
          world.until(phase, 'a');
          for (const kind of asked) assert.equal(code(world, kind, who), 0, kind);
          world.rest();
          assert.equal((who === null ? world.run : world.worker(who)).state, ends);
          assert.equal(world.worker('a').failures, 0);
        });
      }
    }
  }
});

describe('pause, resume and tell', () => {
  test('change nothing when asked again, and nothing when refused', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }, { id: 'c' }]));
    world.rest(undefined, (intent) => intent.kind === 'watch' && intent.worker !== 'c');
    const same = (kind: 'pause' | 'resume', worker: string | null, expected: number): void => {
      const { seq } = world.state;
      assert.equal(code(world, kind, worker), expected, `${kind} ${worker}`);
      assert.equal(world.state.seq, seq, `${kind} ${worker} changes nothing`);
    };
    same('resume', 'a', 0);
    same('resume', null, 0);
    same('resume', 'c', 4);
    same('pause', 'c', 4);
    same('pause', 'nobody', 3);
    code(world, 'pause', 'b');
    same('pause', 'b', 0);
    world.perform(world.intent('stop', 'b') ?? assert.fail());
    world.rest(undefined, (intent) => intent.kind === 'watch');
    same('pause', 'b', 0);
    code(world, 'pause', null);
    same('pause', null, 0);
    world.rest();
    same('resume', 'a', 4);
    code(world, 'resume', null);
    code(world, 'resume', 'b');
    world.rest();
    assert.equal(world.run.state, 'complete');
    same('pause', null, 4);
    same('resume', null, 4);
  });

  test('what a person tells stands in the next prompt, also for a worker that runs or is paused', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
    world.rest(undefined, (intent) => intent.kind === 'watch' && intent.worker === 'a');
    const told = (worker: string): ReturnType<CoreWorld['ask']> =>
      world.ask({ kind: 'tell', run: runId, worker, text: 'use the other one' });
    assert.equal(told('a').ok, true);
    code(world, 'pause', 'a');
    world.rest();
    assert.equal(told('a').ok, true);
    code(world, 'resume', 'a');
    assert.deepEqual(unread(world.worker('a')), [], 'its second prompt has both');
    const notes = world.worker('a').notes.filter((note) => note.kind === 'note');
    assert.deepEqual(
      notes.map((note) => note.text),
      ['use the other one', 'use the other one'],
    );
    assert.equal(world.worker('a').attempt?.n, 2);
    const refused = told('b');
    assert.ok(
      !refused.ok && refused.rejection.exit === 4 && /no next prompt/.test(refused.rejection.what),
    );
  });

  test('what is told after the last prompt is unread when the worker is done, and what came before is not', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    const tell = (text: string): void => {
      assert.ok(world.ask({ kind: 'tell', run: runId, worker: 'a', text }).ok);
    };
    tell('before');
    world.rest(undefined, (intent) => intent.kind === 'watch');
    tell('while it runs');
    assert.deepEqual(unread(world.worker('a')), [], 'another prompt may come');
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
    assert.deepEqual(unread(world.worker('a')), ['while it runs']);
  });

  test('nothing of a run that is being cancelled is paused or resumed', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.until('watch', 'a');
    world.ask({ kind: 'cancel', run: runId, worker: null });
    for (const kind of ['pause', 'resume'] as const)
      for (const worker of ['a', null]) assert.equal(code(world, kind, worker), 4);
  });
});
