/**
 * Which combined trees of a merge chain are to be tested now. Each place in the chain holds all the work of the places
 * ahead of it, so a tree that passes can speak for every place up to it, and one that does not has its culprit at
 * or before it.
 */

/** What is known of the tree at one place of the chain. */
export type PlaceState = 'passed' | 'red' | 'testing' | 'open' | 'unbuilt';

export interface CheckPointOptions {
  /** How many places one test should speak for; null when each is tested, whatever passes behind it. */
  readonly step: number | null;
  /** Tests that may run at the same time, those under way included. */
  readonly slots: number;
  /** Whether more places are about to be added at the end of the chain. */
  readonly growing: boolean;
}

/** Places (from 0) whose test should begin, the most useful first; nothing is known behind the first red one. */
export function checkPoints(
  places: readonly PlaceState[],
  { step, slots, growing }: CheckPointOptions,
): readonly number[] {
  const red = places.indexOf('red');
  const end = red === -1 ? places.length : red;
  if (step === null) {
    const before = places.slice(0, end);
    const running = before.filter((state) => state === 'testing').length;
    const open = before.flatMap((state, at) => (state === 'open' ? [at] : []));
    return open.slice(0, Math.max(0, slots - running));
  }
  const passed = places.slice(0, end).lastIndexOf('passed');
  const testing = places.flatMap((state, at) =>
    state === 'testing' && at > passed && at < end ? [at] : [],
  );
  const free = slots - testing.length;
  if (free <= 0) return [];
  return red === -1
    ? onward({ places, from: testing.at(-1) ?? passed, step, free, growing })
    : between([passed, ...testing, red], free);
}

/** Every `step` places one test; the rest at the end only when nothing is added to it any more. */
function onward(of: {
  readonly places: readonly PlaceState[];
  readonly from: number;
  readonly step: number;
  readonly free: number;
  readonly growing: boolean;
}): readonly number[] {
  const { places, step, growing } = of;
  const built = places.filter((state) => state !== 'unbuilt').length;
  const whole = !growing && built === places.length;
  const points: number[] = [];
  for (let at = of.from; points.length < of.free && at < built - 1;) {
    const next = Math.min(at + step, built - 1);
    if (next < at + step && !whole) break;
    points.push(next);
    at = next;
  }
  return points;
}

/** Bisection, at as many places at once as slots are free: they split the gaps between what is known most evenly. */
function between(known: readonly number[], free: number): readonly number[] {
  const gaps = known.slice(1).map((end, at) => {
    const start = known[at] ?? 0;
    return { start, size: end - start, parts: 1 };
  });
  for (let left = free; left > 0; left -= 1) {
    const [widest] = gaps
      .filter(({ size, parts }) => parts < size)
      .toSorted((a, b) => b.size / b.parts - a.size / a.parts);
    if (widest === undefined) break;
    widest.parts += 1;
  }
  return gaps.flatMap(({ start, size, parts }) =>
    Array.from({ length: parts - 1 }, (_, part) => start + Math.floor((size * (part + 1)) / parts)),
  );
}
