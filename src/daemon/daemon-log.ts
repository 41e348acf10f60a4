/** The file in which a daemon and its guardian say what they do, and reading it. */
import {
  closeSync,
  copyFileSync,
  fstatSync,
  ftruncateSync,
  fchmodSync,
  lstatSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { openOwnFile } from '../journal/own-file.ts';
import { makeGeneratedFolder } from '../process/generated-folder.ts';
import { watchFolder } from '../process/changes.ts';
import { lastLines, readLines } from '../process/tail.ts';
import type { Place } from './place.ts';

/** Size from which it begins anew, the old one beside it, bytes. */
const limit = 4 * 1024 * 1024;

/** How often is looked without a notice of the system, milliseconds. */
const backstopMs = 500;

type OfHome = Pick<Place, 'home'>;

/** Where it is. */
export function daemonLog(place: OfHome): string {
  return join(place.home.path, 'logs', 'daemon.log');
}

/** Opens it for writing at its end and hands it to `use`; it is begun anew first when it has grown large. */
export function withDaemonLog<T>(place: OfHome, use: (fd: number) => T): T {
  const path = daemonLog(place);
  makeGeneratedFolder(dirname(path));
  if ((lstatSync(path, { throwIfNoEntry: false })?.size ?? 0) > limit)
    renameSync(path, `${path}.1`);
  const fd = openOwnFile(path);
  try {
    fchmodSync(fd, 0o600);
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** Begins it anew when it is this process's stderr and has grown large: what it held is copied beside it. */
export function boundDaemonLog(place: OfHome, stderr = 2): void {
  const path = daemonLog(place);
  try {
    const [mine, named] = [fstatSync(stderr), statSync(path)];
    if (mine.ino !== named.ino || mine.size <= limit) return;
    rmSync(`${path}.1`, { force: true });
    copyFileSync(path, `${path}.1`);
    ftruncateSync(stderr, 0);
  } catch {
    // It is for reading only: nothing depends on it.
  }
}

/** Its last lines; with a signal, then what comes until that is given. */
export async function* readDaemonLog(
  place: OfHome,
  options: { readonly lines: number; readonly follow: AbortSignal | null },
): AsyncIterable<string> {
  const path = daemonLog(place);
  const { follow } = options;
  let offset = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  yield* lastLines(path, options.lines);
  while (follow !== null && !follow.aborted) {
    const changed = Promise.withResolvers<void>();
    const stop = (): void => changed.resolve();
    follow.addEventListener('abort', stop, { once: true });
    using _watched = watchFolder(dirname(path), backstopMs, stop);
    // What was written before the watch began.
    let read = readLines({ path, offset });
    if (read.lines.length === 0) {
      await changed.promise;
      read = readLines({ path, offset });
    }
    follow.removeEventListener('abort', stop);
    ({ offset } = read);
    for (const { text } of read.lines) yield text;
  }
}
