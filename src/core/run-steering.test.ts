import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../test/support/core-world.ts';
import { skippedWith } from './edges.ts';
import { why } from './why.ts';

const once = {
  maxAttempts: 1,
  backoff: 'fixed',
  initialMs: 0,
  maxMs: 0,
  from: 'clean',
} as const;

describe('steering a run of the core', () => {
  test('claims on the same files are taken one after the other', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a', owns: ['src/**'] },
        { id: 'b', owns: ['src/**'] },
      ]),
    );
    world.perform(world.intent('prepare-run') ?? assert.fail());
    assert.equal(world.worker('b').state, 'ready');
    assert.match(why(world.state, world.run, world.worker('b'), world.now), /a holds files/);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('claims on the same files only warn where the plan says so, and who waits for a person lends them', () => {
    const owners = [
      { id: 'a', owns: ['src/**'] },
      { id: 'b', owns: ['src/**'] },
    ];
    const warned = new CoreWorld(planOf(owners, { ownership: 'warn' }));
    warned.perform(warned.intent('prepare-run') ?? assert.fail());
    const prepared = warned.intents().filter(({ kind }) => kind === 'prepare-tree');
    assert.equal(prepared.length, 2);

    const world = new CoreWorld(planOf(owners));
    world.rest((intent, w) => {
      if (intent.kind !== 'watch' || intent.worker !== 'a') return null;
      const reports = [{ kind: 'ask', text: 'go?' } as const];
      const { run, worker, attempt } = intent;
      const from = { refused: [], reportOffset: 10, outputOffset: 0 };
      w.send({ kind: 'reports', run, worker, attempt, reports, ...from });
      return endOf(intent, { how: 'exited', code: 0 });
    });
    assert.deepEqual(
      ['a', 'b'].map((id) => world.worker(id).state),
      ['blocked', 'complete'],
    );
  });

  test('a false condition skips, and the skip travels unless the edge allows it', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a', when: 'false' },
        { id: 'b', on: ['a'] },
        { id: 'c', on: [{ on: 'a', allowSkipped: true }] },
      ]),
      () => false,
    );
    world.rest();
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => world.worker(id).state),
      ['skipped', 'skipped', 'complete'],
    );
  });

  test('skipping a worker of a run that was cancelled leaves the run cancelled; a retry takes it up again', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
    world.ask({ kind: 'cancel', run: runId, worker: null });
    world.rest();
    assert.equal(world.run.state, 'cancelled');
    assert.equal(world.ask({ kind: 'skip', run: runId, worker: 'a', satisfy: true }).ok, true);
    world.rest();
    assert.deepEqual([world.worker('a').state, world.worker('b').state], ['skipped', 'cancelled']);
    assert.equal(world.run.state, 'cancelled');
    assert.equal(
      world.ask({ kind: 'retry', run: runId, worker: 'b', note: null, clean: false }).ok,
      true,
    );
    world.rest();
    assert.equal(world.worker('b').state, 'complete');
    assert.equal(world.run.state, 'complete');
  });

  test('who is skipped for want of another is known before; what was skipped so stays so', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'a' },
        { id: 'b', on: ['a'] },
        { id: 'c', on: ['b'] },
        { id: 'd', on: ['e'] },
        { id: 'e' },
      ]),
    );
    assert.deepEqual(skippedWith(world.run, 'a'), ['b', 'c']);
    world.rest((intent, w) => {
      if (intent.kind === 'watch' && intent.worker === 'a')
        w.ask({ kind: 'cancel', run: runId, worker: 'a' });
      return intent.kind === 'watch' && intent.worker === 'a' ? { kind: 'tick' } : null;
    });
    assert.deepEqual(skippedWith(world.run, 'a'), ['b', 'c'], 'blocked by it meanwhile');
    const skip = { kind: 'skip', run: runId, worker: 'a' } as const;
    assert.equal(world.ask({ ...skip, satisfy: false }).ok, true);
    world.rest();
    assert.deepEqual(
      ['a', 'b', 'c', 'd'].map((id) => world.worker(id).state),
      ['skipped', 'skipped', 'skipped', 'complete'],
    );
    assert.equal(world.ask({ ...skip, satisfy: false }).ok, true, 'said twice');
    assert.equal(world.ask({ ...skip, satisfy: true }).ok, false);
  });

  test('cancel stops a live attempt, keeps its work, and blocks its dependents', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
    world.rest((intent, w) => {
      if (intent.kind === 'watch') w.ask({ kind: 'cancel', run: runId, worker: 'a' });
      return intent.kind === 'watch' ? { kind: 'tick' } : null;
    });
    assert.equal(world.worker('a').state, 'cancelled');
    assert.equal(world.worker('b').state, 'blocked');
    assert.equal(world.run.state, 'failed');
    assert.equal(world.ask({ kind: 'skip', run: runId, worker: 'a', satisfy: true }).ok, true);
    world.rest();
    assert.equal(world.worker('b').state, 'complete');
    assert.equal(world.run.state, 'complete');
  });

  test('nothing of a run that is being cancelled goes on, and cancelling again cancels what is left', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
    world.rest(undefined, (intent) => intent.kind === 'watch');
    world.ask({ kind: 'cancel', run: runId, worker: null });
    const stop = world.intent('stop', 'b');
    assert.ok(stop !== undefined);
    world.perform(stop);
    world.rest(undefined, (intent) => intent.kind === 'stop');
    assert.equal(world.worker('b').state, 'cancelled');
    assert.equal(world.worker('a').state, 'active');
    const place = { run: runId, worker: 'b' };
    for (const request of [
      { kind: 'retry', ...place, note: null, clean: false },
      { kind: 'retry-failed', run: runId },
      { kind: 'submit', ...place, tree: { exists: true, unfinished: null } },
      { kind: 'answer', ...place, text: 'so' },
      { kind: 'unblock', ...place, note: null },
    ] as const) {
      const decision = world.ask(request);
      assert.ok(
        !decision.ok &&
          decision.rejection.exit === 4 &&
          /being cancelled/.test(decision.rejection.what),
      );
    }
    world.rest();
    assert.equal(world.run.state, 'cancelled');
    assert.ok(world.ask({ kind: 'retry', run: runId, worker: 'b', note: null, clean: false }).ok);
    world.rest();
    assert.equal(world.worker('b').state, 'complete');
  });

  test('a loop that is told to end at once stops checks, which run again without a verdict', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['true'] }]));
    while (world.intent('check', 'a') === undefined) {
      world.perform(world.intents()[0] ?? assert.fail());
    }
    world.stopping = true;
    assert.deepEqual(
      world.intents().filter(({ kind }) => kind !== 'publish'),
      [],
    );
    world.stopping = false;
    world.rest();
    assert.equal(world.worker('a').state, 'complete');
  });

  test('a worker that started on verified work waits for its merge once that work is sent back', () => {
    const world = new CoreWorld(
      planOf(
        [{ id: 'a' }, { id: 'b', on: [{ on: 'a', kind: 'sequential', requires: 'verified' }] }],
        { maxRework: 0 },
      ),
    );
    let held = true;
    world.rest((intent) => {
      if (intent.kind === 'build-merge' && intent.worker === 'a' && held) {
        held = false;
        return {
          kind: 'merge-conflict',
          run: runId,
          worker: 'a',
          base: intent.base,
          tip: intent.tip,
          files: ['x'],
          messages: [],
        };
      }
      return null;
    });
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(world.worker('b').state, 'merging');
    assert.equal(world.run.state, 'waiting');
    assert.equal(world.log.filter((event) => event.type === 'dependency.superseded').length, 2);
    world.ask({ kind: 'cancel', run: runId, worker: 'a' });
    assert.equal(world.worker('b').blockedBy, 'a');
    world.ask({ kind: 'retry', run: runId, worker: 'a', note: null, clean: false });
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(world.run.mergedOrder, ['a', 'b']);
  });

  test('landing is refused before the run is complete, and lands the tree whose gates passed', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['t'] }]));
    const land = {
      kind: 'land',
      run: runId,
      target: 'main',
      mode: 'merge',
      partial: false,
      onto: 'base',
    } as const;
    assert.equal(world.ask(land).ok, false);
    world.rest();
    assert.equal(world.ask(land).ok, true);
    world.rest();
    assert.equal(world.run.landed?.commit, 'landing');
    assert.ok(
      world.log.some((event) => event.type === 'gate.started' && event.data.subject === 'land'),
    );
  });

  test('an effect that keeps failing gives up without losing anything', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.rest((intent) =>
      intent.kind === 'collect'
        ? {
            kind: 'effect-failed',
            run: runId,
            worker: 'a',
            attempt: 1,
            key: intent.key,
            effect: 'collect',
            error: 'disk full',
          }
        : null,
    );
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(world.worker('a').block?.kind, 'infrastructure');
  });

  test('a run whose only ready worker waits for the claim of one that waits for a person is waiting', () => {
    const verified = { kind: 'sequential', requires: 'verified' } as const;
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', verify: ['v'] },
          { id: 'b', owns: ['x/**'], on: [{ on: 'a', ...verified }] },
          { id: 'c', owns: ['x/**'], on: [{ on: 'b', ...verified }] },
        ],
        { checks: ['all'] },
      ),
    );
    world.rest(
      (intent) =>
        intent.kind === 'build-merge'
          ? {
              kind: 'merge-conflict',
              run: runId,
              worker: intent.worker,
              base: intent.base,
              tip: intent.tip,
              files: ['f'],
              messages: [],
            }
          : null,
      (intent) => intent.kind === 'build-merge' && world.worker('b').attempts === 0,
    );
    assert.deepEqual(
      ['a', 'b', 'c'].map((id) => world.worker(id).state),
      ['blocked', 'merging', 'ready'],
    );
    assert.equal(world.run.state, 'waiting');
    world.ask({ kind: 'unblock', run: runId, worker: 'a', note: null });
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('failures that are retried together free everyone behind them, and no one names a cause that is gone', () => {
    const world = new CoreWorld(
      planOf([
        { id: 'b', retry: once },
        { id: 'c', on: ['b'] },
        { id: 'd', on: ['c'] },
        { id: 'e', retry: once },
        { id: 'f', on: ['d', 'e'] },
      ]),
    );
    const fails: Script = (intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 1 }) : null;
    world.rest(fails, (intent) => intent.kind === 'watch' && intent.worker === 'b');
    world.rest(fails);
    assert.equal(world.worker('f').blockedBy, 'e');
    assert.equal(world.worker('d').blockedBy, 'b');
    const seq = world.log.length;
    world.ask({ kind: 'retry-failed', run: runId });
    const blocked = world.log.slice(seq).filter((event) => event.type === 'worker.blocked');
    assert.deepEqual(blocked, []);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('a worker behind two failures is blocked by the one that is left when the other is retried', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'b' }, { id: 'c', on: ['a', 'b'] }, { id: 'd', on: ['c'] }]),
    );
    world.rest((intent) =>
      intent.kind === 'launch'
        ? {
            kind: 'launch-failed',
            run: runId,
            worker: intent.worker,
            attempt: intent.attempt,
            error: 'missing',
            final: true,
          }
        : null,
    );
    assert.equal(world.worker('d').blockedBy, 'a');
    world.ask({ kind: 'retry', run: runId, worker: 'a', note: null, clean: false });
    assert.deepEqual(
      ['c', 'd'].map((id) => world.worker(id).blockedBy),
      ['b', 'b'],
    );
  });

  test('a run that failed before anything could start is tried again as a whole', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.rest((intent) =>
      intent.kind === 'prepare-run'
        ? {
            kind: 'effect-failed',
            run: runId,
            worker: null,
            attempt: null,
            key: intent.key,
            effect: intent.kind,
            error: 'disk full',
          }
        : null,
    );
    assert.equal(world.run.state, 'failed');
    assert.equal(world.ask({ kind: 'retry-failed', run: runId }).ok, true);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });
});
