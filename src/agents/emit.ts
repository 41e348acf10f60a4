/**
 * `czar emit KIND …`: what a running agent says. It appends one line to the attempt's report file and needs nobody to
 * listen. `ask --wait` waits for the answer besides.
 *
 * Runs once for every report of every agent, so it imports next to nothing.
 */
import { closeSync, readFileSync, readSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Report } from '../core/events.ts';
import { awaitAnswer, claimId } from '../process/answer-file.ts';
import { openPlainFile } from '../process/plain-file.ts';
import {
  appendReport,
  longestWaitMs,
  maxTextBytes,
  textProblem,
  isModelName,
  usageOf,
} from '../process/report-file.ts';

export interface EmitResult {
  /** 0 recorded, 1 could not be written, 2 wrong usage, 4 not inside an attempt or refused, 5 nobody answered in time. */
  readonly exit: 0 | 1 | 2 | 4 | 5;
  readonly stdout: string;
  readonly stderr: string;
  /** What was wrong, as `stderr` says it, and what next. */
  readonly problem?: { readonly what: string; readonly next: string | null };
  /** The question that was recorded, when its answer is to be waited for. */
  readonly waits?: WaitsFor;
}

/** A question whose answer is waited for. */
export interface WaitsFor {
  readonly attemptDir: string;
  readonly id: string;
  readonly ms: number;
}

const usageLine =
  'usage: czar emit task-start|task-complete|checkpoint|blocked|ask|handoff TEXT, ask --wait 10m TEXT, handoff --file FILE, or usage --input-tokens N --output-tokens N [--cached-tokens N] [--cost-usd X] [--model NAME]';

/** Records one report. `argv` begins with the kind; `readInput` gives what `handoff -` reads. */
export function emit(
  argv: readonly string[],
  env: NodeJS.ProcessEnv,
  readInput: () => string = readStandardInput,
): EmitResult {
  if (argv[0] === '--help' || argv[0] === '-h')
    return { exit: 0, stdout: `${usageLine}\n`, stderr: '' };
  const file = env['CZAR_REPORT_FILE'];
  if (file === undefined || file === '') {
    return problem(
      4,
      'this is not an attempt: CZAR_REPORT_FILE is not set',
      'Only an agent that czar started can report.',
    );
  }
  if (env['CZAR_REVIEW'] !== undefined) {
    return problem(
      4,
      'a reviewer reports nothing but its verdict',
      'It is the JSON object that its prompt describes, as its last words.',
    );
  }
  const parsed = parse(argv, readInput);
  if ('exit' in parsed) return parsed;
  if (isOver(dirname(file)))
    return problem(4, 'the attempt is over: its program has ended', 'Nobody reads reports of it.');
  let waits: WaitsFor | null = null;
  try {
    if ('waitMs' in parsed) {
      const attemptDir = dirname(file);
      waits = { attemptDir, id: claimId(attemptDir, 'q'), ms: parsed.waitMs };
      const { id, ms } = waits;
      appendReport(file, { kind: 'ask', text: parsed.text, wait: { id, ms } });
    } else appendReport(file, parsed);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return problem(4, `the attempt is gone: there is no ${file}`, null);
    }
    return problem(1, `the report could not be written: ${reason(error)}`, 'Try it again.');
  }
  if (waits !== null) return { exit: 0, stdout: '', stderr: '', waits };
  const ends = 'kind' in parsed && (parsed.kind === 'ask' || parsed.kind === 'blocked');
  const word = 'Recorded. End your turn now: the answer comes with your next prompt.\n';
  return { exit: 0, stdout: ends ? word : '', stderr: '' };
}

/** Whether the exit of an attempt's program is on record: what is left of the attempt is being ended, or has been. */
function isOver(attemptDir: string): boolean {
  const file = openPlainFile(join(attemptDir, 'status'));
  if (file === null) return false;
  try {
    return /^exit \d{1,3} \.$/m.test(readFileSync(file, 'utf8'));
  } finally {
    closeSync(file);
  }
}

/** Waits for the answer to a question that was recorded; its text is what is printed. */
export async function waitForAnswer(
  { attemptDir, id, ms }: WaitsFor,
  signal?: AbortSignal,
): Promise<EmitResult> {
  const answer = await awaitAnswer(attemptDir, id, { forMs: ms, signal });
  if (answer === null) appendReport(join(attemptDir, 'report'), { kind: 'gave-up', id });
  if (answer?.decision === 'allow') return { exit: 0, stdout: `${answer.text}\n`, stderr: '' };
  return problem(
    5,
    'nobody answered in time',
    'Find another way, and say in your handoff what you assumed; or ask without --wait and end your turn.',
  );
}

interface AskAndWait {
  readonly waitMs: number;
  readonly text: string;
}

function parse(argv: readonly string[], readInput: () => string): Report | AskAndWait | EmitResult {
  const [kind, ...rest] = argv;
  switch (kind) {
    case 'task-start':
    case 'task-complete': {
      const task = textOf(rest);
      return typeof task === 'string' ? { kind, task } : task;
    }
    case 'checkpoint': {
      const name = textOf(rest);
      return typeof name === 'string' ? { kind, name } : name;
    }
    case 'ask': {
      if (rest[0] !== undefined && /^--wait(=|$)/.test(rest[0])) return parseWait(rest);
      const text = textOf(rest);
      return typeof text === 'string' ? { kind, text } : text;
    }
    case 'blocked': {
      const text = textOf(rest);
      return typeof text === 'string' ? { kind, text } : text;
    }
    case 'handoff': {
      const text = handoffText(rest, readInput);
      return typeof text === 'string' ? { kind, text } : text;
    }
    case 'usage':
      return parseUsage(rest);
    case undefined:
      return problem(2, 'say what to report', usageLine);
    default:
      return problem(2, `there is no kind "${kind}"`, usageLine);
  }
}

