/**
 * What the bridge prints: one JSON object a line, kinds as below. Every text in it is bounded, so that a line is short
 * enough to be read whole.
 *
 * `agent` who answered; `session` its id and how it came; `text`, `thought` what it says; `tool`, `result` what it does
 * and what came of it; `plan` its list, with what was begun and completed since; `usage` figures so far, `total`;
 * `permission` what it asked and what became of that; `trouble` what is worth a line and ends nothing; last `end`, with
 * the reason for which its turn ended, or `failed`.
 */
import { writeSync } from 'node:fs';

/** Prints a line; false when it could not be written. */
export type Print = (
  line: Readonly<Record<string, unknown>> & { readonly type: string },
) => boolean;

/** Prints to the file descriptor, whole lines only. */
export function printTo(descriptor: number): Print {
  return (line) => {
    const bytes = Buffer.from(`${JSON.stringify(bounded(line))}\n`);
    try {
      for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
      return true;
    } catch {
      // A full disk: what cannot be said at the end makes the attempt one that did not end well.
      return false;
    }
  };
}

/** Characters of one text. */
const longest = 16 * 1024;
/** Texts in one line, so that it stays below what is read at once. */
const mostCharacters = 200 * 1024;
/** Lists and objects deeper than this are left out. */
const deepest = 8;

/** The value with its texts cut, and without what is too much. */
export function bounded(value: unknown): unknown {
  let left = mostCharacters;
  const cut = (text: string): string => {
    const room = Math.max(0, Math.min(longest, left));
    left -= Math.min(text.length, room);
    return text.length <= room ? text : `${text.slice(0, room)}…`;
  };
  const walk = (one: unknown, depth: number): unknown => {
    if (typeof one === 'string') return cut(one);
    if (typeof one !== 'object' || one === null) return one;
    if (depth > deepest || left <= 0) return null;
    if (Array.isArray(one)) return one.slice(0, 200).map((each) => walk(each, depth + 1));
    const entries = Object.entries(one).slice(0, 200);
    return Object.fromEntries(entries.map(([name, each]) => [cut(name), walk(each, depth + 1)]));
  };
  return walk(value, 0);
}
