import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf } from '../../test/support/core-world.ts';
import { summaryLines } from './summary.ts';

test('the summary of a run that waits for budget names what raises it', () => {
  const budget = {
    tokens: 60,
    costUsd: null,
    realityMultiplier: 1,
    limit: 60,
    onExceeded: 'block',
  } as const;
  const world = new CoreWorld(
    planOf(
      [
        { id: 'a', budget },
        { id: 'b', budget },
      ],
      {
        budget: { run: { tokens: 100, costUsd: null }, day: { tokens: null, costUsd: null } },
      },
    ),
  );
  world.rest();
  assert.equal(world.run.state, 'waiting');
  const lines = summaryLines({ state: world.state, run: world.run, now: world.now, width: 100 });
  const at = lines.indexOf('b waits for budget');
  assert.deepEqual(lines.slice(at, at + 2), [
    'b waits for budget',
    '    next: czar budget run --add TOKENS',
  ]);
  assert.ok(!lines.some((line) => line.includes('czar budget day')));
});

test('the summary of a large run lists whoever is not complete, and counts the others', () => {
  const ids = Array.from({ length: 250 }, (_, index) => `w${index}`);
  const world = new CoreWorld(planOf(ids.map((id) => ({ id, workspace: 'empty' }))));
  world.rest(undefined, (intent) => intent.kind === 'watch' && intent.worker === 'w0');
  const lines = summaryLines({ state: world.state, run: world.run, now: world.now, width: 100 });
  assert.ok(lines.includes('✓  249 workers are complete: czar status lists them'));
  assert.ok(lines.some((line) => /^. +w0 /.test(line)));
  assert.ok(!lines.some((line) => /^. +w1 /.test(line)));
});
