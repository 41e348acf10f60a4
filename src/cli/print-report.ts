/** A report in the format that is asked for, on stdout or in a file. */
import { existsSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { dirname, extname, resolve } from 'node:path';
import type { Command } from 'commander';
import { pageHtml } from '../report/page-html.ts';
import { pageMarkdown } from '../report/page-markdown.ts';
import { pageText } from '../report/page-text.ts';
import type { Page } from '../report/page.ts';
import { exits } from './exit.ts';
import type { CliContext } from './verb.ts';

const formats = ['text', 'md', 'json', 'html'] as const;

export type Format = (typeof formats)[number];

export interface ReportOptions {
  readonly format?: string;
  readonly out?: string;
}

/** What is printed. */
export interface Report {
  readonly page: Page;
  readonly document: object;
  /** What stands on a terminal instead of the page; left out when that is the page. */
  readonly lines?: (width: number) => readonly string[];
}

/** Columns of a text that is written into a file. */
const fileColumns = 100;

/** Puts the options on a command. */
export function reportOptions(command: Command): Command {
  return command
    .option('--format <format>', 'text, md, json or html; what --out ends with when left out')
    .option('--out <file>', 'write it there; a file that exists is replaced after a question');
}

/** The format that is asked for; null when there is none of that name, which has been said. `usual` without a word. */
export function formatOf(
  context: CliContext,
  { format, out }: ReportOptions,
  usual: Format,
): Format | null {
  const { json } = context.options;
  const named = format ?? (json && out === undefined ? 'json' : byEnding(out));
  const found =
    named === undefined ? (json ? 'json' : usual) : formats.find((one) => one === named);
  if (found === undefined) {
    context.fail({
      exit: exits.wrong,
      what: `there is no format ${named}`,
      next: `--format ${formats.join(', ')}`,
    });
    return null;
  }
  if (!json || out !== undefined || found === 'json') return found;
  context.fail({
    exit: exits.wrong,
    what: `--json prints one JSON document, --format ${found} something else`,
    next: 'leave one of the two out, or say --out FILE',
  });
  return null;
}

/** Prints it, or writes it into the file. */
export async function printReport(
  context: CliContext,
  report: Report,
  options: { readonly format: Format; readonly out?: string | undefined },
): Promise<void> {
  const { format, out } = options;
  if (out !== undefined) return toFile(context, out, { format, text: rendered(report, format) });
  switch (format) {
    case 'json':
      return context.out.json(report.document);
    case 'text': {
      const width = context.out.width() ?? Infinity;
      const lines = report.lines?.(width) ?? pageText(report.page, width);
      for (const line of lines) context.out.line(line);
      return;
    }
    case 'md':
    case 'html':
      return context.out.exact(rendered(report, format));
  }
}

function rendered({ page, document, lines }: Report, format: Format): string {
  switch (format) {
    case 'text':
      return `${(lines?.(fileColumns) ?? pageText(page, fileColumns)).join('\n')}\n`;
    case 'md':
      return pageMarkdown(page);
    case 'html':
      return pageHtml(page);
    case 'json':
      return `${JSON.stringify(document, null, 2)}\n`;
  }
}

async function toFile(
  context: CliContext,
  out: string,
  { format, text }: { readonly format: Format; readonly text: string },
): Promise<void> {
  const file = resolve(context.cwd, out);
  const problem = unwritable(file);
  if (problem !== null)
    return context.fail({ exit: exits.wrong, what: problem, where: file, next: 'name a file' });
  if (existsSync(file) && readFileSync(file, 'utf8') !== text) {
    const asked = !context.options.yes && context.canAsk;
    const may = asked ? await context.confirm(`Replace ${out}?`) : context.options.yes;
    if (!may) {
      return context.fail({
        exit: exits.refused,
        what: 'the file is there already, with something else in it',
        where: file,
        next: '--yes replaces it',
      });
    }
  }
  try {
    // Whole or not at all.
    writeFileSync(`${file}.${process.pid}.new`, text);
    renameSync(`${file}.${process.pid}.new`, file);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return context.fail({ exit: exits.failed, what: `it could not be written: ${why}` });
  }
  if (context.options.json) return context.out.json({ v: 1, file, format });
  context.out.note(`written to ${file}`);
}

function unwritable(file: string): string | null {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found !== undefined && !found.isFile()) return 'that is no file';
  const folder = statSync(dirname(file), { throwIfNoEntry: false });
  return folder?.isDirectory() === true ? null : 'there is no such folder';
}

function byEnding(out: string | undefined): Format | undefined {
  if (out === undefined) return undefined;
  switch (extname(out).toLowerCase()) {
    case '.md':
    case '.markdown':
      return 'md';
    case '.html':
    case '.htm':
      return 'html';
    case '.json':
      return 'json';
    case '.txt':
      return 'text';
  }
  return undefined;
}
