import assert from 'node:assert/strict';
import { test } from 'node:test';
import { killAlone, killInPairs, smallPlans } from './kills.ts';

/** With CZAR_EVERY_INSTANT=1 every occurrence of a place, and all pairs of all plans. */
const every = process.env['CZAR_EVERY_INSTANT'] === '1';

for (const small of smallPlans) {
  test(`faults 1, 2, 3, 22, 23, 48, 72 and 73: a loop that dies at any one place breaks nothing: ${small.name}`, async () => {
    const { places, tried, happened, broken } = await killAlone(small, every ? Infinity : 2);
    assert.deepEqual(broken, []);
    assert.ok(places >= 20 && happened >= places, `${places} places, ${happened} of ${tried}`);
  });
}

for (const small of every ? smallPlans : smallPlans.slice(0, 1)) {
  test(`a loop that dies at any two places, one after the other, breaks nothing: ${small.name}`, async () => {
    const { tried, happened, broken } = await killInPairs(small, every ? 1 : 3);
    assert.deepEqual(broken, []);
    assert.ok(happened > tried / 2, `${happened} of ${tried} pairs`);
  });
}
