/** Verbs and options as commander wants them. The only file that knows both. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { globalFlags } from './global-options.ts';
import type { Printer } from './render.ts';
import type { CliContext, Flag, Given, ParsedVerb, PlainVerb } from './verb.ts';

/** A command line of the global options, without verbs; it ends nothing and prints nothing but help. */
export function createProgram(out: Pick<Printer, 'exact'>): Command {
  const program = new Command('czar');
  for (const flag of globalFlags) program.addOption(optionOf(flag));
  return program
    .helpCommand(false)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: out.exact,
      writeErr: () => {},
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    });
}

/** Puts a verb's arguments, options and action on a command. */
export function define(
  verb: ParsedVerb | PlainVerb,
  { command, context }: { readonly command: Command; readonly context: CliContext },
): void {
  if ('define' in verb) return verb.define(command, context);
  for (const { name, required, text } of verb.words)
    command.argument(required ? `<${name}>` : `[${name}]`, text);
  for (const flag of verb.options) command.addOption(optionOf(flag));
  command.action(() => verb.act(context, given(command, verb.options)));
}

function optionOf({ name, short, value, text, choices, fallback, wrong, many }: Flag): Option {
  const long = value === undefined ? `--${name}` : `--${name} <${value}>`;
  const option = new Option(short === undefined ? long : `-${short}, ${long}`, text);
  if (choices !== undefined) option.choices(choices);
  if (fallback !== undefined) option.default(fallback);
  if (wrong === undefined && many === undefined) return option;
  return option.argParser((typed: string, before: unknown) => {
    const problem = wrong?.(typed) ?? null;
    if (problem !== null) throw new InvalidArgumentError(problem);
    if (many === undefined) return typed;
    return Array.isArray(before) ? [...before.map(String), typed] : [typed];
  });
}

/** What commander has read for these flags. */
export function given(command: Command, of: readonly Flag[]): Given {
  const flags = new Set<string>();
  const values = new Map<string, string>();
  const lists = new Map<string, readonly string[]>();
  const options: Readonly<Record<string, unknown>> = command.opts();
  for (const { name, value } of of) {
    const read = options[new Option(`--${name}`).attributeName()];
    if (value === undefined && read === !name.startsWith('no-')) flags.add(name);
    else if (typeof read === 'string') values.set(name, read);
    else if (Array.isArray(read)) lists.set(name, read.map(String));
  }
  return { words: command.args, flags, values, lists };
}
