import assert from 'node:assert/strict';
import { test } from 'node:test';
import { steadyClock } from './steady-clock.ts';

function set(): {
  wall: number;
  passed: number;
  readonly go: (ms: number) => void;
} {
  const at = {
    wall: 1_000_000,
    passed: 5,
    go: (ms: number): void => {
      at.wall += ms;
      at.passed += ms;
    },
  };
  return at;
}

test('fault 18: a wall clock that jumps moves the loop’s time only when it is corrected', () => {
  const at = set();
  const clock = steadyClock({ wall: () => at.wall, elapsed: () => at.passed, from: 0 });
  assert.equal(clock.now(), 1_000_000);
  at.go(50);
  at.wall += 86_400_000;
  assert.equal(clock.now(), 1_000_050);
  clock.correct(false);
  assert.equal(clock.now(), 87_400_050);
  at.wall -= 86_400_000;
  clock.correct(false);
  at.go(1);
  assert.equal(clock.now(), 87_400_051);
  clock.correct(true);
  assert.equal(clock.now(), 1_000_051);
});

test('the loop’s time begins no earlier than what it goes on from', () => {
  const at = set();
  const clock = steadyClock({ wall: () => at.wall, elapsed: () => at.passed, from: 1_500_000 });
  at.go(7);
  assert.equal(clock.now(), 1_500_007);
});
