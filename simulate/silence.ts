/** When an attempt last showed that it lives, and what listens for its silence. */
import type { AttemptFolder } from './attempts.ts';
import type { World } from './world.ts';

/** Somebody who finds an attempt silent looks again after so long at the earliest, milliseconds. */
const againMs = 30_000;

/** It printed, reported, committed or was answered. */
export function signOfLife(world: World, folder: AttemptFolder): void {
  folder.silence = Math.max(folder.silence, world.mono - folder.sign.mono);
  folder.sign = { mono: world.mono, wall: world.wall };
}

/** Tells whenever it has been silent for so long, for as long as it lives. */
export function listen(world: World, folder: AttemptFolder, afterMs: number): void {
  const look = (): void => {
    if (!folder.alive) return;
    const left = folder.sign.mono + afterMs - world.mono;
    if (left <= 0) {
      world.coverage.hit('end', 'silent');
      world.onSilence(folder);
    }
    world.after(left > 0 ? left : Math.max(afterMs, againMs), look);
  };
  world.after(afterMs, look);
}
