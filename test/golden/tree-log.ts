/** The golden log of trees that a person has made and removed. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, runId } from '../support/core-world.ts';

/** One made before its first attempt, one removed after the end of the run, with what was in it kept. */
export function treeLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
  assert.equal(world.code({ kind: 'make-tree', run: runId, worker: 'b', there: false }), 0);
  world.rest();
  assert.equal(world.run.state, 'complete');
  const a = { run: runId, worker: 'a' };
  const remove = { kind: 'remove-tree', ...a, force: true, there: true, holds: 'f' } as const;
  assert.equal(world.code(remove), 0);
  const ref = `refs/czar/kept/${runId}/a/1`;
  const kept = [{ ref, commit: 'k1', files: ['f'], leftOut: [], why: 'it was removed' }];
  world.rest((intent) =>
    intent.kind === 'tend-tree' ? { kind: 'tree-removed', ...a, branch: true, kept } : null,
  );
  return world.log.map((event) => encodeEvent(event));
}
