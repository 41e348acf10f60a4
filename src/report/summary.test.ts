import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf } from '../../test/support/core-world.ts';
import { why } from '../core/why.ts';
import { inboxEntries } from './inbox.ts';
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
    '    next: czar budget run --add 20',
  ]);
  assert.ok(!lines.some((line) => line.includes('czar budget day')));
});

test('what waits for the run and the day is told what each of them lacks, and what raises both enough', () => {
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
      { budget: { run: { tokens: 100, costUsd: null }, day: { tokens: 90, costUsd: null } } },
    ),
  );
  world.rest();
  const at = { state: world.state, run: world.run, now: world.now };
  const command = 'czar budget run --add 20 && czar budget day --add 30';
  const text =
    'the run has 40 tokens left, it needs 60, and the day has 30 tokens left, it needs 60';
  assert.equal(
    why(at.state, at.run, world.worker('b'), at.now),
    `b is ready: ${text} (${command}).`,
  );
  const [entry] = inboxEntries({ ...at, run: null });
  assert.deepEqual([entry?.text, entry?.commands], [text, [command]]);
  assert.ok(summaryLines({ ...at, width: 100 }).includes(`    next: ${command}`));
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
