/**
 * Opens files that a program under czar's watch may have replaced by anything: no link is followed, and a FIFO or device
 * never blocks.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, type Stats } from 'node:fs';

/** Nothing of that name, a link, a socket, a FIFO or device that nobody serves. */
const notPlain: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENOTDIR',
  'ELOOP',
  'EMLINK',
  'ENXIO',
  'ENODEV',
]);

/** What stands there, no link followed; null when nothing does, also where a file stands in place of its folder. */
export function whatIsAt(path: string): Stats | null {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? null;
  } catch (error) {
    if (isNotPlain(error)) return null;
    throw error;
  }
}

/** Bytes of a plain file as it is now; null when there is none. */
export function plainSize(path: string): number | null {
  const found = whatIsAt(path);
  return found?.isFile() === true ? found.size : null;
}

/** A descriptor for reading, which the caller closes; null when there is no plain file. Other failures throw. */
export function openPlainFile(path: string): number | null {
  let file: number;
  try {
    // Most are not there: told by a value, that costs a tenth of a throw.
    if (whatIsAt(path) === null) return null;
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isNotPlain(error)) return null;
    throw error;
  }
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  return null;
}

function isNotPlain(error: unknown): boolean {
  return error instanceof Error && 'code' in error && notPlain.has(error.code);
}
