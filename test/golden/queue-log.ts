/** The golden log of a queue of batches. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, treeVerdict } from '../support/core-world.ts';

/** A batch of which one member is red at first, and one conflicts with another that is ahead of it. */
export function queueLog(): readonly StoredEvent[] {
  const workers = ['a', 'b', 'c', 'd', 'e'].map((id) => ({ id }));
  const world = new CoreWorld(
    planOf(workers, { mergeQueue: 'batch', maxParallelChecks: 1, maxParallel: 5, checks: ['all'] }),
  );
  world.rest(undefined, ({ kind }) => kind === 'build-merge');
  world.rest((intent) => {
    if (intent.kind === 'build-merge' && intent.tip === 'd.1' && intent.base.includes('a.1')) {
      const { run, worker, base, tip } = intent;
      return {
        kind: 'merge-conflict',
        run,
        worker,
        base,
        tip,
        files: ['f'],
        messages: ['CONFLICT'],
      };
    }
    if (intent.kind !== 'check' || !intent.tree.includes('c.1')) return null;
    const { run, subject, worker, tree, gates } = intent;
    const verdicts = gates.map((gate) => treeVerdict(tree, gate, 'fail'));
    return { kind: 'checked', run, subject, worker, verdicts };
  });
  assert.equal(world.run.state, 'complete');
  assert.ok(world.log.some(({ type }) => type === 'merge.abandoned'));
  return world.log.map((event) => encodeEvent(event));
}