/** `--wait SPAN TEXT`. */
function parseWait([option = '', ...rest]: readonly string[]): AskAndWait | EmitResult {
  const given = option.startsWith('--wait=');
  const span = given ? option.slice('--wait='.length) : (rest[0] ?? '');
  const waitMs = spanMs(span);
  if (waitMs === null)
    return problem(2, `--wait needs a span such as 10m, not "${span}"`, usageLine);
  const text = textOf(given ? rest : rest.slice(1));
  return typeof text === 'string' ? { waitMs, text } : text;
}

const units: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
};

function spanMs(text: string): number | null {
  if (!/^(?:\d{1,9}(?:ms|[dhms])){1,5}$/.test(text)) return null;
  let sum = 0;
  for (const [, amount, unit = ''] of text.matchAll(/(\d+)(ms|[dhms])/g))
    sum += Number(amount) * (units[unit] ?? 0);
  return sum > 0 && sum <= longestWaitMs ? sum : null;
}

/** The text of the arguments; several are joined, since agents forget quotes. */
function textOf(args: readonly string[]): string | EmitResult {
  const [first, ...rest] = args;
  if (first === '--') return checked(rest.join(' '));
  if (first !== undefined && /^--[a-z]/.test(first)) {
    return problem(2, `there is no option ${first}`, 'Put -- before a text that begins with it.');
  }
  return checked(args.join(' '));
}

/** The text itself, `-` for standard input, or `--file` with a file's name. */
function handoffText(args: readonly string[], readInput: () => string): string | EmitResult {
  const [first = '', second] = args;
  if (args.length === 1 && first === '-') return inputText(readInput);
  const file = first.startsWith('--file=') && args.length === 1 ? first.slice(7) : second;
  const named = first.startsWith('--file=') || (first === '--file' && args.length === 2);
  if (!named || file === undefined || file === '') return textOf(args);
  try {
    const handle = openPlainFile(file);
    if (handle === null) return problem(1, `there is no file ${file}`, null);
    try {
      return checked(readSome(handle));
    } finally {
      closeSync(handle);
    }
  } catch (error) {
    return problem(1, `${file} could not be read: ${reason(error)}`, null);
  }
}

function inputText(readInput: () => string): string | EmitResult {
  try {
    return checked(readInput());
  } catch (error) {
    return problem(1, `standard input could not be read: ${reason(error)}`, null);
  }
}

function checked(text: string): string | EmitResult {
  const why = textProblem(text);
  return why === null ? text : problem(2, why, usageLine);
}

const figures: Readonly<Record<string, string>> = {
  '--input-tokens': 'input_tokens',
  '--output-tokens': 'output_tokens',
  '--cached-tokens': 'cached_tokens',
  '--cost-usd': 'cost_usd',
};

function parseUsage(args: readonly string[]): Report | EmitResult {
  const given: Record<string, number> = {};
  let model: string | undefined;
  for (let at = 0; at < args.length; at += 1) {
    const argument = args[at] ?? '';
    const equals = argument.indexOf('=');
    const option = equals < 0 ? argument : argument.slice(0, equals);
    if (option === '--model') {
      if (equals < 0) at += 1;
      model = equals < 0 ? args[at] : argument.slice(equals + 1);
      if (model === undefined || !isModelName(model))
        return problem(2, '--model needs the name of a model, one word', usageLine);
      continue;
    }
    const name = figures[option];
    if (name === undefined) return problem(2, `there is no option ${argument}`, usageLine);
    if (equals < 0) at += 1;
    const value = equals < 0 ? args[at] : argument.slice(equals + 1);
    if (value === undefined || !/^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(value)) {
      return problem(
        2,
        `${option} needs a number, not ${value === undefined ? 'nothing' : `"${value}"`}`,
        usageLine,
      );
    }
    given[name] = Number(value);
  }
  const usage = usageOf(given, {
    input: 'input_tokens',
    output: 'output_tokens',
    cached: 'cached_tokens',
    costUsd: 'cost_usd',
  });
  if ('refused' in usage) return problem(2, usage.refused, usageLine);
  return { kind: 'usage', usage, ...(model === undefined ? {} : { model }) };
}

function readStandardInput(): string {
  return readSome(0);
}

/** What is there, and a little more than the limit at most, so that too much is seen to be too much. */
function readSome(handle: number): string {
  const bytes = Buffer.alloc(maxTextBytes + 1);
  let filled = 0;
  while (filled < bytes.length) {
    const count = readSync(handle, bytes, filled, bytes.length - filled, null);
    if (count === 0) break;
    filled += count;
  }
  return bytes.subarray(0, filled).toString('utf8');
}

function problem(exit: 1 | 2 | 4 | 5, what: string, next: string | null): EmitResult {
  const lines = next === null ? [what] : [what, next];
  const stderr = `czar emit: ${lines.join('\n')}\n`;
  return { exit, stdout: '', stderr, problem: { what, next } };
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
