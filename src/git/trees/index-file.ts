/**
 * The index of a checkout as bytes (gitformat-index, version 2): what git saw of each file when it wrote it. Only what
 * git writes by itself is read; anything else is null.
 */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { endianness } from 'node:os';

export interface IndexFile {
  readonly bytes: Buffer;
  readonly idLength: number;
  /** The same as words of four bytes; each entry begins with one. */
  readonly words: Uint32Array;
  /** The path of each entry, in the order of the file. */
  readonly paths: readonly string[];
  /** Where the entries begin, by number, and where they end. */
  readonly starts: Uint32Array;
}

const headerLength = 12;
/** Times, device, inode, mode, user, group and size, before the id. */
const statLength = 40;
const regular = 0o100000;
const link = 0o120000;

/** Reads an index with ids of `width` signs; null when it is damaged, of another version, or not a plain checkout's. */
export function readIndex(bytes: Buffer, width: number): IndexFile | null {
  const idLength = width / 2;
  const end = bytes.length - idLength;
  if (end < headerLength || bytes.toString('latin1', 0, 4) !== 'DIRC') return null;
  if (bytes.readUInt32BE(4) !== 2) return null;
  if (!checksum(bytes.subarray(0, end), width).equals(bytes.subarray(end))) return null;
  const count = bytes.readUInt32BE(8);
  if (count > bytes.length / statLength) return null;
  const words = wordsOf(bytes);
  const paths: string[] = [];
  const starts = new Uint32Array(count + 1);
  const text = bytes.toString('latin1');
  let at = headerLength;
  for (let nth = 0; nth < count; nth += 1) {
    starts[nth] = at;
    const nameAt = at + statLength + idLength + 2;
    if (nameAt > end) return null;
    const kind = (words[at / 4 + 6] ?? 0) >>> 12;
    // No other repository, no entry in conflict or with a promise that its file is unchanged.
    if (kind !== regular >>> 12 && kind !== link >>> 12) return null;
    if ((bytes.readUInt16BE(nameAt - 2) & 0xf000) !== 0) return null;
    const nameEnd = text.indexOf('\0', nameAt);
    if (nameEnd < 0) return null;
    let name = text.slice(nameAt, nameEnd);
    if (/[\x80-\xff]/.test(name)) {
      name = bytes.toString('utf8', nameAt, nameEnd);
      if (name.includes('\ufffd')) return null;
    }
    // In their order, so that equal ones are neighbours.
    if (name === paths.at(-1)) return null;
    paths.push(name);
    at += ((nameEnd - at) | 7) + 1;
  }
  starts[count] = at;
  return at <= end ? { bytes, words, idLength, paths, starts } : null;
}

/**
 * The folders of the checkout, as the index tells them beside its entries (its extension `TREE`): read without looking
 * at each path. Empty when it does not tell, which may be at any time.
 */
export function foldersOf(bytes: Buffer, width: number): readonly string[] {
  const idLength = width / 2;
  const end = bytes.length - idLength;
  if (end < headerLength || bytes.readUInt32BE(4) !== 2) return [];
  let at = headerLength;
  for (let left = bytes.readUInt32BE(8); left > 0 && at < end; left -= 1) {
    const flagsAt = at + statLength + idLength;
    const length = bytes.readUInt16BE(flagsAt) & 0xfff;
    // A longer name does not say how long it is.
    const nameEnd = length < 0xfff ? flagsAt + 2 + length : bytes.indexOf(0, flagsAt + 2);
    at += ((nameEnd - at) | 7) + 1;
  }
  while (at + 8 <= end) {
    const size = bytes.readUInt32BE(at + 4);
    if (bytes.toString('latin1', at, at + 4) === 'TREE')
      return foldersIn(bytes.subarray(at + 8, at + 8 + size), idLength);
    at += 8 + size;
  }
  return [];
}

