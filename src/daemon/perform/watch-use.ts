/** Watches whether a live attempt uses more of the machine than it may. */
import type { LimitKind } from '../../core/events.ts';
import type { AttemptLimits } from '../../core/plan.ts';
import type { Meter } from '../../process/meter.ts';
import { markStopped } from '../../process/status.ts';

/** Calls `over` once, when the attempt in the folder has hit a limit and that is on record; until disposed. */
export function watchUse(options: {
  readonly attemptDir: string;
  readonly limits: AttemptLimits;
  readonly meter: Meter;
  readonly over: (limit: LimitKind) => void;
}): Disposable {
  const { attemptDir, limits, meter, over } = options;
  let timer: NodeJS.Timeout | undefined;
  let disposed = false;
  const look = async (): Promise<void> => {
    const limit = await meter.over(attemptDir, limits).catch(() => null);
    if (disposed) return;
    if (limit !== null && isMarked(attemptDir, limit)) return over(limit);
    timer = setTimeout(() => void look(), lookMs);
  };
  timer = setTimeout(() => void look(), lookMs);
  return {
    [Symbol.dispose]: () => {
      disposed = true;
      clearTimeout(timer);
      meter.forget(attemptDir);
    },
  };
}

/** How often is looked, milliseconds. */
const lookMs = 2_000;

/** Puts on record what ends it, unless something else does already; false when that cannot be written now. */
function isMarked(dir: string, limit: LimitKind): boolean {
  try {
    markStopped(dir, limit);
    return true;
  } catch {
    return false;
  }
}
