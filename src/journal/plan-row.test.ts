import assert from 'node:assert/strict';
import test from 'node:test';
import { planOf as planWith } from '../../test/support/core-world.ts';
import { goldenLogs } from '../../test/support/golden.ts';
import { decodeEvent } from './codec.ts';
import { planOf, planText } from './plan-row.ts';

test('a row tells the plan, of every golden log', () => {
  const plans = goldenLogs().flatMap(({ rows }) =>
    rows.flatMap((row) => {
      const event = decodeEvent(row);
      return event.type === 'run.started' || event.type === 'plan.amended' ? [event.data.plan] : [];
    }),
  );
  assert.ok(plans.some(({ workers }) => workers.length > 3));
  for (const plan of plans) assert.deepEqual(planOf(planText(plan)), plan);
});

test('workers that are alike take little room, and share what they have in common', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `worker-${index}`);
  const plan = planWith(ids.map((id) => ({ id })));
  const text = planText(plan);
  assert.ok(text.length < JSON.stringify(plan).length / 3, `${text.length}`);
  const read = planOf(text);
  assert.deepEqual(read, plan);
  assert.equal(read.workers[1]?.retry, read.workers[99]?.retry);
});

test('what only some workers have is theirs alone, and a plan may have none', () => {
  const [one, other] = planWith([{ id: 'a' }, { id: 'b' }]).workers;
  assert.ok(one !== undefined && other !== undefined);
  const whole = planWith([{ id: 'a' }]);
  for (const workers of [
    [],
    [{ ...one, approve: true as const }, other],
    [one, { ...other, approve: true as const }],
  ]) {
    const plan = { ...whole, workers };
    assert.deepEqual(planOf(planText(plan)), plan);
  }
});
