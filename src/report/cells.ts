/**
 * Text as a terminal sees it, for views that must fit: nothing that could steer the terminal, and widths in cells.
 */

/* oxlint-disable no-control-regex -- control characters are what this file takes out */

const sequence = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\|$)|[@-_])/g;
const unprintable =
  /[\u0000-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const ascii = /^[ -~]*$/;
const twoCells =
  /\p{Emoji_Presentation}|[\u1100-\u115f\u2e80-\u303e\u3041-\u4dbf\u4e00-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|[\u{20000}-\u{3fffd}]/u;
/** Characters that stand alone whatever is around them: no letter joins them, nothing is put on top. */
const alone = /^[ -~\u00a1-\u02ff\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u2bff]*$/;

/** The text on one line, without control characters and without what reorders or hides text. */
export function oneLine(text: string): string {
  return text.replace(sequence, '').replace(/\s+/g, ' ').replace(unprintable, '').trim();
}

/** Cells that the text takes on a terminal. */
export function cells(text: string): number {
  if (ascii.test(text) || (alone.test(text) && !twoCells.test(text))) return text.length;
  let sum = 0;
  for (const segment of graphemes(text)) sum += twoCells.test(segment) ? 2 : 1;
  return sum;
}

/** What a reader takes for one character each. Makes the segmenter only when it is needed: it takes 20 ms. */
export function* graphemes(text: string): Iterable<string> {
  if (alone.test(text)) return yield* text;
  segmenter ??= new Intl.Segmenter('en', { granularity: 'grapheme' });
  for (const { segment } of segmenter.segment(text)) yield segment;
}

let segmenter: Intl.Segmenter | null = null;

/** The text, cut to at most `width` cells; what is cut ends with an ellipsis. */
export function cut(text: string, width: number): string {
  if (width === Infinity || cells(text) <= width) return text;
  if (width <= 0) return '';
  let kept = '';
  let sum = 0;
  for (const segment of graphemes(text)) {
    sum += cells(segment);
    if (sum > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}

/** The text filled up to `width` cells. */
export function fill(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - cells(text)));
}

/**
 * Rows with aligned columns, two spaces apart, none wider than `width` cells: the column `flex` gives way first, then the
 * widest, which one long name can make so wide that nothing else is seen; then lines are cut.
 */
export function columns(
  rows: readonly (readonly string[])[],
  options: { readonly width: number; readonly flex: number },
): readonly string[] {
  const { width, flex } = options;
  const sizes = rows.map((row) => row.map(cells));
  const widths: number[] = [];
  for (const size of sizes) {
    size.forEach((taken, column) => {
      widths[column] = Math.max(widths[column] ?? 0, taken);
    });
  }
  const total = widths.reduce((sum, one) => sum + one + 2, -2);
  const wanted = widths[flex] ?? 0;
  if (total > width) widths[flex] = Math.max(Math.min(8, wanted), wanted - (total - width));
  const over = widths.reduce((sum, one) => sum + one + 2, -2) - width;
  const widest = Math.max(...widths);
  if (over > 0) {
    const room = Math.max(Math.min(leastOfWidest, widest), widest - over);
    widths[widths.indexOf(widest)] = room;
  }
  return rows.map((row, index) => {
    const parts = row.map((cell, column) => {
      const room = widths[column] ?? 0;
      const taken = sizes[index]?.[column] ?? 0;
      return taken > room ? fill(cut(cell, room), room) : cell + ' '.repeat(room - taken);
    });
    return cut(parts.join('  ').trimEnd(), width);
  });
}

/** Cells that the widest column keeps when it gives way. */
const leastOfWidest = 20;

/** The text on lines of at most `width` cells, broken at spaces; what follows the first is indented like it, and more. */
export function wrap(text: string, width: number): readonly string[] {
  if (width === Infinity || cells(text) <= width) return [text];
  const indent = ' '.repeat(Math.min(text.length - text.trimStart().length + 2, 8));
  const lines: string[] = [];
  let line = '';
  for (const part of text.match(/\s*\S+/g) ?? []) {
    const whole = line + part;
    if (line.trim() === '' || cells(whole) <= width) line = whole;
    else {
      lines.push(line);
      line = indent + part.trimStart();
    }
  }
  return [...lines, line];
}
