import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../../test/support/core-world.ts';
import type { Intent } from '../intents.ts';
import type { KeptWork } from '../events.ts';

const ref = `refs/czar/kept/${runId}/a/1`;
const to = `refs/czar/dropped/${runId}/a/1`;
const kept: KeptWork = { ref, commit: 'k1', files: ['f'], leftOut: [], why: 'it failed' };

const failing: Script = (intent) => {
  if (intent.kind === 'watch') return endOf(intent, { how: 'exited', code: 1 });
  if (intent.kind !== 'collect') return null;
  const { run, worker, attempt } = intent;
  return { kind: 'collected', run, worker, attempt, work: null, kept: [kept] };
};

const drop = { kind: 'drop-kept', run: runId, worker: 'a', ref } as const;

test('kept work that is merged nowhere is dropped by force alone, once, and by its other name it is still published', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest(failing);
  assert.deepEqual(world.worker('a').kept, [kept]);
  assert.equal(world.code({ ...drop, force: false, elsewhere: false }), 4);
  assert.equal(world.code({ ...drop, ref: `${ref}9`, force: true, elsewhere: false }), 3);
  assert.equal(world.code({ ...drop, force: true, elsewhere: false }), 0);
  assert.deepEqual(world.worker('a').kept, []);
  const { log } = world;
  assert.deepEqual(log.at(-1)?.type, 'kept.dropped');
  const publish = world.intent('publish');
  assert.ok(publish?.kind === 'publish');
  assert.deepEqual(publish.refs, { [to]: 'k1' });
  world.rest();
  assert.equal(world.run.published[to], 'k1');
  const count = log.length;
  assert.equal(world.code({ ...drop, force: false, elsewhere: false }), 0, 'it is dropped already');
  assert.equal(log.length, count);
});

test('what stands in what was merged needs no force', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest(failing);
  assert.equal(world.code({ ...drop, force: false, elsewhere: true }), 0);
});

test('what was dropped is not kept again by an attempt that finds it under its old name', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest(failing);
  const isPublish = ({ kind }: Intent): boolean => kind === 'publish';
  assert.equal(world.code({ ...drop, force: true, elsewhere: false }), 0);
  assert.equal(world.code({ kind: 'retry', run: runId, worker: 'a', note: null, clean: true }), 0);
  const found: Script = (intent) =>
    intent.kind === 'prepare-tree'
      ? {
          kind: 'tree-prepared',
          run: runId,
          worker: 'a',
          attempt: intent.attempt,
          branch: intent.branch,
          worktree: '/w/a',
          base: intent.commit,
          kept: [kept],
        }
      : null;
  world.rest(found, (intent) => isPublish(intent) || intent.kind === 'watch');
  assert.deepEqual(world.worker('a').kept, []);
});

test('work that is kept under a name that a prune took is kept, and published', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest(failing);
  const runs = [runId];
  world.send({ kind: 'prune', by: 'user', runs, outputs: [], refs: [], aside: [] });
  assert.equal(world.code({ kind: 'retry', run: runId, worker: 'a', note: null, clean: true }), 0);
  const other = { ...kept, commit: 'k2' };
  world.rest((intent, at) => {
    const outcome = failing(intent, at);
    return outcome?.kind === 'collected' ? { ...outcome, kept: [other] } : outcome;
  });
  assert.deepEqual(world.worker('a').kept, [other]);
  assert.equal(world.run.published[ref], 'k2');
});
