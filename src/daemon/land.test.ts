import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';
import { outcome } from './land.ts';

test('a landing whose checkout could not follow has landed, and its result names the files', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  const order = { run: runId, target: 'main', mode: 'merge', partial: false } as const;
  world.ask({ kind: 'land', ...order, onto: 'base' });
  const notUpdated = ['a.txt'];
  world.rest((intent) =>
    intent.kind === 'commit-landing'
      ? { kind: 'landed', run: runId, commit: intent.commit, notUpdated }
      : null,
  );
  const result = outcome(world.log, runId);
  assert.deepEqual(result, { kind: 'landed', target: 'main', commit: 'landing', notUpdated });
});
