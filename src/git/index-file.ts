/**
 * The index of a checkout as bytes (gitformat-index, version 2): what git saw of each file when it wrote it. Only what
 * git writes by itself is read; anything else is null.
 */
import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';

export interface IndexFile {
  readonly bytes: Buffer;
  readonly idLength: number;
  /** Number of each path's entry, in the order of the file. */
  readonly paths: ReadonlyMap<string, number>;
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
  const paths = new Map<string, number>();
  const starts = new Uint32Array(count + 1);
  const text = bytes.toString('latin1');
  let at = headerLength;
  for (let nth = 0; nth < count; nth += 1) {
    starts[nth] = at;
    const nameAt = at + statLength + idLength + 2;
    if (nameAt > end) return null;
    const kind = bytes.readUInt32BE(at + 24) >>> 12;
    // No other repository, no entry in conflict or with a promise that its file is unchanged.
    if (kind !== regular >>> 12 && kind !== link >>> 12) return null;
    if ((bytes.readUInt16BE(nameAt - 2) & 0xf000) !== 0) return null;
    const nameEnd = text.indexOf('\0', nameAt);
    if (nameEnd < 0) return null;
    let name = text.slice(nameAt, nameEnd);
    if (/[\x80-\xff]/.test(name)) name = bytes.toString('utf8', nameAt, nameEnd);
    if (name.includes('\ufffd')) return null;
    paths.set(name, nth);
    at += ((nameEnd - at) | 7) + 1;
  }
  starts[count] = at;
  return at <= end && paths.size === count ? { bytes, idLength, paths, starts } : null;
}

/** Id of what a path holds, or null when there is no such path. */
export function idAt({ bytes, idLength, paths, starts }: IndexFile, path: string): string | null {
  const start = starts[paths.get(path) ?? -1];
  if (start === undefined) return null;
  return bytes.toString('hex', start + statLength, start + statLength + idLength);
}

/**
 * Whether a file is still the very one that git wrote: not written to since, not renamed, linked, or given other rights,
 * since each of these changes its `ctime`, which no program can set. `plain` is the mode of new files without the right
 * to execute.
 */
export function isUntouched(
  { bytes, starts }: IndexFile,
  nth: number,
  stat: Stats,
  plain: number,
): boolean {
  const start = starts[nth] ?? 0;
  const word = (index: number): number => bytes.readUInt32BE(start + 4 * index);
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
export function hasFineTimes({ bytes, starts }: IndexFile): boolean {
  return starts.subarray(0, -1).some((start) => bytes.readUInt32BE(start + 4) !== 0);
}

/** The same index without the entries that `isGone` names. */
export function without(index: IndexFile, isGone: (nth: number) => boolean): Buffer {
  const { bytes, starts } = index;
  const parts: Buffer[] = [];
  let count = 0;
  for (let nth = 0; nth + 1 < starts.length; nth += 1) {
    if (isGone(nth)) continue;
    parts.push(bytes.subarray(starts[nth], starts[nth + 1]));
    count += 1;
  }
  if (count + 1 === starts.length) return bytes;
  const header = Buffer.from(bytes.subarray(0, headerLength));
  header.writeUInt32BE(count, 8);
  const body = Buffer.concat([header, ...parts]);
  return Buffer.concat([body, checksum(body, 2 * index.idLength)]);
}

function checksum(bytes: Buffer, width: number): Buffer {
  return createHash(width === 64 ? 'sha256' : 'sha1')
    .update(bytes)
    .digest();
}
