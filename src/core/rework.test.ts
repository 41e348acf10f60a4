import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Outcome } from './commands.ts';
import type { Work } from './events.ts';
import type { Intent } from './intents.ts';
import {
  CoreWorld,
  planOf,
  runId,
  success,
  treeVerdict,
  type Script,
} from '../../test/support/core-world.ts';

/** A check whose command fails the first `times` times that it runs. */
function redFor(times: number, subject: 'branch' | 'merge' = 'branch'): Script {
  let left = times;
  return (intent) => {
    if (intent.kind !== 'check' || intent.subject !== subject || left === 0) return null;
    left -= 1;
    return verdicts(intent, 'fail');
  };
}

function verdicts(
  intent: Extract<Intent, { kind: 'check' }>,
  result: 'fail' | 'inconclusive',
): Outcome {
  const { run, subject, worker, tree } = intent;
  return {
    kind: 'checked',
    run,
    subject,
    worker,
    verdicts: intent.gates.map((gate) => treeVerdict(tree, gate, result)),
  };
}

function unchanged(intent: Intent): Outcome {
  return withWork(intent, { patch: '', changed: [], commits: 0 });
}

function madeByHand(intent: Intent): Outcome {
  return withWork(intent, { tip: 'by-hand', tree: 'tree(by-hand)', patch: 'patch(by-hand)' });
}

function withWork(intent: Intent, part: Partial<Work>): Outcome {
  const outcome = success(intent);
  assert.ok(outcome.kind === 'collected' && outcome.work !== null);
  return { ...outcome, work: { ...outcome.work, ...part } };
}

function reasons(world: CoreWorld): readonly string[] {
  return world.log.flatMap((event) =>
    event.type === 'worker.ready' && event.data.counts === 'rework' ? [event.data.reason] : [],
  );
}

describe('a worker whose work is found wrong', () => {
  test('goes back to its agent with the findings, in the same tree, and comes home', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['test'] }]));
    world.rest(redFor(1));
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(reasons(world), ['sent back (1 of 3): verify failed: test']);
    const starts = world.log.filter((event) => event.type === 'worker.started');
    assert.deepEqual(
      starts.map((event) => [event.data.attempt, event.data.continues]),
      [
        [1, false],
        [2, true],
      ],
    );
    const { notes, reworks, failures } = world.worker('a');
    assert.deepEqual(
      notes.map(({ kind, text }) => [kind, text]),
      [['finding', 'verify failed: test\ntest is fail']],
    );
    assert.deepEqual(
      reworks.map(({ attempt, kind, step }) => ({ attempt, kind, step })),
      [{ attempt: 1, kind: 'gate', step: 'verifying' }],
    );
    assert.equal(failures, 0, 'no attempt has failed');
  });

  test('is sent back so many times, then waits for a person with the history; a retry begins to count anew', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['test'] }], { maxRework: 2 }));
    world.rest(redFor(4));
    assert.equal(world.worker('a').state, 'blocked');
    assert.match(world.worker('a').reason, /^verify failed: test \(sent back 2 times before\)$/);
    assert.equal(world.worker('a').reworks.length, 2);
    assert.equal(world.worker('a').attempts, 3);
    assert.equal(world.run.state, 'waiting');
    world.ask({ kind: 'retry', run: runId, worker: 'a', note: 'look at the clock', clean: false });
    world.rest(redFor(1));
    assert.equal(world.run.state, 'complete');
    assert.equal(world.worker('a').reworks.length, 3);
  });

  test('waits at once where nothing is sent back, and where no agent can mend it', () => {
    const never = new CoreWorld(planOf([{ id: 'a', verify: ['test'] }], { maxRework: 0 }));
    never.rest(redFor(1));
    assert.equal(never.worker('a').reason, 'verify failed: test');
    const broken = new CoreWorld(planOf([{ id: 'a', verify: ['test'] }]));
    broken.rest((intent) => (intent.kind === 'check' ? verdicts(intent, 'inconclusive') : null));
    assert.equal(broken.worker('a').block?.kind, 'inconclusive');
    assert.equal(broken.worker('a').attempts, 1);
  });

  test('goes back from a red combined tree and from a conflict', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['test'] }], { checks: ['all'] }));
    const red = redFor(1, 'merge');
    let conflicts = 1;
    world.rest((intent, of) => {
      if (intent.kind !== 'build-merge' || conflicts === 0) return red(intent, of);
      conflicts -= 1;
      const { run, worker, base, tip } = intent;
      const found = { files: ['x'], messages: ['CONFLICT x'] };
      return { kind: 'merge-conflict', run, worker, base, tip, ...found };
    });
    assert.equal(world.run.state, 'complete');
    assert.deepEqual(reasons(world), [
      'sent back (1 of 3): its work conflicts with the integration branch in x',
      'sent back (2 of 3): checks, verify failed on the combined tree: all, test',
    ]);
  });

  test('that changed nothing is sent back once', () => {
    const world = new CoreWorld(planOf([{ id: 'a', deliverables: ['x'] }]));
    world.rest((intent) => (intent.kind === 'collect' ? unchanged(intent) : null));
    assert.deepEqual(reasons(world), ['sent back (1 of 3): nothing changed']);
    assert.equal(world.worker('a').block?.kind, 'nothing_changed');
    assert.equal(world.worker('a').attempts, 2);
  });

  test('that a person handed in goes back to that person', () => {
    const world = new CoreWorld(planOf([{ id: 'a', verify: ['test'] }], { maxRework: 0 }));
    world.rest(redFor(1));
    world.ask({
      kind: 'submit',
      run: runId,
      worker: 'a',
      tree: { exists: true, unfinished: null },
    });
    world.rest((intent) => {
      const mended = intent.kind === 'collect' ? madeByHand(intent) : null;
      return intent.kind === 'check' ? verdicts(intent, 'fail') : mended;
    });
    assert.equal(world.worker('a').state, 'blocked');
    assert.equal(world.worker('a').attempts, 1);
  });
});
