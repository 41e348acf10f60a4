/** What the machine has: the only place that asks the system for it. */
import { statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import type { Machine } from '../core/events.ts';

/** The machine, with the disk of these folders that has the least space free; null when no folder can be asked. */
export function lookAtMachine(folders: readonly string[]): Machine | null {
  let disk: Pick<Machine, 'disk' | 'free'> | null = null;
  for (const folder of folders) {
    const found = spaceOf(folder);
    if (found !== null && (disk === null || found.free < disk.free)) disk = found;
  }
  return disk === null ? null : { cpu: availableParallelism(), memory: totalmem(), ...disk };
}

function spaceOf(folder: string): Pick<Machine, 'disk' | 'free'> | null {
  try {
    const { blocks, bavail, bsize } = statfsSync(folder);
    return { disk: blocks * bsize, free: bavail * bsize };
  } catch {
    return null;
  }
}
