/** How it is said that nothing starts for want of disk space. */
import { lowDisk } from '../core/disk-space.ts';
import type { Machine } from '../core/events.ts';
import { bytesText } from '../core/lack-text.ts';
import type { RunState } from '../core/state.ts';

/** Below this not even the log can grow, bytes: said without a reserve, too. */
const fullBytes = 64 * 1024;

interface LowDisk {
  /** Bytes. */
  readonly free: number;
  /** Bytes. */
  readonly reserve: number;
}

/** Space below the reserve, as `machine` has it or, where nobody looked, as the run was told; null when it is enough. */
export function lowDiskNow(run: RunState, machine: Machine | null): LowDisk | null {
  const low = lowDisk({ ...run, machine: machine ?? run.machine });
  if (low !== null || machine === null || machine.free >= fullBytes) return low;
  return { free: machine.free, reserve: 0 };
}

/** One sentence without a full stop. */
export function lowDiskText({ free, reserve }: LowDisk): string {
  if (reserve === 0)
    return `disk: ${bytesText(free)} free; nothing can be written until there is more`;
  return `disk: ${bytesText(free)} free, below the reserve of ${bytesText(reserve)}; nothing starts until there is more`;
}
