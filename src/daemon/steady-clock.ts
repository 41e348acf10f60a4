/**
 * The loop's time: begins at the wall clock and goes on by a clock that never jumps, so that neither a clock that is set
 * nor a machine that slept makes a time limit strike early or a pause last longer. It is set right again while nothing
 * waits for time.
 */

export interface SteadyClock {
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Takes over the wall clock; `back` allows it to go back. */
  readonly correct: (back: boolean) => void;
}

/** A clock over `wall` (milliseconds since 1970) and `elapsed` (milliseconds, never set); it begins no earlier than `from`. */
export function steadyClock(options: {
  readonly wall: () => number;
  readonly elapsed: () => number;
  readonly from: number;
}): SteadyClock {
  const { wall, elapsed, from } = options;
  let offset = Math.max(wall(), from) - elapsed();
  return {
    now: () => Math.floor(elapsed() + offset),
    correct: (back) => {
      const right = wall() - elapsed();
      if (back || right > offset) offset = right;
    },
  };
}
