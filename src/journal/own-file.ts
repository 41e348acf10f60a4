/** Opens files that czar alone writes, in a folder where agents may have put anything in their place. */
import { closeSync, constants, lstatSync, openSync, renameSync, rmSync } from 'node:fs';

const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDWR } = constants;

/**
 * A descriptor for reading and appending, which the caller closes. No link is followed: where something else than a
 * plain file with no other name stands, an empty one takes its place.
 */
export function openOwnFile(path: string): number {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there !== undefined && !(there.isFile() && there.nlink === 1)) return replace(path);
  return openSync(path, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0o600);
}

/** Renamed into place: what stands there is not touched. */
function replace(path: string): number {
  const making = `${path}.new`;
  rmSync(making, { recursive: true, force: true });
  const file = openSync(making, O_RDWR | O_APPEND | O_CREAT | O_EXCL, 0o600);
  try {
    renameSync(making, path);
    return file;
  } catch (error) {
    // A folder, say.
    closeSync(file);
    rmSync(making, { force: true });
    throw error;
  }
}
