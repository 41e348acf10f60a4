import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Intent } from '../intents.ts';
import { limitsOf } from '../limits.ts';
import { mergeChain, passedFirst } from './merge-chain.ts';
import type { Policies } from '../plan.ts';
import { CoreWorld, planOf, treeVerdict, type Script } from '../../../test/support/core-world.ts';

const ids = ['a', 'b', 'c', 'd'];

function worldOf(mergeQueue: NonNullable<Policies['mergeQueue']>, policies = {}): CoreWorld {
  return new CoreWorld(
    planOf(
      ids.map((id) => ({ id })),
      { mergeQueue, maxParallelChecks: 4, maxRework: 1, checks: ['all'], ...policies },
    ),
  );
}

/** Checks are red on every tree that holds the commit. */
function redWith(tip: string): Script {
  return (intent) =>
    intent.kind === 'check' && intent.tree.includes(tip)
      ? {
          kind: 'checked',
          run: intent.run,
          subject: intent.subject,
          worker: intent.worker,
          verdicts: intent.gates.map((gate) => treeVerdict(intent.tree, gate, 'fail')),
        }
      : null;
}

/** The world when everyone waits in the queue and only checks are left to do. */
function whenChecking(world: CoreWorld): readonly Extract<Intent, { kind: 'check' }>[] {
  world.rest(undefined, ({ kind }) => kind === 'check' || kind === 'build-merge');
  world.rest(undefined, ({ kind }) => kind === 'check');
  return world.intents().flatMap((intent) => (intent.kind === 'check' ? intent : []));
}

function checks(world: CoreWorld): number {
  return world.log
    .filter(({ type }) => type === 'gate.passed' || type === 'gate.failed')
    .filter((event) => 'verdict' in event.data && 'tree' in event.data.verdict).length;
}

function merged(world: CoreWorld): readonly (readonly [string, boolean])[] {
  return world.log.flatMap((event) =>
    event.type === 'worker.merged' && event.worker !== undefined
      ? [[event.worker, event.data.tested !== undefined] as const]
      : [],
  );
}

describe('a speculative queue', () => {
  test('tests each candidate on top of those ahead of it, at the same time', () => {
    const world = worldOf('speculative');
    const trees = whenChecking(world).map(({ worker, tree }) => [worker, tree]);
    assert.deepEqual(trees, [
      ['a', 'tree(base+a.1)'],
      ['b', 'tree(m(base+a.1)+b.1)'],
      ['c', 'tree(m(m(base+a.1)+b.1)+c.1)'],
      ['d', 'tree(m(m(m(base+a.1)+b.1)+c.1)+d.1)'],
    ]);
    world.rest();
    assert.deepEqual(
      merged(world),
      ids.map((id) => [id, false]),
    );
    assert.equal(checks(world), 4, 'no tree is tested twice');
  });

  test('merges in order: one that has passed waits for those ahead of it', () => {
    const world = worldOf('speculative');
    const last = whenChecking(world).at(-1);
    assert.ok(last !== undefined);
    world.perform(last);
    assert.equal(world.run.state, 'running');
    assert.equal(world.intent('commit-merge'), undefined);
    world.rest();
    assert.deepEqual(
      merged(world).map(([id]) => id),
      ids,
    );
  });

  test('fault 75: a red candidate goes back once it stands on integration, and those behind are tested anew', () => {
    const world = worldOf('speculative');
    whenChecking(world);
    world.rest(redWith('b.1'));
    assert.equal(world.run.state, 'complete');
    assert.equal(merged(world).length, 4);
    assert.deepEqual(
      world.worker('b').reworks.map(({ kind, step }) => [kind, step]),
      [['gate', 'merging']],
    );
    const trees = world.log.flatMap((event) =>
      event.type === 'worker.merged' && event.worker !== 'a' ? [event.data.tree] : [],
    );
    assert.ok(trees.every((tree) => !tree.includes('b.1')));
  });

  test('a worker that is cancelled in the middle takes nobody along', () => {
    const world = worldOf('speculative');
    whenChecking(world);
    world.ask({ kind: 'cancel', run: world.run.id, worker: 'b' });
    world.rest();
    assert.deepEqual(
      merged(world).map(([id]) => id),
      ['a', 'c', 'd'],
    );
    assert.equal(world.worker('b').state, 'cancelled');
  });

  test('a conflict with a candidate ahead is none with integration: it is built again on that', () => {
    const world = worldOf('speculative');
    const conflicting: Script = (intent) =>
      intent.kind === 'build-merge' && intent.tip === 'c.1' && intent.base.includes('b.1')
        ? {
            kind: 'merge-conflict',
            run: intent.run,
            worker: intent.worker,
            base: intent.base,
            tip: intent.tip,
            files: ['f'],
            messages: ['CONFLICT (content): Merge conflict in f'],
          }
        : null;
    world.rest((intent, at) => redWith('b.1')(intent, at) ?? conflicting(intent, at));
    assert.deepEqual(world.worker('c').reworks, [], 'b was sent back, so that c had no conflict');
    assert.equal(merged(world).length, 4);

    const other = worldOf('speculative');
    other.rest(conflicting);
    assert.deepEqual(
      other.worker('c').reworks.map(({ kind }) => kind),
      ['conflict'],
      'b was merged, so that c has one',
    );
    assert.equal(other.run.state, 'complete');
  });
});

