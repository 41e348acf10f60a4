/**
 * Reads a growing file by lines from a remembered offset, and the last lines of a file for a person.
 *
 * Invariants: an offset that is returned lies behind a line feed, or inside a line that was too long and whose rest is
 * skipped by the next call; memory is bounded by the arguments; bytes that are not UTF-8 become U+FFFD.
 */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { openPlainFile, plainSize } from './plain-file.ts';

export interface Line {
  readonly text: string;
  /** Whether the line was longer than the limit: `text` is its beginning. */
  readonly cut: boolean;
}

const lineFeed = 0x0a;
const brace = 0x7b;
const defaultMaxBytes = 1024 * 1024;

/**
 * Whole lines from `offset` on, of at most `maxBytes` (default 1 MiB) in one call: call again while lines come. A line
 * of more bytes than `maxLineBytes` (default, and at most, `maxBytes`) is cut. With `atEnd` the file grows no more, and
 * a last line without a line feed counts too. What is missing or no plain file has no lines; in one that became shorter than `offset` the
 * reading goes on at its end.
 */
export function readLines(options: {
  readonly path: string;
  readonly offset: number;
  readonly maxBytes?: number;
  readonly maxLineBytes?: number;
  readonly atEnd?: boolean;
  /** Only lines that begin with `{`, blanks before it aside: the others are passed over without being decoded. */
  readonly objects?: boolean;
}): { readonly lines: readonly Line[]; readonly offset: number } {
  const { path, offset, maxBytes = defaultMaxBytes, atEnd = false } = options;
  const limit = Math.min(options.maxLineBytes ?? maxBytes, maxBytes);
  // Most looks find nothing new.
  const known = plainSize(path);
  if (known !== null && known <= offset) return { lines: [], offset: known };
  const file = known === null ? null : openPlainFile(path);
  if (file === null) return { lines: [], offset };
  try {
    const { size } = fstatSync(file);
    if (size <= offset) return { lines: [], offset: size };
    // The byte before tells whether the offset is in the rest of a line that was cut.
    const before = Math.min(offset, 1);
    const bytes = readAt(file, offset - before, Math.min(size - offset, maxBytes) + before);
    let from = before;
    if (before === 1 && bytes[0] !== lineFeed) {
      const end = bytes.indexOf(lineFeed, 1);
      if (end < 0) return { lines: [], offset: offset - before + bytes.length };
      from = end + 1;
    }
    const whole = offset - before + bytes.length >= size;
    const lines: Line[] = [];
    const ends = options.objects === true ? objectLine : anyLine;
    for (let next = ends(bytes, from); next !== null; next = ends(bytes, from)) {
      if (next.start < next.end) lines.push(toLine(bytes.subarray(next.start, next.end), limit));
      else if (options.objects !== true) lines.push(toLine(Buffer.alloc(0), limit));
      from = next.end + 1;
    }
    const rest = bytes.subarray(from);
    if (rest.length > 0 && (rest.length >= maxBytes || (atEnd && whole))) {
      lines.push({ ...toLine(rest, limit), cut: !(atEnd && whole) || rest.length > limit });
      from = bytes.length;
    }
    return { lines, offset: offset - before + from };
  } finally {
    closeSync(file);
  }
}

interface Span {
  readonly start: number;
  /** Where its line feed is. */
  readonly end: number;
}

/** The next whole line from `from` on. */
function anyLine(bytes: Buffer, from: number): Span | null {
  const end = bytes.indexOf(lineFeed, from);
  return end < 0 ? null : { start: from, end };
}

/** The next whole line that may be an object; an empty span at the last line feed when only others are left. */
function objectLine(bytes: Buffer, from: number): Span | null {
  const last = bytes.lastIndexOf(lineFeed);
  if (last < from) return null;
  for (
    let at = bytes.indexOf(brace, from);
    at >= 0 && at < last;
    at = bytes.indexOf(brace, at + 1)
  ) {
    const start = Math.max(from, bytes.lastIndexOf(lineFeed, at) + 1);
    const end = bytes.indexOf(lineFeed, at);
    if (bytes.subarray(start, at).every((byte) => byte === 0x20 || byte === 0x09))
      return { start, end };
    at = end;
  }
  return { start: last, end: last };
}

/** The whole lines at the end of a file, of at most `maxBytes` together, as they came. */
export function linesAtEnd(path: string, maxBytes: number): readonly string[] {
  const file = openUnlessEmpty(path);
  if (file === null) return [];
  try {
    const { size } = fstatSync(file);
    const length = Math.min(size, maxBytes);
    const lines = readAt(file, size - length, length)
      .toString('utf8')
      .split('\n');
    if (length < size) lines.shift();
    return lines.filter((line) => line !== '');
  } finally {
    closeSync(file);
  }
}

/** The last `count` lines that hold something to read, without control sequences, each at most 400 characters. */
export function lastLines(path: string, count: number): readonly string[] {
  const file = openUnlessEmpty(path);
  if (file === null) return [];
  try {
    const { size } = fstatSync(file);
    const length = Math.min(size, Math.max(64 * 1024, count * 1024));
    const text = readAt(file, size - length, length).toString('utf8');
    const lines = text.split('\n');
    if (length < size) lines.shift();
    const readable = lines.map((line) => plainText(lastOverwrite(line)).trimEnd());
    return readable
      .filter((line) => line.trim() !== '')
      .slice(-count)
      .map(shorten);
  } finally {
    closeSync(file);
  }
}

/** A plain file with something in it, for the caller to close. */
function openUnlessEmpty(path: string): number | null {
  return (plainSize(path) ?? 0) === 0 ? null : openPlainFile(path);
}

/**
 * Text without terminal control sequences (ECMA-48: CSI, OSC and the other strings, two-character escapes) and without
 * control characters; a tab becomes a space.
 */
export function plainText(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex
      .replace(/(?:\x1b\]|\x9d)[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|$)/g, '')
      // eslint-disable-next-line no-control-regex
      .replace(/(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x9c]*(?:\x1b\\|\x9c|$)/g, '')
      // eslint-disable-next-line no-control-regex
      .replace(/(?:\x1b\[|\x9b)[0-?]*[ -/]*(?:[@-~]|$)/g, '')
      // eslint-disable-next-line no-control-regex
      .replace(/\x1b[ -/]*[0-~]?/g, '')
      .replace(/\t/g, ' ')
      // eslint-disable-next-line no-control-regex
      .replace(/[\x00-\x1f\x7f-\x9f\u2028\u2029]/g, '')
  );
}

/** What a carriage return left standing: progress bars write one line over and over. */
function lastOverwrite(line: string): string {
  const parts = line.split('\r').filter((part) => plainText(part).trim() !== '');
  return parts.at(-1) ?? '';
}

function shorten(line: string): string {
  return line.length <= 400 ? line : `${line.slice(0, 399)}…`;
}

function toLine(bytes: Buffer, limit: number): Line {
  const cut = bytes.length > limit;
  const text = (cut ? bytes.subarray(0, limit) : bytes).toString('utf8');
  return { text: text.endsWith('\r') ? text.slice(0, -1) : text, cut };
}

/** Used for one read after another: a page for each would be let go of later than they come. */
let page = Buffer.alloc(0);

/** The bytes there, until the next call. */
function readAt(file: number, position: number, length: number): Buffer {
  if (page.length < length) page = Buffer.allocUnsafeSlow(length);
  const bytes = page.subarray(0, length);
  let filled = 0;
  while (filled < length) {
    const count = readSync(file, bytes, filled, length - filled, position + filled);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled);
}
