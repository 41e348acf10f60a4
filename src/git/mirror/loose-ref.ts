/**
 * Moves a ref that has a file of its own by compare-and-swap, with git's own protocol (gitrepository-layout, and files
 * backend): whoever creates `<ref>.lock` may compare and write; the lock becomes the ref. So it excludes every git, and
 * every git excludes it.
 *
 * Only for repositories of czar's own, which have the files backend and no reflogs, and for plain refs; whatever else is
 * found is null, and git moves the ref or says why not.
 */
import {
  closeSync,
  existsSync,
  fsync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { isPlainRef, refInFiles, refsInFiles } from './ref-files.ts';

const toDisk = promisify(fsync);

/**
 * Moves a ref to a commit that is stored. `from`: where it must stand (null: nowhere); left out, wherever it stands.
 * `lost` when it stands elsewhere; nothing was changed then. Null when git must do it.
 */
export async function moveLooseRef(
  gitDir: string,
  move: { readonly ref: string; readonly to: string; readonly from?: string | null },
): Promise<'moved' | 'lost' | null> {
  const { ref, to, from } = move;
  const place = `${gitDir}/${ref}`;
  if (!isPlainRef(ref) || !existsSync(`${gitDir}/refs/czar`)) return null;
  const lock = `${place}.lock`;
  let file: number;
  try {
    mkdirSync(dirname(place), { recursive: true });
    file = openSync(lock, 'wx', 0o644);
  } catch {
    return null;
  }
  let done = false;
  try {
    try {
      const found = standing(gitDir, ref);
      if (found === undefined) return null;
      if (from !== undefined && found !== from) return 'lost';
      writeSync(file, `${to}\n`);
      await toDisk(file);
    } finally {
      closeSync(file);
    }
    renameSync(lock, place);
    done = true;
    return 'moved';
  } finally {
    if (!done) rmSync(lock, { force: true });
  }
}

/** Where the ref stands; undefined when git must say. */
function standing(gitDir: string, ref: string): string | null | undefined {
  const found = refInFiles(gitDir, ref);
  if (found !== null) return found;
  // A folder of its name, or one below it that is packed, would be in its way.
  const free = !existsSync(`${gitDir}/${ref}`) && refsInFiles(gitDir, ref)?.size === 0;
  return free ? null : undefined;
}
