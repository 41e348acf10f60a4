import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  CoreWorld,
  endOf,
  planOf,
  runId,
  treeVerdict,
  type Script,
} from '../../test/support/core-world.ts';
import type { AttemptEnd } from './events.ts';
import type { Intent } from './intents.ts';
import { why } from './why.ts';

const on = (kind: string, worker: string, outcome: Script): Script => {
  let done = false;
  return (intent, world) => {
    if (done || intent.kind !== kind || !('worker' in intent) || intent.worker !== worker)
      return null;
    done = true;
    return outcome(intent, world);
  };
};

const ends = (worker: string, end: AttemptEnd): Script =>
  on('watch', worker, (intent) => (intent.kind === 'watch' ? endOf(intent, end, ['boom']) : null));

const exits = (worker: string, code: number): Script => ends(worker, { how: 'exited', code });

describe('a run of the core', () => {
  test('walks one worker through exactly the states of the lifecycle', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['test'] }]));
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(
      world.story('a').filter((type) => type.startsWith('worker.')),
      [
        'worker.pending',
        'worker.ready',
        'worker.started',
        'worker.active',
        'worker.verifying',
        'worker.merging',
        'worker.merged',
        'worker.complete',
      ],
    );
  });

  test('starts a dependent the moment its own dependency is merged, not when the wave ends', () => {
    const world = new CoreWorld(
      planOf([{ id: 'quick' }, { id: 'slow' }, { id: 'next', on: ['quick'] }]),
    );
    world.rest(undefined, (intent) => intent.kind === 'watch' && intent.worker === 'slow');
    assert.equal(world.worker('slow').state, 'active');
    assert.equal(world.worker('next').state, 'complete');
  });

  test('a barrier holds the next wave until the one before is final', () => {
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'b' }, { id: 'c', on: ['a'] }], { barrier: 'wave' }),
    );
    world.perform(world.intent('prepare-run') ?? assert.fail());
    for (const kind of [
      'prepare-tree',
      'setup',
      'launch',
      'watch',
      'collect',
      'judge',
      'build-merge',
      'commit-merge',
    ] as const) {
      world.perform(world.intent(kind, 'a') ?? assert.fail(kind));
    }
    assert.equal(world.worker('c').state, 'ready');
    assert.match(why(world.state, world.run, world.worker('c'), world.now), /wave before/);
  });

  test('one that the barrier holds lends its claim to the wave before it: neither waits for the other', () => {
    const owns = ['x/**'];
    const world = new CoreWorld(
      planOf([{ id: 'a' }, { id: 'd', owns }, { id: 'c', on: ['a'], owns }], { barrier: 'wave' }),
    );
    const isOfC = (intent: Intent): boolean => intent.kind === 'watch' && intent.worker === 'c';
    world.rest(
      (intent) =>
        intent.kind === 'watch' && intent.worker === 'd'
          ? endOf(intent, { how: 'exited', code: 1 })
          : null,
      isOfC,
    );
    assert.deepEqual([world.worker('d').state, world.worker('c').state], ['failed', 'active']);
    world.ask({ kind: 'retry', run: runId, worker: 'd', note: null, clean: false });
    const watch = world.intent('watch', 'c');
    assert.ok(watch?.kind === 'watch');
    world.send(endOf(watch, { how: 'lost', why: 'the machine was restarted' }));
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(world.run.mergedOrder, ['a', 'd', 'c']);
  });

  test('starts the higher priority first, then the longer path behind', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a-low', priority: 'low' },
          { id: 'b-alone' },
          { id: 'c-long' },
          { id: 'd-critical', priority: 'critical' },
          { id: 'e-behind', priority: 'low', on: ['c-long'] },
        ],
        { maxParallel: 1 },
      ),
    );
    world.rest();
    const started = world.log.filter(({ type }) => type === 'worker.started');
    assert.deepEqual(
      started.map(({ worker }) => worker),
      ['d-critical', 'c-long', 'b-alone', 'a-low', 'e-behind'],
    );
  });

  test('never has more live attempts than max_parallel', () => {
    const world = new CoreWorld(
      planOf(
        ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id })),
        { maxParallel: 2 },
      ),
    );
    world.perform(world.intent('prepare-run') ?? assert.fail());
    assert.equal(world.intents().filter((intent) => intent.kind === 'prepare-tree').length, 2);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('tries a failed attempt again after its backoff, in a clean tree, then fails it', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
    const first = exits('a', 3);
    const second = exits('a', 4);
    world.rest((intent, w) => first(intent, w) ?? second(intent, w));
    assert.equal(world.worker('a').state, 'failed');
    assert.equal(world.worker('a').attempts, 2);
    assert.equal(world.worker('b').state, 'blocked');
    assert.equal(world.worker('b').blockedBy, 'a');
    assert.equal(world.run.state, 'failed');
    const started = world.log.filter((event) => event.type === 'worker.started');
    assert.ok((started[1]?.at ?? 0) - (started[0]?.at ?? 0) >= 5_000);
    assert.equal(
      world.ask({ kind: 'retry', run: runId, worker: 'b', note: null, clean: false }).ok,
      false,
    );
    assert.equal(
      world.ask({ kind: 'retry', run: runId, worker: 'a', note: 'try harder', clean: false }).ok,
      true,
    );
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.ok(world.worker('a').notes.some((note) => note.text === 'try harder'));
  });

  test('a program that is missing fails at once and is never active', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.rest(
      on('launch', 'a', (intent) => ({
        kind: 'launch-failed',
        run: runId,
        worker: 'a',
        attempt: ('attempt' in intent && intent.attempt) || 1,
        error: 'no such program',
        final: true,
      })),
    );
    assert.equal(world.worker('a').state, 'failed');
    assert.equal(world.story('a').includes('worker.active'), false);
    assert.match(world.worker('a').reason, /no such program/);
  });

  test('fault 49: a red gate blocks with its findings, and only failure travels', () => {
    const world = new CoreWorld(
      planOf(
        [
          { id: 'a', verify: ['test'] },
          { id: 'b', on: ['a'] },
        ],
        { maxRework: 0 },
      ),
    );
    world.rest(
      on('check', 'a', (intent) =>
        intent.kind === 'check'
          ? {
              kind: 'checked',
              run: runId,
              subject: intent.subject,
              worker: 'a',
              verdicts: intent.gates.map((gate) => treeVerdict(intent.tree, gate, 'fail')),
            }
          : null,
      ),
    );
    assert.equal(world.worker('a').state, 'blocked');
    assert.deepEqual(world.worker('a').block?.findings, ['test is fail']);
    assert.equal(world.worker('b').state, 'pending');
    assert.equal(world.run.state, 'waiting');
    assert.equal(world.ask({ kind: 'unblock', run: runId, worker: 'a', note: null }).ok, true);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('a red combined tree keeps integration where it was', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }], { checks: ['all'] }));
    world.rest(
      on('check', 'a', (intent) =>
        intent.kind === 'check'
          ? {
              kind: 'checked',
              run: runId,
              subject: intent.subject,
              worker: 'a',
              verdicts: intent.gates.map((gate) => treeVerdict(intent.tree, gate, 'inconclusive')),
            }
          : null,
      ),
    );
    assert.equal(world.run.tip, 'base');
    assert.equal(world.worker('a').block?.kind, 'inconclusive');
    assert.equal(world.worker('a').block?.step, 'merging');
  });

  test('fault 74: a conflict blocks with the files; submit after a person resolved it goes through the gates again', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }], { maxRework: 0 }));
    world.rest(
      on('build-merge', 'a', (intent) =>
        intent.kind === 'build-merge'
          ? {
              kind: 'merge-conflict',
              run: runId,
              worker: 'a',
              base: intent.base,
              tip: intent.tip,
              files: ['x'],
              messages: ['CONFLICT x'],
            }
          : null,
      ),
    );
    assert.deepEqual(world.worker('a').block?.files, ['x']);
    assert.equal(world.run.tip, 'base');
    assert.equal(
      world.ask({
        kind: 'submit',
        run: runId,
        worker: 'a',
        tree: { exists: true, unfinished: 'a merge is under way' },
      }).ok,
      false,
    );
    assert.equal(
      world.ask({
        kind: 'submit',
        run: runId,
        worker: 'a',
        tree: { exists: true, unfinished: null },
      }).ok,
      true,
    );
    world.rest();
    assert.equal(world.run.state, 'complete');
    assert.equal(world.log.filter((event) => event.type === 'worker.started').length, 1);
  });

  test('a question ends the turn whatever the exit code, and the answer starts the next attempt in its tree', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    const ask = on('watch', 'a', (intent, w) => {
      w.send({
        kind: 'reports',
        run: runId,
        worker: 'a',
        attempt: 1,
        reports: [{ kind: 'ask', text: 'which one?' }],
        refused: [],
        reportOffset: 10,
        outputOffset: 0,
      });
      return intent.kind === 'watch' ? endOf(intent, { how: 'exited', code: 9 }) : null;
    });
    world.rest(ask);
    assert.equal(world.run.state, 'waiting');
    assert.match(why(world.state, world.run, world.worker('a'), world.now), /which one\?/);
    world.ask({ kind: 'answer', run: runId, worker: 'a', text: 'the left one' });
    const started = world.log.findLast((event) => event.type === 'worker.started');
    assert.equal(started?.type === 'worker.started' && started.data.continues, true);
    world.rest();
    assert.equal(world.run.state, 'complete');
  });

  test('reports that are read twice count once', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    const usage = { kind: 'usage' as const, usage: { input: 5, output: 7, cached: 0, costUsd: 0 } };
    const twice = on('watch', 'a', (_intent, w) => {
      const report = {
        kind: 'reports' as const,
        run: runId,
        worker: 'a',
        attempt: 1,
        reports: [usage],
        refused: [],
        reportOffset: 10,
        outputOffset: 3,
      };
      w.send(report);
      w.send(report);
      return null;
    });
    world.rest(twice);
    assert.equal(world.worker('a').usage.input + world.worker('a').usage.output, 12);
  });

  test('lost attempts continue in their tree, three times in a row, then wait for a person', () => {
    const world = new CoreWorld(planOf([{ id: 'a' }]));
    world.rest((intent) =>
      intent.kind === 'watch' ? endOf(intent, { how: 'lost', why: 'the machine went down' }) : null,
    );
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(world.worker('a').attempts, 4);
    assert.equal(world.worker('a').failures, 0);
  });
});
