/**
 * Keeps a file bounded that a program appends to for as long as it likes, without the program noticing: it is emptied
 * in place, and what it ended with lies beside it.
 *
 * Owns `<file>.dropped` and `<file>.old`. Invariants: an offset counts from the first byte that was ever written, so
 * emptying moves no reader back; only a plain file that has no other name is emptied, since whoever writes it may have
 * put anything in its place. The writer must append (`O_APPEND`), or the file would get a hole instead.
 */
import {
  closeSync,
  constants,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { openPlainFile, whatIsAt } from './plain-file.ts';

/** How large a file may become before it is emptied, bytes; when it has not been read to its end yet, four times that. */
export const boundBytes = 16 * 1024 * 1024;
/** How much of its end is kept beside it, bytes. */
const tailBytes = 1024 * 1024;

/** Where the end of what was dropped is, after a line that says how much that was. */
export function olderPart(path: string): string {
  return `${path}.old`;
}

/** How many bytes of the file have been dropped so far: an offset minus this is a place in the file. */
export function droppedBytes(path: string): number {
  const file = `${path}.dropped`;
  // Most files are small and have none.
  if (whatIsAt(file) === null) return 0;
  const record = openPlainFile(file);
  if (record === null) return 0;
  try {
    // The second number is what was about to be dropped: whether it was, the file's size tells.
    const [, before, next] =
      /^(\d{1,15}) (\d{1,15}) \.\n$/.exec(readFileSync(record, 'latin1')) ?? [];
    if (before === undefined) return 0;
    return Number(before) + (sizeOf(path) < Number(next) ? Number(next) : 0);
  } finally {
    closeSync(record);
  }
}

/**
 * Empties the file when it is larger than its bound; `readTo` is how far it was read. True when it was emptied. Throws
 * when the records cannot be written; the file is as it was then.
 */
export function keepBounded(path: string, readTo: number, bound = boundBytes): boolean {
  if (sizeOf(path) <= bound) return false;
  const file = openToEmpty(path);
  if (file === null) return false;
  try {
    const { size } = fstatSync(file);
    const dropped = droppedBytes(path);
    if (readTo < dropped + size && size <= 4 * bound) return false;
    const tail = Buffer.alloc(Math.min(size, tailBytes, bound));
    readSync(file, tail, 0, tail.length, size - tail.length);
    const mark = `[czar dropped ${dropped + size - tail.length} bytes of this output]\n`;
    replace(olderPart(path), Buffer.concat([Buffer.from(mark), wholeLines(tail)]));
    replace(`${path}.dropped`, `${dropped} ${size} .\n`);
    ftruncateSync(file, 0);
    replace(`${path}.dropped`, `${dropped + size} 0 .\n`);
    return true;
  } finally {
    closeSync(file);
  }
}

/** Without the part of a line that it begins with, and with an end of line. */
function wholeLines(tail: Buffer): Buffer {
  const first = tail.indexOf(0x0a) + 1;
  const lines = first < tail.length ? tail.subarray(first) : tail;
  return lines.at(-1) === 0x0a ? lines : Buffer.concat([lines, Buffer.from('\n')]);
}

function openToEmpty(path: string): number | null {
  const { O_RDWR, O_NOFOLLOW, O_NONBLOCK } = constants;
  let file: number;
  try {
    file = openSync(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK);
  } catch {
    return null;
  }
  const stat = fstatSync(file);
  if (stat.isFile() && stat.nlink === 1) return file;
  closeSync(file);
  return null;
}

function sizeOf(path: string): number {
  return whatIsAt(path)?.size ?? 0;
}

/** Renamed into place: what was put there instead must not block or lead elsewhere. */
function replace(path: string, content: string | Buffer): void {
  const making = `${path}.new`;
  rmSync(making, { recursive: true, force: true });
  writeFileSync(making, content, { flag: 'wx', mode: 0o600 });
  try {
    renameSync(making, path);
  } catch {
    // A folder, say.
    rmSync(path, { recursive: true, force: true });
    renameSync(making, path);
  }
}
