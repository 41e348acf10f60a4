import assert from 'node:assert/strict';
import { test } from 'node:test';
import { grouped, percent, percentText, spanText, thousands } from './figures.ts';

test('a percentage is rounded down, so that 100 means all', () => {
  assert.equal(percent(1_150_000, 1_200_000), 95.8);
  assert.equal(percentText(95.8), '95%');
  assert.equal(percent(999_999, 1_000_000), 99.9);
  assert.equal(percent(29, 100), 29);
  assert.equal(percent(1, 0), null);
  assert.equal(percent(3, 2), 150);
});

test('figures are written as people read them', () => {
  assert.equal(grouped(1_150_000), '1,150,000');
  assert.equal(thousands(1_150_000), '1,150K');
  assert.equal(thousands(1_234), '1,234');
  assert.equal(thousands(999_999_000), '999,999K');
  assert.equal(thousands(1e9), '1,000M');
  assert.deepEqual([0, 4_999, 200_000, 7_500_000, 6 * 86_400_000].map(spanText), [
    '0s',
    '4s',
    '3m 20s',
    '2h 05m',
    '6 days',
  ]);
});
