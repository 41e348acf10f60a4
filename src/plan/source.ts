/**
 * Reading a file that a person or an agent wrote, within limits: a regular file of at most 1 MiB of UTF-8 text without
 * NUL, that does not lie outside the repository behind a link. What does not hold is a problem in a sentence.
 */
import { closeSync, constants, fstatSync, openSync, readSync, realpathSync } from 'node:fs';
import { join, sep } from 'node:path';
import { compare, compareNatural } from '../core/graph.ts';

/** Largest file that is read, bytes. */
export const maxSourceBytes = 1024 * 1024;

/** Text of a file, with what is needed to say where in it something stands. */
export interface SourceFile {
  /** Path relative to the repository root, with `/`. */
  readonly file: string;
  /** Without a byte-order mark; line ends as they are. */
  readonly text: string;
}

/** A place in a file, from 1; `length` in characters, at least 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
  readonly length: number;
  /** The line as it stands in the file. */
  readonly excerpt: string;
}

type Read =
  | { readonly kind: 'read'; readonly source: SourceFile }
  | { readonly kind: 'missing' }
  | { readonly kind: 'problem'; readonly message: string; readonly hint: string };

/** Reads `file` (relative to `root`). A missing file is `missing`, everything else that hinders is a problem. */
export function readSource(root: string, file: string): Read {
  const path = join(root, file);
  try {
    // Also a folder above it may be a link.
    if (!realpathSync.native(path).startsWith(realpathSync.native(root) + sep)) {
      return {
        kind: 'problem',
        message: 'the file is a link that leads out of the repository',
        hint: 'put the file itself here',
      };
    }
  } catch (error) {
    return unread(error);
  }
  return readFileAt(path, file);
}

/** Reads the file at a path (absolute) that may be a link to anywhere; `file` is what messages call it. */
export function readFileAt(path: string, file: string): Read {
  const problem = (message: string, hint: string) => ({ kind: 'problem', message, hint }) as const;
  let bytes: Buffer;
  let fd: number | null = null;
  try {
    // A pipe would make everything wait for whoever writes into it.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
    const facts = fstatSync(fd);
    if (!facts.isFile()) return problem('this is not a regular file', 'put a text file here');
    if (facts.size > maxSourceBytes) {
      return problem(
        `the file is larger than ${maxSourceBytes / 1024} KiB (${facts.size} bytes)`,
        'move long material into files that the text refers to',
      );
    }
    bytes = readAll(fd, facts.size);
  } catch (error) {
    return unread(error);
  } finally {
    if (fd !== null) closeSync(fd);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return problem('the file is not UTF-8 text', 'save it as UTF-8');
  }
  if (text.includes('\0'))
    return problem('the file holds a NUL character', 'save it as plain text');
  return { kind: 'read', source: sourceOf(file, text) };
}

function unread(error: unknown): Read {
  const code = errorCode(error);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
  if (code === 'ENXIO')
    return { kind: 'problem', message: 'this is not a regular file', hint: 'put a text file here' };
  return {
    kind: 'problem',
    message: `the file cannot be read (${code})`,
    hint: 'check its permissions',
  };
}

function readAll(fd: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const read = readSync(fd, bytes, filled, size - filled, filled);
    if (read === 0) break;
    filled += read;
  }
  return bytes.subarray(0, filled);
}

/** A source file over text that is already in memory. */
export function sourceOf(file: string, text: string): SourceFile {
  return { file, text };
}

/** The lines of the text that a place was asked in last: most are asked for in one text after the other. */
let last: { readonly text: string; readonly starts: readonly number[] } | null = null;

/** Offset at which each line begins. */
function lineStartsOf({ text }: SourceFile): readonly number[] {
  if (last?.text !== text) {
    const starts = [0];
    for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
    last = { text, starts };
  }
  return last.starts;
}

/** Files by name without its ending, numbers as numbers: `a.md` comes before `a2.md`. */
export function compareFiles(a: string, b: string): number {
  const stem = (file: string): string => file.replace(/\.[^./]+$/, '');
  return compareNatural(stem(a), stem(b)) || compare(a, b);
}

/** The place of the characters from `start` to `end` (offsets), cut at the end of the first line. */
export function placeOf(source: SourceFile, start: number, end: number = start): Place {
  const { text } = source;
  const lineStarts = lineStartsOf(source);
  const offset = Math.max(0, Math.min(start, text.length));
  let low = 0;
  let high = lineStarts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((lineStarts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  const begin = lineStarts[low] ?? 0;
  const excerpt = lineText(source, low + 1);
  const length = Math.max(1, Math.min(end, begin + excerpt.length) - offset);
  return { line: low + 1, column: offset - begin + 1, length, excerpt };
}

/** A line (from 1) without its end. */
export function lineText(source: SourceFile, line: number): string {
  const lineStarts = lineStartsOf(source);
  const begin = lineStarts[line - 1] ?? source.text.length;
  const next = lineStarts[line] ?? source.text.length + 1;
  return source.text.slice(begin, next - 1).replace(/\r$/, '');
}

/** The system's code of a failed file operation, such as `ENOENT`. */
export function errorCode(error: unknown): string {
  if (error instanceof Error && 'code' in error && typeof error.code === 'string')
    return error.code;
  return error instanceof Error ? error.message : String(error);
}
