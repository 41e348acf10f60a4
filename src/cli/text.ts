/** Text as a terminal sees it: which characters may be shown, how many cells they take, how a text is cut. */

import { graphemes } from '../report/cells.ts';

/* oxlint-disable no-control-regex -- control characters are what this file is about */

// C0, DEL, C1, and what reorders, hides or breaks a line: bidirectional controls, zero-width and line separators.
const unprintable =
  /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
// A whole escape sequence goes, not only its first character.
const sequence =
  /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[PX^_][^\u001b]*(?:\u001b\\|$)|[@-Z\\-_])/g;

/** The text without anything that could steer a terminal; tabs and line breaks become single spaces. */
export function plain(text: string): string {
  return text
    .replace(sequence, '')
    .replace(/\r?\n|\t/g, ' ')
    .replace(unprintable, '');
}

/** JSON as it is, with what could steer or mislead a terminal written as escapes. */
export function printableJson(value: unknown): string {
  return JSON.stringify(value).replace(
    unprintable,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Cells that printable text takes on a terminal. */
export function textWidth(text: string): number {
  if (/^[\u0020-\u007e]*$/.test(text)) return text.length;
  let cells = 0;
  for (const segment of graphemes(text)) cells += wide.test(segment) ? 2 : 1;
  return cells;
}

/** The text cut to at most `width` cells; a text that is cut, or `force`d, ends with an ellipsis. */
export function fit(text: string, width: number, force = false): string {
  if (!force && textWidth(text) <= width) return text;
  if (width <= 0) return '';
  let result = '';
  let cells = 0;
  for (const segment of graphemes(text)) {
    const next = textWidth(segment);
    if (cells + next > width - 1) break;
    result += segment;
    cells += next;
  }
  return `${result}…`;
}

/** The text filled up with spaces to `width` cells. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - textWidth(text)));
}

const wide =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
