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
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

const toDisk = promisify(fsync);

/** Id of a ref that has a file of its own, which counts before all others; null when it has none, or names another. */
export function readLooseRef(gitDir: string, ref: string): string | null {
  if (!isPlain(ref)) return null;
  try {
    if (!existsSync(`${gitDir}/${ref}`)) return null;
    const text = readFileSync(`${gitDir}/${ref}`, 'latin1');
    return /^(?:[0-9a-f]{40}|[0-9a-f]{64})\n$/.test(text) ? text.trimEnd() : null;
  } catch {
    return null;
  }
}

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
  if (!isPlain(ref) || !existsSync(`${gitDir}/refs/czar`)) return null;
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

/** Where the ref stands; undefined when its file does not say, or when it may be among the packed ones. */
function standing(gitDir: string, ref: string): string | null | undefined {
  const there = lstatSync(`${gitDir}/${ref}`, { throwIfNoEntry: false });
  if (there === undefined) return isPacked(gitDir, ref) ? undefined : null;
  return there.isFile() ? (readLooseRef(gitDir, ref) ?? undefined) : undefined;
}

/** Whether the ref, or one below it, is in the file of packed ones, which is only ever replaced as a whole. */
function isPacked(gitDir: string, ref: string): boolean {
  if (!existsSync(`${gitDir}/packed-refs`)) return false;
  const packed = readFileSync(`${gitDir}/packed-refs`);
  return packed.includes(` ${ref}\n`) || packed.includes(` ${ref}/`);
}

/** A ref of czar's, without anything that a path or git could read otherwise. */
function isPlain(ref: string): boolean {
  return (
    /^refs\/(?:czar|user)(?:\/[\w@-][\w.@-]*)+$/.test(ref) && !/\.\.|\.lock(?:\/|$)|@\{/.test(ref)
  );
}