/** Each folder is its name, a zero, how many entries and folders are in it, and its id; those in it follow. */
function foldersIn(bytes: Buffer, idLength: number): readonly string[] {
  const folders: string[] = [];
  /** The folders that we are in, with how many of theirs are still to come. */
  const above: { readonly path: string; left: number }[] = [];
  for (let at = 0; at < bytes.length;) {
    const nameEnd = bytes.indexOf(0, at);
    const lineEnd = bytes.indexOf('\n', nameEnd);
    if (nameEnd < 0 || lineEnd < 0) return [];
    const name = bytes.toString('utf8', at, nameEnd);
    const [entries = NaN, below = NaN] = bytes
      .toString('latin1', nameEnd + 1, lineEnd)
      .split(' ')
      .map(Number);
    while (above.at(-1)?.left === 0) above.pop();
    const parent = above.at(-1);
    if (parent !== undefined) parent.left -= 1;
    const path = parent === undefined || parent.path === '' ? name : `${parent.path}/${name}`;
    if (path !== '') folders.push(path);
    above.push({ path, left: below });
    // One that is not known to be as its id says has none.
    at = lineEnd + 1 + (entries < 0 ? 0 : idLength);
  }
  return folders;
}

/** What the paths hold that are wanted, by path. */
export function idsOf(
  { bytes, idLength, paths, starts }: IndexFile,
  wanted: (path: string) => boolean,
): ReadonlyMap<string, string> {
  const ids = new Map<string, string>();
  for (const [nth, path] of paths.entries()) {
    const at = (starts[nth] ?? 0) + statLength;
    if (wanted(path)) ids.set(path, bytes.toString('hex', at, at + idLength));
  }
  return ids;
}

/**
 * Whether a file is still the very one that git wrote: not written to since, not renamed, linked, or given other rights,
 * since each of these changes its `ctime`, which no program can set. `plain` is the mode of new files without the right
 * to execute.
 */
export function isUntouched(
  { words, starts }: IndexFile,
  nth: number,
  stat: Stats,
  plain: number,
): boolean {
  const start = (starts[nth] ?? 0) / 4;
  const word = (index: number): number => words[start + index] ?? 0;
  const mode = word(6);
  const rights = (mode & 0o100) === 0 ? plain : plain | ((plain & 0o444) >>> 2);
  return (
    stat.ctimeMs === word(0) * 1e3 + word(1) / 1e6 &&
    stat.mtimeMs === word(2) * 1e3 + word(3) / 1e6 &&
    stat.ino % 2 ** 32 === word(5) &&
    (mode >>> 12 === link >>> 12 ? stat.isSymbolicLink() : stat.mode === (regular | rights)) &&
    stat.uid === word(7) &&
    stat.gid === word(8) &&
    stat.size % 2 ** 32 === word(9) &&
    stat.nlink === 1
  );
}

/** Whether the file system told git times finer than a second; without them a change within it could go unseen. */
export function hasFineTimes({ words, starts }: IndexFile): boolean {
  return starts.subarray(0, -1).some((start) => words[start / 4 + 1] !== 0);
}

/** The same index without the entries that `isGone` names. */
export function without(index: IndexFile, isGone: (nth: number) => boolean): Buffer {
  const { bytes, starts } = index;
  const parts: Buffer[] = [];
  const count = starts.length - 1;
  // From entry to entry that goes: most stay.
  let [from, left] = [0, 0];
  for (let nth = 0; nth <= count; nth += 1) {
    if (nth < count && !isGone(nth)) continue;
    if (nth > from) parts.push(bytes.subarray(starts[from], starts[nth]));
    left += nth - from;
    from = nth + 1;
  }
  if (left === count) return bytes;
  const header = Buffer.from(bytes.subarray(0, headerLength));
  header.writeUInt32BE(left, 8);
  const body = Buffer.concat([header, ...parts]);
  return Buffer.concat([body, checksum(body, 2 * index.idLength)]);
}

/** The bytes as numbers, which stand there with the highest byte first; a rest of less than four is left out. */
function wordsOf(bytes: Buffer): Uint32Array {
  const copy = new Uint8Array(bytes.subarray(0, bytes.length & ~3));
  if (endianness() === 'LE') Buffer.from(copy.buffer).swap32();
  return new Uint32Array(copy.buffer);
}

function checksum(bytes: Buffer, width: number): Buffer {
  return createHash(width === 64 ? 'sha256' : 'sha1')
    .update(bytes)
    .digest();
}
