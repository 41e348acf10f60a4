import assert from 'node:assert/strict';
import test from 'node:test';
import type { Plan } from '../core/plan.ts';
import { planOf } from '../../test/support/core-world.ts';
import { goldenLogs } from '../../test/support/golden.ts';
import { decodeEvent } from './codec.ts';
import { packedPlan, unpackedPlan } from './packed-plan.ts';

const read = (text: string): Plan => unpackedPlan(JSON.parse(text));
const write = (plan: Plan): string => JSON.stringify(packedPlan(plan));

test('what is stored of a plan tells it, of every golden log', () => {
  const plans = goldenLogs().flatMap(({ rows }) =>
    rows.flatMap((row) => {
      const event = decodeEvent(row);
      return event.type === 'run.started' || event.type === 'plan.amended' ? [event.data.plan] : [];
    }),
  );
  assert.ok(plans.some(({ workers }) => workers.length > 3));
  for (const plan of plans) assert.equal(JSON.stringify(read(write(plan))), JSON.stringify(plan));
});

test('workers that are alike take little room, and share what they have in common', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `worker-${index}`);
  const plan = planOf(ids.map((id) => ({ id })));
  const text = write(plan);
  assert.ok(text.length < JSON.stringify(plan).length / 3, `${text.length}`);
  const again = read(text);
  assert.deepEqual(again, plan);
  assert.equal(again.workers[1]?.retry, again.workers[99]?.retry);
});

test('edges that are alike take little room, and each keeps what is its own', () => {
  const ids = Array.from({ length: 100 }, (_, index) => `worker-${index}`);
  const plan = planOf(
    ids.map((id, index) => ({ id, on: ids.slice(Math.max(0, index - 3), index) })),
  );
  const [, , third, ...others] = plan.workers;
  const edges = third?.edges.map((edge, index) => ({ ...edge, inputs: index === 0 ? ['a'] : [] }));
  assert.ok(third !== undefined && edges?.length === 2);
  const mixed = { ...plan, workers: [...plan.workers.slice(0, 2), { ...third, edges }, ...others] };
  for (const one of [plan, mixed]) {
    const text = write(one);
    assert.ok(text.length < JSON.stringify(one).length / 5, `${text.length}`);
    assert.equal(JSON.stringify(read(text)), JSON.stringify(one));
  }
});

test('what only some workers have is theirs alone, and a plan may have none', () => {
  const [one, other] = planOf([{ id: 'a' }, { id: 'b' }]).workers;
  assert.ok(one !== undefined && other !== undefined);
  const whole = planOf([{ id: 'a' }]);
  for (const workers of [
    [],
    [{ ...one, approve: true as const }, other],
    [one, { ...other, approve: true as const }],
  ]) {
    const plan = { ...whole, workers };
    assert.equal(JSON.stringify(read(write(plan))), JSON.stringify(plan));
  }
});