describe('a queue of batches', () => {
  test('tests several together, and integration moves once, to the commit that was tested', () => {
    const world = worldOf('batch', { maxParallelChecks: 1, maxParallel: 4 });
    const [first] = whenChecking(world);
    assert.equal(first?.tree, 'tree(m(m(m(base+a.1)+b.1)+c.1)+d.1)');
    world.rest();
    assert.deepEqual(merged(world), [
      ['a', true],
      ['b', true],
      ['c', true],
      ['d', false],
    ]);
    assert.equal(checks(world), 1);
    assert.equal(world.run.tip, 'm(m(m(m(base+a.1)+b.1)+c.1)+d.1)');
  });

  test('fault 75: a red batch is bisected, the good are merged, the culprit alone is sent back', () => {
    for (const bad of ids) {
      const world = worldOf('batch', { maxParallelChecks: 1 });
      whenChecking(world);
      world.rest(redWith(`${bad}.1`));
      assert.equal(world.run.state, 'complete');
      for (const id of ids)
        assert.equal(world.worker(id).reworks.length, id === bad ? 1 : 0, `${bad}: ${id}`);
      assert.equal(merged(world).length, 4);
    }
  });

  test('what was tested together enters together, whatever the queue does by then and whoever is stopped', () => {
    const world = worldOf('batch', { maxParallelChecks: 1 });
    whenChecking(world);
    world.rest(undefined, ({ kind }) => kind === 'commit-merge');
    const before = world.intent('commit-merge');
    const { mergeQueue: _, ...limits } = limitsOf(world.run.plan.policies);
    world.ask({ kind: 'set-limits', run: world.run.id, limits, sources: null });
    world.ask({ kind: 'pause', run: world.run.id, worker: null });
    assert.deepEqual(world.intent('commit-merge'), before);
    world.rest();
    assert.deepEqual(
      merged(world).map(([id]) => id),
      ids,
    );
  });

  test('those that were begun alone enter with a batch behind them, and a batch before those that are begun alone', () => {
    for (const [first, then] of [
      ['speculative', 'batch'],
      ['batch', 'speculative'],
    ] as const) {
      const world = worldOf(first, { maxParallelChecks: 1, maxParallel: 2 });
      world.rest(undefined, ({ kind }) => kind === 'check');
      const limits = { ...limitsOf(world.run.plan.policies), mergeQueue: then, maxParallel: 4 };
      world.ask({ kind: 'set-limits', run: world.run.id, limits, sources: null });
      world.rest(undefined, ({ kind }) => kind === 'check');
      world.rest();
      assert.equal(merged(world).length, 4, `${first}, then ${then}`);
    }
  });

  test('a verdict on one ahead takes nobody out of what enters together', () => {
    const world = worldOf('batch', { maxParallelChecks: 2 });
    const two = new Set(['a', 'b']);
    world.rest(undefined, ({ kind, ...of }) => kind === 'check' && 'worker' in of);
    const chain = (): readonly string[] => passedFirst(world.run).map(({ worker }) => worker.id);
    const [first, second] = mergeChain(world.run).filter(({ worker }) => two.has(worker.id));
    for (const one of [second, first]) {
      assert.ok(one?.worker.merge?.built != null);
      const { tree } = one.worker.merge.built;
      const verdicts = one.gates.map((gate) => treeVerdict(tree, gate, 'pass'));
      const of = { run: world.run.id, subject: 'merge', worker: one.worker.id } as const;
      world.send({ kind: 'checked', ...of, verdicts });
      assert.deepEqual(chain(), ['a', 'b']);
    }
  });

  test('an integration that somebody else moves is met again after a pause, and said', () => {
    const world = worldOf('batch');
    const lost: Script = (intent) =>
      intent.kind === 'commit-merge'
        ? { kind: 'merge-lost', run: intent.run, worker: intent.worker, found: 'elsewhere' }
        : null;
    let tries = 0;
    world.rest((intent, at) => {
      if (intent.kind !== 'commit-merge') return null;
      tries += 1;
      return tries < 6 ? lost(intent, at) : null;
    });
    assert.equal(merged(world).length, 4);
    const times = world.log.flatMap((event) => (event.type === 'effect.failed' ? [event.at] : []));
    const pauses = times.slice(1).map((at, index) => at - (times[index] ?? at));
    assert.ok(
      pauses.every((pause) => pause >= 1_000),
      `a pause after each: ${pauses.join(', ')}`,
    );
  });

  test('verify of every member judges the tree of the batch', () => {
    const world = new CoreWorld(
      planOf(
        ids.map((id) => ({ id, verify: [`test ${id}`] })),
        { mergeQueue: 'batch', maxParallelChecks: 1 },
      ),
    );
    world.rest(undefined, ({ kind }) => kind === 'build-merge');
    world.rest();
    const { tree } = world.log.findLast((event) => event.type === 'worker.merged')?.data ?? {};
    const commands = world.log.flatMap((event) =>
      event.type === 'gate.passed' &&
      'tree' in event.data.verdict &&
      event.data.verdict.tree === tree
        ? [event.data.verdict.command]
        : [],
    );
    assert.deepEqual(
      commands.toSorted(),
      ids.map((id) => `test ${id}`),
    );
  });
});

