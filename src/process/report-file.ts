/**
 * The report file of an attempt: one JSON object a line, appended by `czar emit` while nobody needs to listen.
 *
 * A report's number is its place in the file: the reader counts by offset, so each line counts once, and no two writers
 * have to agree on a number. Writers need no lock either: a line is one append, and it begins with a line feed of its
 * own, so that what a full disk cut off before it cannot spoil it. Readers skip empty lines.
 *
 * Imported by `czar emit`, which must start fast: nothing but node:fs here.
 */
import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import type { PermissionRequest, Report, Usage } from '../core/events.ts';

/** Bytes of UTF-8 that a text may have. */
export const maxTextBytes = 64 * 1024;
/** Bytes that a line of the report file may have: each byte of the text may have become an escape. */
export const maxReportLineBytes = 6 * maxTextBytes + 1024;
/** No figure of a real attempt is above it. */
const maxFigure = 1e12;

/** Appends one report and syncs it. Throws what the file system throws; then the report may not count. */
export function appendReport(file: string, report: Report): void {
  const bytes = Buffer.from(`\n${JSON.stringify({ v: 1, ...report })}\n`);
  const handle = openSync(file, 'a', 0o600);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(handle, bytes, done);
    fdatasyncSync(handle);
  } finally {
    closeSync(handle);
  }
}

/** One line of a report file: the report, the reason why it is refused, or null for an empty line. */
export function parseReportLine(line: string): Report | { readonly refused: string } | null {
  if (line.trim() === '') return null;
  const entry = parseObject(line);
  if (entry === null) return { refused: 'a report line is not a JSON object' };
  if (entry['v'] !== 1)
    return { refused: `a report line has the unknown version ${show(entry['v'])}` };
  const kind = entry['kind'];
  switch (kind) {
    case 'task-start':
    case 'task-complete': {
      const task = textOf(kind, entry['task']);
      return typeof task === 'string' ? { kind, task } : task;
    }
    case 'checkpoint': {
      const name = textOf(kind, entry['name']);
      return typeof name === 'string' ? { kind, name } : name;
    }
    case 'ask': {
      const text = textOf(kind, entry['text']);
      if (typeof text !== 'string') return text;
      const wait = entry['wait'] === undefined ? null : waitOf(entry['wait']);
      if (wait === null) return { kind, text };
      return 'refused' in wait ? wait : { kind, text, wait };
    }
    case 'permission': {
      const { id } = entry;
      if (!isId(id)) return { refused: 'permission has no id' };
      const request = requestOf(entry['request']);
      return 'refused' in request ? request : { kind, id, request };
    }
    case 'gave-up': {
      const { id } = entry;
      return isId(id) ? { kind, id } : { refused: 'gave-up has no id' };
    }
    case 'denied': {
      const tool = textOf(kind, entry['tool']);
      if (typeof tool !== 'string') return tool;
      const detail = textOf(kind, entry['detail']);
      return typeof detail === 'string' ? { kind, tool, detail } : detail;
    }
    case 'blocked':
    case 'handoff': {
      const text = textOf(kind, entry['text']);
      return typeof text === 'string' ? { kind, text } : text;
    }
    case 'usage': {
      const figures = entry['usage'];
      if (!isObject(figures)) return { refused: 'usage has no figures' };
      const usage = usageOf(figures, {
        input: 'input',
        output: 'output',
        cached: 'cached',
        costUsd: 'costUsd',
      });
      if ('refused' in usage) return usage;
      const of = { kind, usage, ...modelIn(entry) } as const;
      // The meter tells the whole each time: what it could not write before is in what it writes next.
      return entry['metered'] === true ? { ...of, total: true, metered: true } : of;
    }
    default:
      return { refused: `a report line has the unknown kind ${show(kind)}` };
  }
}

/**
 * Usage from an object whose figures have the given names. What is absent or null is 0; a figure that is not finite, is
 * negative or above 1e12 is refused, and so is usage without any figure. Tokens are rounded.
 */
export function usageOf(
  figures: Readonly<Record<string, unknown>>,
  names: Readonly<Record<keyof Usage, string>>,
): Usage | { readonly refused: string } {
  let given = 0;
  const values: Record<keyof Usage, number> = { input: 0, output: 0, cached: 0, costUsd: 0 };
  for (const key of ['input', 'output', 'cached', 'costUsd'] as const) {
    const value = figures[names[key]];
    if (value === undefined || value === null) continue;
    if (typeof value !== 'number' || !(value >= 0 && value <= maxFigure)) {
      return { refused: `usage: ${names[key]} is ${show(value)}; it must be between 0 and 1e12` };
    }
    values[key] = key === 'costUsd' ? value : Math.round(value);
    given += 1;
  }
  return given === 0 ? { refused: 'usage has no figures' } : values;
}

/** The name of a model under the key `model`; left out where it is none. */
export function modelIn(entry: Readonly<Record<string, unknown>>): { readonly model?: string } {
  const { model } = entry;
  return typeof model === 'string' && isModelName(model) ? { model } : {};
}

/** Whether a text is a name such as models have: one word, short enough for a line. */
export function isModelName(text: string): boolean {
  return /^[\x21-\x7e]{1,100}$/.test(text);
}

/** Why a text cannot be reported, in one sentence, or null. */
export function textProblem(text: string): string | null {
  if (text.trim() === '') return 'the text is empty';
  const bytes = Buffer.byteLength(text);
  return bytes <= maxTextBytes ? null : `the text has ${bytes} bytes; ${maxTextBytes} are the most`;
}

/** A JSON object, or null when the text is something else. */
export function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  return isObject(value) ? value : null;
}

function textOf(kind: string, value: unknown): string | { readonly refused: string } {
  if (typeof value !== 'string') return { refused: `${kind} has no text` };
  const problem = textProblem(value);
  return problem === null ? value : { refused: `${kind}: ${problem}` };
}

/** How long somebody may wait for an answer, milliseconds. */
export const longestWaitMs = 7 * 86_400_000;

function waitOf(
  value: unknown,
): { readonly id: string; readonly ms: number } | { readonly refused: string } {
  const { id, ms } = isObject(value) ? value : {};
  if (!isId(id)) return { refused: 'ask: its wait has no id' };
  const fits = typeof ms === 'number' && Number.isInteger(ms) && ms > 0 && ms <= longestWaitMs;
  return fits ? { id, ms } : { refused: `ask: it cannot wait for ${show(ms)} ms` };
}

function requestOf(value: unknown): PermissionRequest | { readonly refused: string } {
  if (!isObject(value)) return { refused: 'permission has no request' };
  const kind = (['command', 'edit', 'read', 'fetch', 'other'] as const).find(
    (one) => one === value['kind'],
  );
  if (kind === undefined) return { refused: `permission: unknown kind ${show(value['kind'])}` };
  const title = textOf('permission', value['title']);
  if (typeof title !== 'string') return title;
  const exact: { command?: string; path?: string } = {};
  for (const key of ['command', 'path'] as const) {
    if (value[key] === undefined) continue;
    const text = textOf('permission', value[key]);
    if (typeof text !== 'string') return text;
    exact[key] = text;
  }
  return { kind, title, ...exact };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && /^[pq][1-9]\d{0,8}$/.test(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
