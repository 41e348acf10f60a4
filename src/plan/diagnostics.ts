/** Problems of plan files: where each stands, what is wrong, what to do; and how they are shown. */
import { compare } from '../core/graph.ts';
import { compareFiles, placeOf, type Place, type SourceFile } from './source.ts';

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** Path relative to the repository root. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units as editors count. */
  readonly column: number;
  /** Characters concerned, at least 1. */
  readonly length: number;
  /** One sentence without a full stop. */
  readonly message: string;
  /** What to do; null when the message says it. */
  readonly hint: string | null;
  /** The source line, or null when the file could not be read. */
  readonly excerpt: string | null;
}

/** How many problems of one file are told; of more, only how many they are. */
export const mostProblems = 50;

/** What somebody wrote, in quotes, no longer than a message can bear. */
export function quoted(text: string): string {
  return JSON.stringify(text.length <= 80 ? text : `${text.slice(0, 79)}…`);
}

/** A message that quotes what somebody wrote is cut in the middle: what is wrong stands at its ends. */
function short(message: string): string {
  return message.length <= 400 ? message : `${message.slice(0, 200)} … ${message.slice(-100)}`;
}

/** Where problems of one load are gathered. */
export interface Problems {
  readonly list: Diagnostic[];
}

/** Offsets of a piece of a file. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

/** Notes a problem of a piece of a file that was read. */
export function report(
  problems: Problems,
  at: { readonly source: SourceFile; readonly range: Range },
  what: {
    readonly severity?: 'error' | 'warning';
    readonly message: string;
    readonly hint?: string | null;
  },
): void {
  const place: Place = placeOf(at.source, at.range.start, at.range.end);
  const { severity = 'error', message, hint = null } = what;
  problems.list.push({ severity, file: at.source.file, ...place, message: short(message), hint });
}

/** Notes a problem of a whole file, which may not have been readable. */
export function reportFile(
  problems: Problems,
  file: string,
  what: {
    readonly severity?: 'error' | 'warning';
    readonly message: string;
    readonly hint?: string | null;
  },
): void {
  const { severity = 'error', message, hint = null } = what;
  problems.list.push({
    severity,
    file,
    line: 1,
    column: 1,
    length: 1,
    message: short(message),
    hint,
    excerpt: null,
  });
}

/** By file (numbers as numbers), line, column, errors first; equal ones once. */
export function sortDiagnostics(list: readonly Diagnostic[]): readonly Diagnostic[] {
  const sorted = [...list].sort(
    (a, b) =>
      compareFiles(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      compare(a.severity, b.severity) ||
      compare(a.message, b.message),
  );
  const distinct = sorted.filter((one, index) => {
    const before = sorted[index - 1];
    return (
      before === undefined ||
      before.file !== one.file ||
      before.line !== one.line ||
      before.column !== one.column ||
      before.message !== one.message
    );
  });
  return [...Map.groupBy(distinct, ({ file }) => file).values()].flatMap(fewest);
}

/** The problems of one file, or the first of them and how many there are besides. */
function fewest(list: readonly Diagnostic[]): readonly Diagnostic[] {
  if (list.length <= mostProblems) return list;
  const errorsFirst = list.toSorted((a, b) => compare(a.severity, b.severity));
  const chosen = new Set(errorsFirst.slice(0, mostProblems - 1));
  const told = list.filter((one) => chosen.has(one));
  const [next] = errorsFirst.slice(mostProblems - 1);
  if (next === undefined) return told;
  const message = `and ${list.length - told.length} more problems of this file`;
  return [...told, { ...next, message, hint: null }];
}

/** Whether a plan with these problems must not run. */
export function hasErrors(list: readonly Diagnostic[]): boolean {
  return list.some((one) => one.severity === 'error');
}

/** A line of a rendered problem, with what it is, so that whoever prints it can colour it. */
export interface DiagnosticLine {
  readonly part: 'head' | 'source' | 'caret' | 'hint';
  readonly text: string;
}

/** One problem in three lines: `file:line:column: error: message`, the source line, a caret under it with what to do. */
export function renderDiagnostic(one: Diagnostic): readonly DiagnosticLine[] {
  const lines: DiagnosticLine[] = [
    {
      part: 'head',
      text: `${one.file}:${one.line}:${one.column}: ${one.severity}: ${one.message}`,
    },
  ];
  if (one.excerpt !== null) {
    const { text, from } = windowOf(one.excerpt, one.column - 1);
    const gutter = `${one.line} | `;
    const before = expand(text.slice(0, one.column - 1 - from));
    const marked = expand(text.slice(one.column - 1 - from, one.column - 1 - from + one.length));
    const blank = ' '.repeat(gutter.length - 2);
    lines.push({ part: 'source', text: gutter + expand(text) });
    const carets = '^'.repeat(Math.max(1, cells(marked)));
    const hint = one.hint === null ? '' : ` ${one.hint}`;
    lines.push({ part: 'caret', text: `${blank}| ${' '.repeat(cells(before))}${carets}${hint}` });
  } else if (one.hint !== null) lines.push({ part: 'hint', text: `  = ${one.hint}` });
  return lines;
}

/** All problems as plain text, a blank line between them. */
export function renderDiagnostics(list: readonly Diagnostic[]): string {
  return list
    .map((one) =>
      renderDiagnostic(one)
        .map((line) => `${line.text}\n`)
        .join(''),
    )
    .join('\n');
}

/** The part of a long line around a column, at most 160 characters. */
function windowOf(line: string, column: number): { readonly text: string; readonly from: number } {
  if (line.length <= 160) return { text: line, from: 0 };
  const from = Math.max(0, Math.min(column - 40, line.length - 160));
  return { text: line.slice(from, from + 160), from };
}

/** Tabs and other control characters as blanks, so that the caret stands where it should. */
function expand(text: string): string {
  return text.replace(/\t/g, '  ').replace(/\p{Cc}/gu, ' ');
}

const wide =
  /[\u1100-\u115f\u2e80-\u303e\u3041-\u33ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u;

function cells(text: string): number {
  let count = 0;
  for (const character of text) count += wide.test(character) ? 2 : 1;
  return count;
}
