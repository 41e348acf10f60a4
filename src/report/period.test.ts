/** Days and weeks in UTC. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dayAround, dayBefore, dayNamed, holds, weekOf } from './period.ts';

test('a day is from midnight to midnight in UTC, and only days that exist have names', () => {
  const day = dayNamed('2024-02-29');
  assert.deepEqual(day, {
    name: '2024-02-29',
    from: Date.UTC(2024, 1, 29),
    to: Date.UTC(2024, 2, 1),
  });
  for (const name of ['2025-02-29', '2025-2-3', 'today', '2025-13-01', ''])
    assert.equal(dayNamed(name), null);
  assert.deepEqual(dayAround(Date.UTC(2024, 1, 29, 23, 59)), day);
  assert.equal(dayBefore(dayAround(Date.UTC(2024, 2, 1))).name, '2024-02-29');
  assert.deepEqual(
    [Date.UTC(2024, 1, 29) - 1, Date.UTC(2024, 1, 29), Date.UTC(2024, 2, 1), null].map((at) =>
      holds(dayAround(Date.UTC(2024, 1, 29)), at),
    ),
    [false, true, false, false],
  );
});

test('a week begins on Monday, whichever of its days is named', () => {
  for (const name of ['2025-12-22', '2025-12-24', '2025-12-28']) {
    const day = dayNamed(name);
    assert.ok(day !== null);
    const week = weekOf(day);
    assert.equal(week.name, '2025-12-22');
    assert.equal(week.to, Date.UTC(2025, 11, 29));
    assert.equal(new Date(week.from).getUTCDay(), 1);
  }
});
