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

/** Looks at the machine as it was at most `trustMs` ago: a loop asks at every turn. */
export function machineWatch(folders: readonly string[], trustMs = 100): () => Machine | null {
  let last: { readonly at: number; readonly machine: Machine | null } | null = null;
  return () => {
    const now = performance.now();
    if (last === null || now - last.at >= trustMs)
      last = { at: now, machine: lookAtMachine(folders) };
    return last.machine;
  };
}

function spaceOf(folder: string): Pick<Machine, 'disk' | 'free'> | null {
  try {
    const { blocks, bavail, bsize } = statfsSync(folder);
    return { disk: blocks * bsize, free: bavail * bsize };
  } catch {
    return null;
  }
}
