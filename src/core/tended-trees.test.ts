import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';
import type { Intent } from './intents.ts';

const a = { run: runId, worker: 'a' };
const make = { kind: 'make-tree', ...a, there: false } as const;
const remove = { kind: 'remove-tree', ...a, force: false, there: true, holds: null } as const;
const isTended = ({ kind }: Intent): boolean => kind === 'tend-tree';

test('a tree is made once before the first attempt, and the attempt sees to it itself when that comes first', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'], workspace: 'empty' }]));
  world.draining = true;
  assert.equal(world.code(make), 0);
  assert.equal(world.intent('tend-tree'), undefined, 'there is no tip to make it from');
  world.rest(undefined, isTended);
  assert.equal(world.code(make), 0);
  assert.equal(world.story('a').filter((type) => type === 'tree.requested').length, 1);
  world.rest();
  assert.equal(world.worker('a').worktree, '/w/a');
  assert.deepEqual(world.run.tending, []);
  assert.equal(world.code({ ...make, worker: 'b' }), 4);
  assert.equal(world.code({ ...make, worker: 'x' }), 3);

  assert.equal(world.code(remove), 4, 'it would go on there');
  assert.equal(world.code({ ...remove, force: true }), 0);
  world.draining = false;
  world.send({ kind: 'tick' });
  assert.equal(world.worker('a').state, 'starting');
  assert.deepEqual(world.run.tending, []);
  const late = { kind: 'tree-removed', ...a, branch: true, kept: [] } as const;
  const { length } = world.log;
  world.send(late);
  assert.equal(world.log.length, length, 'what comes too late means nothing');
  assert.equal(world.code(make), 4);
  assert.equal(world.code({ ...remove, force: true }), 4, 'it is in use');
});

test('a tree goes when its worker is done and all of it is merged, or by force, also after the end of the run', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  assert.equal(world.run.state, 'complete');
  assert.equal(world.code({ ...remove, holds: 'f.txt' }), 4);
  assert.equal(world.code({ ...remove, there: false }), 3);
  assert.equal(world.code(remove), 0);
  assert.equal(world.code(remove), 0);
  assert.equal(world.story('a').filter((type) => type === 'tree.requested').length, 1);
  const kept = { ref: `refs/czar/kept/${runId}/a/1`, commit: 'k', files: [], leftOut: [], why: '' };
  world.rest((intent) =>
    intent.kind === 'tend-tree' ? { kind: 'tree-removed', ...a, branch: true, kept: [kept] } : null,
  );
  assert.equal(world.worker('a').worktree, null);
  assert.deepEqual(world.worker('a').kept, [kept]);
  assert.equal(world.run.published[kept.ref], 'k');
  assert.deepEqual(world.intents(), []);
  assert.equal(world.code(make), 4, 'it is complete');
});

test('a removal that fails is tried again, and the worker may be taken up meanwhile', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  assert.equal(world.code(remove), 0);
  let failing = 4;
  world.rest((intent) => {
    if (intent.kind !== 'tend-tree') return null;
    failing -= 1;
    const { run, worker, attempt, key } = intent;
    const failed = { kind: 'effect-failed', run, worker, attempt, key } as const;
    return failing < 0 ? null : { ...failed, effect: 'tend-tree', error: 'busy' };
  });
  assert.equal(world.worker('a').worktree, null);
  assert.deepEqual(world.run.troubles, {});
});

test('the tree of a worker that was submitted is the work until it is taken, and does not go', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.until('watch', 'a');
  assert.equal(world.code({ kind: 'pause', run: runId, worker: null }), 0);
  world.rest();
  assert.equal(world.worker('a').state, 'paused');
  const tree = { exists: true, unfinished: null };
  assert.equal(world.code({ kind: 'submit', run: runId, worker: 'a', tree }), 0);
  assert.deepEqual([world.worker('a').state, world.worker('a').submitted], ['paused', true]);
  assert.equal(world.code({ ...remove, force: true }), 4);
  assert.equal(world.code({ kind: 'resume', run: runId, worker: null }), 0);
  world.rest();
  assert.equal(world.worker('a').state, 'complete');
  assert.equal(world.code({ ...remove, force: true }), 0);
});
