import assert from 'node:assert/strict';
import { test } from 'node:test';
import { canMove, isFinal, isLive, states, type WorkerStateName } from './lifecycle.ts';

/** PRODUCT §5, written out once more by hand: a change of the table must be made twice. */
const table: readonly (readonly [string, string])[] = [
  ['pending', 'ready blocked skipped paused cancelled'],
  ['ready', 'pending starting blocked failed paused skipped cancelled'],
  ['starting', 'active verifying ready failed blocked paused cancelled'],
  ['active', 'verifying ready failed blocked paused cancelled'],
  ['verifying', 'reviewing merging complete ready blocked paused cancelled'],
  ['reviewing', 'merging complete ready blocked failed paused cancelled'],
  ['merging', 'complete ready blocked paused cancelled'],
  ['complete', ''],
  ['blocked', 'ready verifying reviewing merging pending failed paused skipped cancelled'],
  ['paused', 'pending ready verifying reviewing merging blocked cancelled'],
  ['failed', 'verifying pending skipped'],
  ['skipped', ''],
  ['cancelled', 'pending skipped'],
];

test('every pair of states is a transition exactly when the table says so', () => {
  const allowed = new Set(
    table.flatMap(([from, tos]) => tos.split(' ').map((to) => `${from} ${to}`)),
  );
  for (const from of states) {
    for (const to of states) {
      assert.equal(canMove(from, to), allowed.has(`${from} ${to}`), `${from} → ${to}`);
    }
  }
});

test('only ready leads to starting, and only starting to active', () => {
  const into = (to: WorkerStateName): readonly string[] =>
    states.filter((from) => canMove(from, to));
  assert.deepEqual(into('starting'), ['ready']);
  assert.deepEqual(into('active'), ['starting']);
});

test('final states are complete, failed, skipped and cancelled; live ones hold an agent slot', () => {
  assert.deepEqual(states.filter(isFinal), ['complete', 'failed', 'skipped', 'cancelled']);
  assert.deepEqual(states.filter(isLive), ['starting', 'active']);
});
