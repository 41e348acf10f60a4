/** Tells an attempt's watchdog that a loop is there. */
import type { AttemptFiles } from '../../agents/attempt-files.ts';
import { makeWithinHome } from '../../process/generated-folder.ts';
import { markWatched } from '../../process/status.ts';
import type { Workplace } from '../workplace.ts';

/** How often at the least, milliseconds. */
const watchedMs = 60_000;
/** When an attempt gets its watchdog, milliseconds. */
const guardMs = 1_000;

/**
 * Tells the watchdog that this loop is there, now and then, once the attempt has lived for a moment: before that it has
 * none.
 */
export function keepWatched(
  place: Workplace,
  files: AttemptFiles,
  unattendedMs: number,
): Disposable {
  const attendIt = (): void => {
    try {
      attend(place, files);
    } catch {
      // A full disk, say: the watchdog has patience, and the next one may be written.
    }
  };
  let again: NodeJS.Timeout | undefined;
  // Several times in the watchdog's patience, however short that is.
  const often = Math.min(watchedMs, unattendedMs / 4);
  const first = setTimeout(
    () => {
      attendIt();
      place.runners.guard(files.attemptDir);
      again = setInterval(attendIt, often);
    },
    Math.min(guardMs, often),
  );
  return {
    [Symbol.dispose]: () => {
      clearTimeout(first);
      clearInterval(again);
    },
  };
}

/** Tells the watchdog that this loop is there, in folders that a cleaning may have taken away. */
function attend(place: Workplace, files: AttemptFiles): void {
  makeWithinHome(place.git.home, files.attemptDir);
  markWatched(files.attemptDir);
}
