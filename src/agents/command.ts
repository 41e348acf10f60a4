/**
 * The `command` adapter: any program is an agent. Pure: it says how to start the program, which lines of its output
 * mean something, and what its end means. No shell sees any of it.
 */
import type { Judgement } from '../core/events.ts';
import { modelIn, usageOf } from '../process/report-file.ts';
import type { Adapter, Ending, Said, Start, StartOptions } from './adapter.ts';
import { commandOf } from './command-of.ts';
import { byExitCode, exitCode, notItsOwn } from './ending.ts';
import { attemptEnvironment } from './environment.ts';
import { objectOn } from './json-lines.ts';
import { promptArgument } from './prompt-argument.ts';

export const command: Adapter = {
  capabilities: { usage: 'turns', cost: true, resume: false, permissions: 'none', mcp: 'none' },
  // A program that does not know the word would begin to work.
  version: null,
  login: null,
  instructions: null,
  prints: 'text',
  start,
  read,
  show: (line) => [line],
  judge,
};

/**
 * Program, arguments and environment of an attempt. `{prompt}`, `{prompt_file}` and `{worktree}` are replaced in each
 * argument; a program with a slash is taken from the root of the user's repository.
 */
function start(options: StartOptions): Start {
  const { definition, promptFile, worktree, baseEnv } = options;
  const values: Readonly<Record<string, string>> = {
    prompt: promptArgument(options.prompt, promptFile),
    prompt_file: promptFile,
    worktree,
  };
  const [program = '', ...args] = commandOf(options).map((argument) =>
    // One pass: what a prompt says about braces stays as it is.
    argument.replace(
      /\{(prompt|prompt_file|worktree)\}/g,
      (whole, name: string) => values[name] ?? whole,
    ),
  );
  return {
    argv: [program, ...args],
    ...attemptEnvironment({ baseEnv, names: definition.env, places: options }),
  };
}

/**
 * What a line of standard output reports: usage, or a refusal of usage that cannot be right.
 * Figures: `input_tokens`, `output_tokens`, `cached_tokens`, `cost_usd` (US dollars); `model` names the model.
 */
function read(line: string): readonly Said[] {
  const entry = objectOn(line);
  if (entry === null || entry['type'] !== 'usage') return [];
  const usage = usageOf(entry, {
    input: 'input_tokens',
    output: 'output_tokens',
    cached: 'cached_tokens',
    costUsd: 'cost_usd',
  });
  return ['refused' in usage ? usage : { kind: 'usage', usage, ...modelIn(entry) }];
}

function judge(ending: Ending): Judgement {
  return notItsOwn(ending) ?? byExitCode(exitCode(ending) ?? 1, ending.lastWords);
}
