/**
 * The only door to the terminal. Owns colours, widths and what may be printed: text given as a string is stripped of
 * control characters, so that nothing an agent, a file or git said can steer the terminal; colours exist only as
 * spans, and only on a terminal that wants them.
 */
import { styleText } from 'node:util';
import { fit, pad, plain, printableJson, textWidth } from './text.ts';

export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'cyan' | 'magenta';

/** A piece of a line: text, or text with styles. */
export type Span = string | { readonly text: string; readonly style: Style | readonly Style[] };

/** A cell of a table. */
export type Cell = Span | readonly Span[];

/** Where text goes: the two streams, or what a test collects. */
export interface Sink {
  readonly write: (text: string) => void;
  /** Whether escape sequences are understood and wanted. */
  readonly colours: boolean;
  /** Cells per line, or null when lines may have any length (not a terminal). */
  readonly width: () => number | null;
  /** Lines of the terminal; 24 when unknown. */
  readonly rows: () => number;
}

export interface Printer {
  /** One line on stdout; a line break inside becomes a space. */
  readonly line: (...spans: readonly Span[]) => void;
  /** Lines on stdout, split at line breaks. */
  readonly block: (text: string) => void;
  /** Lines that align in columns and fit the width: the column named by `flex` (default: the last) gives way. */
  readonly table: (
    rows: readonly (readonly Cell[])[],
    options?: { readonly flex?: number; readonly indent?: number },
  ) => void;
  /** One JSON document, on a line of its own, on stdout. */
  readonly json: (value: unknown) => void;
  /** Text of a machine-readable format (a graph, a patch) on stdout, exactly as it is. */
  readonly exact: (text: string) => void;
  /** Progress on stderr: a line that `--quiet` silences. */
  readonly note: (...spans: readonly Span[]) => void;
  /** A line on stderr that is always shown. */
  readonly error: (...spans: readonly Span[]) => void;
  /**
   * A picture below all notes on stderr, drawn again in place of the last one; no lines take it away. Nothing when
   * stderr is no terminal, or with `--quiet`.
   */
  readonly picture: (lines: readonly string[]) => void;
  /** Size of the terminal that pictures are drawn on; null when there is none. */
  readonly canvas: () => { readonly columns: number; readonly rows: number } | null;
  /** Cells per line of stdout, or null when lines may have any length. */
  readonly width: () => number | null;
  /** A line as it would be printed on stdout, colours included. */
  readonly format: (spans: readonly Span[], width?: number | null) => string;
}

/** A printer over two sinks. `quiet` is asked at each note, since options are parsed later. */
export function createPrinter(streams: {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly quiet: () => boolean;
}): Printer {
  const { stdout, stderr } = streams;
  const line = (...spans: readonly Span[]): void =>
    stdout.write(`${paint(spans, stdout.colours)}\n`);
  let drawn: readonly string[] = [];
  /** Takes the picture away: up by its lines, as a terminal that has become narrower wraps them, then all below. */
  const erase = (): string => {
    const width = Math.max(1, stderr.width() ?? Infinity);
    const rows = drawn.map((one) => Math.max(1, Math.ceil(textWidth(plain(one)) / width)));
    const up = rows.reduce((sum, one) => sum + one, 0);
    return up === 0 ? '' : `\u001b[${up}A\u001b[J`;
  };
  const above = (text: string): void => {
    stderr.write(`${erase()}${text}\n${drawn.map((one) => `${plain(one)}\n`).join('')}`);
  };
  return {
    line,
    block: (text) => {
      for (const one of text.replace(/\r?\n$/, '').split(/\r?\n/)) line(one);
    },
    table: (rows, options = {}) => {
      for (const row of layOut(rows, { width: stdout.width(), ...options })) line(...row);
    },
    json: (value) => stdout.write(`${printableJson(value)}\n`),
    exact: (text) => stdout.write(text),
    note: (...spans) => {
      if (!streams.quiet()) above(paint(spans, stderr.colours));
    },
    error: (...spans) => above(paint(spans, stderr.colours)),
    picture: (lines) => {
      if (streams.quiet() || stderr.width() === null) return;
      stderr.write(`${erase()}${lines.map((one) => `${plain(one)}\n`).join('')}`);
      drawn = lines;
    },
    canvas: () => {
      const columns = stderr.width();
      return columns === null || streams.quiet() ? null : { columns, rows: stderr.rows() };
    },
    width: stdout.width,
    format: (spans, width = null) =>
      paint(width === null ? spans : clip(spans, width), stdout.colours),
  };
}

/** The text of spans without styles and control characters. */
export function spanText(cell: Cell): string {
  return spansOf(cell)
    .map((span) => plain(typeof span === 'string' ? span : span.text))
    .join('');
}

/** Rows as lines: cells padded to their columns, the flexible column cut so that a line fits the width. */
export function layOut(
  rows: readonly (readonly Cell[])[],
  options: { readonly width: number | null; readonly flex?: number; readonly indent?: number },
): readonly (readonly Span[])[] {
  const count = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(0, ...rows.map((row) => textWidth(spanText(row[column] ?? '')))),
  );
  const gap = 2;
  const indent = options.indent ?? 0;
  const flex = options.flex ?? count - 1;
  if (options.width !== null && count > 0) {
    const total = indent + widths.reduce((sum, one) => sum + one, 0) + gap * (count - 1);
    const wanted = widths[flex] ?? 0;
    widths[flex] = Math.max(Math.min(wanted, 8), wanted - Math.max(0, total - options.width));
  }
  return rows.map((row) => {
    const spans: Span[] = indent > 0 ? [' '.repeat(indent)] : [];
    row.forEach((cell, column) => {
      const width = widths[column] ?? 0;
      const cut = clip(spansOf(cell), width);
      spans.push(...cut);
      if (column < row.length - 1) spans.push(pad('', width - textWidth(spanText(cut)) + gap));
    });
    return options.width === null ? spans : clip(spans, options.width);
  });
}

function spansOf(cell: Cell): readonly Span[] {
  if (typeof cell === 'string' || 'text' in cell) return [cell];
  return cell;
}

function clip(spans: readonly Span[], width: number): readonly Span[] {
  if (textWidth(spanText(spans)) <= width) return spans;
  const result: Span[] = [];
  let left = width;
  for (const span of spans) {
    const text = spanText(span);
    const wide = textWidth(text);
    const last = span === spans.at(-1);
    const cut =
      wide < left || (wide === left && last) ? text : fit(text, left, !last || wide > left);
    result.push(typeof span === 'string' ? cut : { text: cut, style: span.style });
    left -= textWidth(cut);
    if (left <= 0 || cut !== text) break;
  }
  return result;
}

function paint(spans: readonly Span[], colours: boolean): string {
  return spans
    .map((span) => {
      const text = spanText(span);
      if (typeof span === 'string' || !colours || text === '') return text;
      const styles = typeof span.style === 'string' ? [span.style] : [...span.style];
      return styleText(styles, text, { validateStream: false });
    })
    .join('')
    .trimEnd();
}
