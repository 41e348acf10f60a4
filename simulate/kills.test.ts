import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killAlone, killInPairs, smallPlans } from './kills.ts';

for (const small of smallPlans) {
  test(`faults 1, 2, 3, 22, 23, 48, 72 and 73: a loop that dies at any one place breaks nothing: ${small.name}`, async () => {
    const { places, tried, happened, broken } = await killAlone(small, 3);
    assert.deepEqual(broken, []);
    assert.ok(places >= 20 && happened >= places, `${places} places, ${happened} of ${tried}`);
  });
}

// All occurrences, and the pairs of the other plans, take longer: `npm run simulate -- --kills`.
test('a loop that dies at any two places, one after the other, breaks nothing', async () => {
  const [small] = smallPlans;
  assert.ok(small !== undefined);
  const { tried, happened, broken } = await killInPairs(small);
  assert.deepEqual(broken, []);
  assert.ok(happened > tried / 2, `${happened} of ${tried} pairs`);
});
