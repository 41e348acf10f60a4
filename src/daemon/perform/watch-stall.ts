/**
 * Watches whether a live attempt stalls. Silence is measured by this process's own steady clock from the last change
 * that it saw: neither a machine that slept nor a clock that was set makes an agent look silent.
 */
import { signsOfLife } from '../views/signs-of-life.ts';

/**
 * Calls `stalled` when nothing was printed, reported, committed or answered for so long, and again for as long as that
 * goes on: what is told while the attempt waits for a person means nothing. Until disposed.
 */
export function watchStall(options: {
  readonly attemptDir: string;
  readonly tree: string | null;
  readonly afterMs: number;
  readonly stalled: () => void;
  /** Milliseconds of a clock that only goes forward. */
  readonly clock?: () => number;
}): Disposable {
  const { attemptDir, tree, afterMs, stalled, clock = () => performance.now() } = options;
  const look = (): string => JSON.stringify(signsOfLife(attemptDir, tree));
  let seen = look();
  let since = clock();
  const timer = setInterval(
    () => {
      const now = look();
      if (now !== seen) {
        seen = now;
        since = clock();
      } else if (clock() - since >= afterMs) {
        since = clock();
        stalled();
      }
    },
    Math.min(maxStepMs, Math.max(minStepMs, afterMs / 10)),
  );
  return { [Symbol.dispose]: () => clearInterval(timer) };
}

/** How often is looked, milliseconds. */
const minStepMs = 50;
const maxStepMs = 15_000;
