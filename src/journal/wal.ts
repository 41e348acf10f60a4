/**
 * What a write-ahead log that was left behind is worth, looked at before SQLite reads it: SQLite drops everything from
 * the first damaged frame on, without a word. Format: sqlite.org/fileformat2.html, section 4.
 *
 * A process that is killed leaves at most a torn last frame, which nobody was told of; frames behind a damaged one were
 * written later, so something that had been acknowledged may be gone.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';

/** Bytes at the end of a write-ahead log that SQLite will not read. */
export interface WalDamage {
  /** Where the first damaged frame begins. */
  readonly offset: number;
  /** From there to the end of the last frame that belongs to this log. */
  readonly lostBytes: number;
}

const headerBytes = 32;
const frameHeaderBytes = 24;
const magic = 0x377f0682;

/** What is damaged in the file at the path; null when nothing is, or when there is no such file. */
export function walDamage(path: string): WalDamage | null {
  let fd: number;
  try {
    fd = openSync(path, 'r');
  } catch {
    // What cannot be read here cannot be read by SQLite either, which then says so.
    return null;
  }
  try {
    return scan(fd, fstatSync(fd).size);
  } finally {
    closeSync(fd);
  }
}

interface Salts {
  readonly one: number;
  readonly two: number;
}

function scan(fd: number, size: number): WalDamage | null {
  if (size <= headerBytes) return null;
  const header = readAt(fd, 0, headerBytes);
  const sign = header.readUInt32BE(0);
  const pageSize = header.readUInt32BE(8);
  const big = sign === magic + 1;
  const sums = checksum(header.subarray(0, headerBytes - 8), [0, 0], big);
  const whole =
    (sign === magic || big) &&
    pageSize >= 512 &&
    pageSize <= 65_536 &&
    sums[0] === header.readUInt32BE(24) &&
    sums[1] === header.readUInt32BE(28);
  if (!whole) return { offset: 0, lostBytes: size };
  const salts = { one: header.readUInt32BE(16), two: header.readUInt32BE(20) };
  const frameBytes = frameHeaderBytes + pageSize;
  let running: readonly [number, number] = [sums[0], sums[1]];
  let offset = headerBytes;
  for (; offset + frameBytes <= size; offset += frameBytes) {
    const frame = readAt(fd, offset, frameBytes);
    if (!isOf(frame, salts)) break;
    running = checksum(frame.subarray(0, 8), running, big);
    running = checksum(frame.subarray(frameHeaderBytes), running, big);
    if (running[0] !== frame.readUInt32BE(16) || running[1] !== frame.readUInt32BE(20)) break;
  }
  const end = endOf(fd, { size, from: offset, frameBytes, salts });
  return end > offset ? { offset, lostBytes: end - offset } : null;
}

/** Where the last frame from `from` on ends that carries the salts of this log; older frames may lie behind it. */
function endOf(
  fd: number,
  at: {
    readonly size: number;
    readonly from: number;
    readonly frameBytes: number;
    readonly salts: Salts;
  },
): number {
  const { size, from, frameBytes, salts } = at;
  let end = from;
  for (let offset = from; offset + frameHeaderBytes <= size; offset += frameBytes) {
    if (isOf(readAt(fd, offset, frameHeaderBytes), salts)) end = offset + frameBytes;
  }
  return Math.min(end, size);
}

function isOf(frame: Buffer, salts: Salts): boolean {
  return frame.readUInt32BE(8) === salts.one && frame.readUInt32BE(12) === salts.two;
}

const native = endianness() === 'BE';

/** SQLite's checksum over a multiple of 8 bytes, going on from `sums`. */
function checksum(
  bytes: Buffer,
  sums: readonly [number, number],
  big: boolean,
): readonly [number, number] {
  let [a, b] = sums;
  // A copy begins at a multiple of four, as an array of numbers must.
  const copy = Uint8Array.prototype.slice.call(bytes);
  const words = new Uint32Array(copy.buffer, copy.byteOffset, copy.byteLength / 4);
  for (let i = 0; i < words.length; i += 2) {
    const x = words[i] ?? 0;
    const y = words[i + 1] ?? 0;
    a = (a + (big === native ? x : swap(x)) + b) >>> 0;
    b = (b + (big === native ? y : swap(y)) + a) >>> 0;
  }
  return [a, b];
}

function swap(word: number): number {
  return ((word << 24) | ((word & 0xff00) << 8) | ((word >>> 8) & 0xff00) | (word >>> 24)) >>> 0;
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  for (let done = 0; done < length;) {
    const read = readSync(fd, buffer, done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return buffer;
}
