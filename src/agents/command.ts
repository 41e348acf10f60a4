/**
 * The `command` adapter: any program is an agent. Pure: it says how to start the program, which lines of its output
 * mean something, and what its end means. No shell sees any of it.
 */
import { resolve } from 'node:path';
import type { AttemptEnd, Judgement, Report } from '../core/events.ts';
import { overLimitText } from '../core/attempt-limits.ts';
import type { AgentDefinition, AttemptLimits } from '../core/plan.ts';
import { parseObject, usageOf } from '../process/report-file.ts';
import { shimName } from '../process/runner-text.ts';
import { attemptEnvironment } from './environment.ts';
import type { AttemptEnvironment, AttemptPlaces } from './environment.ts';

/** A prompt of more bytes does not go into an argument. */
const maxPromptArgument = 100 * 1024;

/**
 * Program, arguments and environment of an attempt. `{prompt}`, `{prompt_file}` and `{worktree}` are replaced in each
 * argument; a program with a slash is taken from the root of the user's repository.
 */
export function start(
  options: AttemptPlaces & {
    readonly definition: AgentDefinition;
    /** The whole prompt. */
    readonly prompt: string;
    /** Root of the user's repository, absolute. */
    readonly repository: string;
    readonly baseEnv: NodeJS.ProcessEnv;
  },
): { readonly argv: readonly string[] } & AttemptEnvironment {
  const { definition, promptFile, worktree, repository, baseEnv } = options;
  const values: Readonly<Record<string, string>> = {
    prompt: promptArgument(options.prompt, promptFile),
    prompt_file: promptFile,
    worktree,
  };
  const [program = '', ...args] = definition.command.map((argument) =>
    // One pass: what a prompt says about braces stays as it is.
    argument.replace(
      /\{(prompt|prompt_file|worktree)\}/g,
      (whole, name: string) => values[name] ?? whole,
    ),
  );
  return {
    argv: [program.includes('/') ? resolve(repository, program) : program, ...args],
    ...attemptEnvironment({ baseEnv, names: definition.env, places: options }),
  };
}

/**
 * What a line of standard output reports: usage, a refusal of usage that cannot be right, or null for a line of log.
 * Figures: `input_tokens`, `output_tokens`, `cached_tokens`, `cost_usd` (US dollars).
 */
export function readOutputLine(line: string): Report | { readonly refused: string } | null {
  if (!line.trimStart().startsWith('{')) return null;
  const entry = parseObject(line);
  if (entry === null || entry['type'] !== 'usage') return null;
  const usage = usageOf(entry, {
    input: 'input_tokens',
    output: 'output_tokens',
    cached: 'cached_tokens',
    costUsd: 'cost_usd',
  });
  return 'refused' in usage ? usage : { kind: 'usage', usage };
}

/** What the end of an attempt with these limits means. `lastWords` are the last lines that it wrote, newest last. */
export function judge(
  end: AttemptEnd,
  lastWords: readonly string[],
  limits: AttemptLimits,
): Judgement {
  switch (end.how) {
    case 'lost':
      return { kind: 'lost', why: end.why };
    case 'stopped':
      switch (end.why) {
        case 'timeout':
          return { kind: 'failed', reason: 'it reached its time limit', final: false };
        case 'unattended':
          return { kind: 'lost', why: 'nobody watched it for too long' };
        case 'processes':
        case 'memory':
          return { kind: 'failed', reason: overLimitText(end.why, limits), final: false };
        case 'requested':
        case 'interrupted':
          return { kind: 'lost', why: 'it was stopped' };
      }
      break;
    case 'exited':
      return judgeExit(end.code, lastWords);
  }
}

function judgeExit(code: number, lastWords: readonly string[]): Judgement {
  if (code === 0) return { kind: 'well' };
  const shimWord = lastWords.findLast((line) => line.startsWith(`${shimName}:`));
  if ((code === 126 || code === 127) && shimWord !== undefined) {
    // The shells put a line number and the name of the builtin before what they say.
    const said = shimWord.slice(shimName.length + 1).replace(/^\s*(line )?\d+:\s*(exec:\s*)?/, '');
    return {
      kind: 'failed',
      reason: `its program could not be started: ${said.trim()}`,
      final: true,
    };
  }
  const last = lastWords.at(-1);
  const reason = `it ended with exit code ${code}${last === undefined ? '' : `: ${last}`}`;
  return { kind: 'failed', reason, final: false };
}

function promptArgument(prompt: string, promptFile: string): string {
  if (Buffer.byteLength(prompt) > maxPromptArgument) {
    return `Your instructions are in the file ${promptFile}. Read all of it and do what it says.`;
  }
  // An argument cannot hold NUL.
  return prompt.replaceAll('\0', '\uFFFD');
}
