/** Waits for changes in one folder. An event when the system gives one, and a slow look besides. */
import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';

/** A folder whose changes are looked at. */
export interface FolderWatch extends Disposable {
  /** Whether the system tells of changes; if not, the slow look is all there is. */
  readonly isTold: () => boolean;
}

/**
 * Calls `look` after every change in the folder, named by the file that changed (null: the slow look, every
 * `backstopMs`), until disposed. Changes of one turn of the event loop may come as one.
 */
export function watchFolder(
  dir: string,
  backstopMs: number,
  look: (file: string | null) => void,
): FolderWatch {
  let watcher: FSWatcher | null = null;
  try {
    watcher = watch(dir, { persistent: true }, (_event, file) => look(file));
    // Out of watches, or the folder is gone: the slow look remains.
    watcher.on('error', () => {
      watcher?.close();
      watcher = null;
    });
  } catch {
    watcher = null;
  }
  const backstop = setInterval(() => look(null), backstopMs);
  return {
    isTold: () => watcher !== null,
    [Symbol.dispose]() {
      clearInterval(backstop);
      watcher?.close();
    },
  };
}