test('a check in quarantine runs on every tree and keeps nobody out; it is no verdict that a merge takes', () => {
  const quarantine = { checks: ['all', 'shaky'], quarantine: ['shaky'] };
  const world = worldOf('speculative', quarantine);
  const admitted: string[] = [];
  world.rest((intent) => {
    if (intent.kind === 'commit-merge')
      admitted.push(...intent.admission.trees.map(({ command }) => command));
    if (intent.kind !== 'check') return null;
    const verdicts = intent.gates.map((gate) =>
      treeVerdict(intent.tree, gate, gate.command === 'shaky' ? 'fail' : 'pass'),
    );
    return {
      kind: 'checked',
      run: intent.run,
      subject: intent.subject,
      worker: intent.worker,
      verdicts,
    };
  });
  assert.equal(merged(world).length, 4);
  assert.deepEqual([...new Set(admitted)], ['all']);
  assert.equal(world.log.filter(({ type }) => type === 'gate.failed').length, 4);
});

test('fault 84: a head whose check hangs until its limit is evicted, and the others are merged', () => {
  for (const mergeQueue of ['speculative', 'batch', undefined] as const) {
    const policies = mergeQueue === undefined ? {} : { mergeQueue };
    const world = new CoreWorld(
      planOf(
        ids.map((id) => ({ id })),
        { ...policies, checks: ['all'] },
      ),
    );
    world.rest((intent) =>
      intent.kind === 'check' && intent.tree.includes('a.1')
        ? {
            kind: 'checked',
            run: intent.run,
            subject: intent.subject,
            worker: intent.worker,
            verdicts: intent.gates.map((gate) => treeVerdict(intent.tree, gate, 'inconclusive')),
          }
        : null,
    );
    assert.deepEqual(
      merged(world).map(([id]) => id),
      ['b', 'c', 'd'],
    );
    assert.equal(world.worker('a').block?.kind, 'inconclusive');
  }
});
