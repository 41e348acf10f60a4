import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RemovedLines } from './events.ts';
import { CoreWorld, planOf, success, type Script } from '../../test/support/core-world.ts';

const gone: RemovedLines = { path: 'a.txt', lines: ['of a'], more: 0 };

/** `b` conflicts with `a` once; its second attempt has resolved that, and removed these lines. */
function resolving(removed: readonly RemovedLines[]): Script {
  let conflicts = 1;
  return (intent) => {
    if (intent.kind === 'build-merge' && intent.worker === 'b' && conflicts > 0) {
      conflicts -= 1;
      const { run, worker, base, tip } = intent;
      return { kind: 'merge-conflict', run, worker, base, tip, files: ['a.txt'], messages: [] };
    }
    if (intent.kind !== 'judge' || intent.worker !== 'b' || conflicts > 0) return null;
    const outcome = success(intent);
    if (outcome.kind !== 'judged') return null;
    // The attempt before the conflict is judged too.
    const verdicts = outcome.verdicts;
    return { ...outcome, verdicts, resolved: { onto: intent.integration, removed } };
  };
}

function worldOf(policies = {}): CoreWorld {
  return new CoreWorld(
    planOf(
      [
        { id: 'a', verify: ['test a'], priority: 'critical' },
        { id: 'b', verify: ['test b'] },
        { id: 'c', priority: 'low' },
      ],
      { checks: ['all'], maxParallel: 1, ...policies },
    ),
  );
}

function commandsOn(world: CoreWorld, tree: string): readonly string[] {
  return world.log.flatMap((event) =>
    event.type === 'gate.passed' && 'tree' in event.data.verdict && event.data.verdict.tree === tree
      ? [event.data.verdict.command]
      : [],
  );
}

test('a resolution that removed lines of another worker is judged by its verify, and reviewed by its agent', () => {
  const world = worldOf();
  world.rest(resolving([gone]));
  assert.equal(world.run.state, 'complete');
  const { merged, resolution } = world.worker('b');
  assert.deepEqual(resolution?.others, ['a']);
  assert.deepEqual(commandsOn(world, merged?.tree ?? '').toSorted(), ['all', 'test a', 'test b']);
  const reviews = world.log.flatMap((event) =>
    event.type === 'review.started' ? [[event.worker, event.data.reviewer]] : [],
  );
  assert.deepEqual(reviews, [['b', 'stub']]);
});

test('it is judged so also on the tree of a batch, by the test of one behind it', () => {
  const world = worldOf({ mergeQueue: 'batch', maxParallelChecks: 1 });
  const script = resolving([gone]);
  // Until both stand in the queue.
  const isSecond = (): boolean => world.worker('b').attempts === 2;
  world.rest(script, (of) => of.kind === 'build-merge' && of.worker === 'b' && isSecond());
  world.rest(script);
  assert.equal(world.run.state, 'complete');
  const last = world.log.findLast((event) => event.type === 'worker.merged');
  assert.equal(last?.worker, 'c');
  assert.ok(last.type === 'worker.merged');
  assert.deepEqual(commandsOn(world, last.data.tree).toSorted(), ['all', 'test a', 'test b']);
});

test('a resolution that removed nothing is judged as any other merge', () => {
  const world = worldOf();
  world.rest(resolving([]));
  assert.equal(world.run.state, 'complete');
  const { merged, resolution } = world.worker('b');
  assert.deepEqual(resolution?.removed, []);
  assert.deepEqual(commandsOn(world, merged?.tree ?? '').toSorted(), ['all', 'test b']);
  assert.ok(world.log.every(({ type }) => type !== 'review.started'));
});
