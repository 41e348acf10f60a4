import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';
import { schedule } from './schedule.ts';

test('a ref that was left alone is not tried again, except once by a loop that asks for it', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest((intent) =>
    intent.kind === 'publish'
      ? {
          kind: 'published',
          run: runId,
          refs: {},
          diverged: Object.fromEntries(
            Object.keys(intent.refs).map((ref) => [ref, 'it is checked out']),
          ),
        }
      : null,
  );
  const at = { now: world.now, stopping: false };
  assert.deepEqual(schedule(world.state, at).intents, []);
  const [again] = schedule(world.state, { ...at, retryDiverged: new Set([runId]) }).intents;
  assert.equal(again?.kind, 'publish');
});

test('without a program on record nothing goes on while the loop is stopping', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.perform(world.intent('prepare-run') ?? assert.fail());
  assert.equal(world.worker('a').state, 'starting');
  world.stopping = true;
  assert.equal(world.intent('prepare-tree'), undefined);
});

test('what is merged after the user moved the integration branch is shown under the name that is ours', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
  const branch = `refs/heads/${world.run.integration}`;
  const shown: Record<string, string> = {};
  world.rest((intent) => {
    if (intent.kind !== 'publish') return null;
    const { [branch]: moved, ...refs } = intent.refs;
    Object.assign(shown, refs);
    const diverged: Record<string, string> =
      moved === undefined ? {} : { [branch]: 'it was moved' };
    return { kind: 'published', run: runId, refs, diverged };
  });
  assert.equal(world.run.state, 'complete');
  assert.equal(shown[`refs/czar/integration/${runId}`], world.run.tip);
});
