/** As much Markdown as worker files need: headings, bold fields, list items; code fences are skipped. */
import type { Range } from './diagnostics.ts';
import type { SourceFile } from './source.ts';

/** A field such as `**Role:** Code`. */
export interface BoldField {
  readonly name: string;
  readonly value: string;
  readonly range: Range;
}

/** What stands under a heading, up to the next one of its level or above. */
export interface Section {
  /** Title in lower case, without signs and pictures. */
  readonly title: string;
  readonly level: number;
  readonly body: string;
  readonly items: readonly Item[];
  readonly range: Range;
}

/** A list item on one line. */
export interface Item {
  readonly text: string;
  /** Whether it has a box: `- [ ]` or `- [x]`. */
  readonly box: boolean;
  readonly range: Range;
}

export interface Markdown {
  readonly hasTitle: boolean;
  /** Bold fields above the first heading of level 2 or below. */
  readonly fields: readonly BoldField[];
  readonly sections: readonly Section[];
}

/** The structure of the part of a file that is Markdown. */
export function parseMarkdown(source: SourceFile, part: Range): Markdown {
  const lines = linesOf(source.text, part);
  const headings = lines.flatMap((line, index) => {
    const match = line.code ? null : /^(#{1,6})\s+(.*)$/.exec(line.text);
    return match === null ? [] : [{ index, level: (match[1] ?? '').length, title: match[2] ?? '' }];
  });
  const firstSection = headings.find((one) => one.level >= 2)?.index ?? lines.length;
  return {
    hasTitle: headings.some((one) => one.level === 1),
    fields: boldFields(lines.slice(0, firstSection)),
    sections: headings.map(({ index, level, title }, n) => {
      let after = n + 1;
      while ((headings[after]?.level ?? 0) > level) after += 1;
      const next = headings[after]?.index ?? lines.length;
      const body = lines.slice(index + 1, next);
      return {
        title: plainTitle(title),
        level,
        body: body
          .map((line) => line.text)
          .join('\n')
          .trim(),
        items: itemsOf(body),
        range: rangeOf(lines[index]),
      };
    }),
  };
}

/** The boxed items under each heading `Tasks`. */
export function tasksOf(markdown: Markdown): readonly Item[] {
  return markdown.sections
    .filter((section) => section.title === 'tasks')
    .flatMap((section) => section.items.filter((item) => item.box));
}

/** A text without marks of emphasis, code and links at its ends. */
export function plainText(text: string): string {
  // By hand: a pattern for the end would try every place of a long row of marks.
  const isMark = (character: string | undefined): boolean =>
    character !== undefined && /[`*_\s]/.test(character);
  let [from, to] = [0, text.length];
  while (from < to && isMark(text[from])) from += 1;
  while (to > from && isMark(text[to - 1])) to -= 1;
  return text.slice(from, to);
}

interface Line extends Range {
  readonly text: string;
  readonly code: boolean;
}

function linesOf(text: string, part: Range): readonly Line[] {
  const lines: Line[] = [];
  let fence: string | null = null;
  for (let start = part.start; start < part.end;) {
    const found = text.indexOf('\n', start);
    const next = found === -1 || found >= part.end ? part.end : found + 1;
    const line = text.slice(start, next).replace(/\r?\n$/, '');
    const mark = /^ {0,3}(`{3,}|~{3,})/.exec(line)?.[1] ?? null;
    const opens = fence === null && mark !== null;
    const closes = fence !== null && mark !== null && mark.startsWith(fence);
    lines.push({ text: line, code: fence !== null || opens, start, end: start + line.length });
    if (opens) fence = mark;
    else if (closes) fence = null;
    start = next;
  }
  return lines;
}

/** A value goes on over the lines below it, up to a blank line, the next field, a list or a rule. */
function boldFields(lines: readonly Line[]): readonly BoldField[] {
  const fields: { name: string; parts: string[]; range: Range }[] = [];
  let open: { name: string; parts: string[]; range: Range } | null = null;
  for (const line of lines) {
    const text = line.text.trim();
    const match = line.code
      ? null
      : /^\s*(?:[-*]\s+)?\*\*([^*:]{1,40})(?::\*\*|\*\*\s*:)\s*(.*)$/.exec(line.text);
    if (match !== null) {
      open = {
        name: (match[1] ?? '').trim(),
        parts: [(match[2] ?? '').trim()],
        range: rangeOf(line),
      };
      fields.push(open);
    } else if (open !== null && !line.code && text !== '' && !/^(?:[#>|-]|[*+]\s)/.test(text)) {
      open.parts.push(text);
    } else open = null;
  }
  return fields.map(({ name, parts, range }) => ({ name, value: parts.join(' ').trim(), range }));
}

function itemsOf(lines: readonly Line[]): readonly Item[] {
  return lines.flatMap((line) => {
    const match = line.code
      ? null
      : /^(?:[-*+]|\d+[.)])\s+(\[[ xX]\]\s+)?(.*)$/.exec(line.text.trim());
    if (match === null || match[2] === '') return [];
    return [{ text: match[2] ?? '', box: match[1] !== undefined, range: rangeOf(line) }];
  });
}

function plainTitle(title: string): string {
  return title
    .replace(/[^\p{L}\p{N} ]/gu, ' ')
    .replace(/\s+/g, ' ')
    .trim()
    .toLowerCase();
}

function rangeOf(line: Line | undefined): Range {
  return { start: line?.start ?? 0, end: line?.end ?? 0 };
}
