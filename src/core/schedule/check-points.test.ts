import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { checkPoints, type CheckPointOptions, type PlaceState } from './check-points.ts';

const letters: Readonly<Record<string, PlaceState>> = {
  p: 'passed',
  r: 'red',
  t: 'testing',
  o: 'open',
  u: 'unbuilt',
};
const places = (text: string): PlaceState[] => Array.from(text, (one) => letters[one] ?? 'open');

const cases: readonly [string, string, Partial<CheckPointOptions>, readonly number[]][] = [
  ['each place is tested, as far as slots are free', 'oooo', { slots: 3 }, [0, 1, 2]],
  ['what is under way takes a slot', 'tooo', { slots: 3 }, [1, 2]],
  ['what is not built waits', 'tou', { slots: 3 }, [1]],
  ['nothing behind a red place is tested', 'oro', { slots: 3 }, [0]],
  ['a place that lost its test is tested again', 'op', { slots: 2 }, [0]],
  ['one test for a batch', 'oooo', { step: 4, slots: 1 }, [3]],
  ['a batch that grows waits', 'ooo', { step: 4, slots: 1, growing: true }, []],
  ['a batch that does not grow any more is tested as it is', 'ooo', { step: 4, slots: 1 }, [2]],
  ['a batch whose last merge is being built waits', 'oou', { step: 4, slots: 1 }, []],
  ['the next batch goes on top of the one under test', 'ototo', { step: 2, slots: 3 }, [4]],
  ['two batches at once', 'oooo', { step: 2, slots: 2 }, [1, 3]],
  ['a red batch is bisected', 'ooor', { step: 4, slots: 1 }, [1]],
  ['a red batch is bisected at two places at once', 'ooooooor', { step: 8, slots: 2 }, [1, 4]],
  ['what passed in it is not looked at again', 'oporr', { step: 4, slots: 2 }, [2]],
  ['a culprit that is found leaves nothing to test', 'opr', { step: 4, slots: 2 }, []],
  ['no slot is free', 'otor', { step: 4, slots: 1 }, []],
];

for (const [name, text, options, wanted] of cases) {
  test(`check points: ${name}`, () => {
    const given = { step: null, slots: 1, growing: false, ...options };
    assert.deepEqual(checkPoints(places(text), given), wanted);
  });
}

test('check points are open places before the first red one, never more than there are slots', () => {
  const state = fc.constantFrom<PlaceState>('passed', 'red', 'testing', 'open', 'open', 'open');
  const options = fc.record({
    step: fc.constantFrom(null, 1, 2, 3, 8),
    slots: fc.integer({ min: 1, max: 5 }),
    growing: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(state, { maxLength: 16 }), options, (given, how) => {
      const points = checkPoints(given, how);
      const red = given.indexOf('red');
      for (const at of points) {
        assert.equal(given[at], 'open');
        assert.ok(red === -1 || at < red);
      }
      assert.equal(new Set(points).size, points.length);
      assert.ok(points.length <= how.slots);
    }),
  );
});

test('testing what is asked for finds the first bad place of every chain', () => {
  const bad = fc.integer({ min: 0, max: 11 });
  const step = fc.constantFrom(null, 1, 3, 8);
  fc.assert(
    fc.property(bad, step, fc.integer({ min: 1, max: 4 }), (first, step, slots) => {
      const known: PlaceState[] = Array.from({ length: 12 }, () => 'open');
      for (let round = 0; round < 40; round += 1) {
        const points = checkPoints(known, { step, slots, growing: false });
        if (points.length === 0) break;
        for (const at of points) known[at] = at < first ? 'passed' : 'red';
      }
      assert.equal(known.indexOf('red'), first);
      assert.ok(first === 0 || known[first - 1] === 'passed');
    }),
  );
});
