/**
 * From arguments to a verb: finds the verb named, loads it alone, lets commander parse for it, and turns whatever
 * comes of it into an exit code. Nothing here ends the process: output is flushed by its natural end.
 */
import { CommanderError } from 'commander';
import { nearest } from '../plan/nearest.ts';
import { createProgram, define, given } from './commander.ts';
import { openSession } from './context.ts';
import { exits, type ExitCode, type Failure } from './exit.ts';
import { globalFlags, globalOptions } from './global-options.ts';
import type { CliContext } from './verb.ts';
import { verbs, type VerbEntry } from './verbs.ts';

/** Runs the command line with the process's own streams, folder and environment; gives the exit code. */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  const session = openSession(argv, { direct: false });
  const { context, code } = session;
  const found = findVerb(argv);
  if (found.kind === 'help') return await help(found, context, code);
  if (found.kind === 'unknown') {
    context.fail(found.name.startsWith('-') ? unknownOption(found.name) : unknownVerb(found.name));
    return code();
  }
  try {
    const { verb } = await found.entry.load();
    if ('raw' in verb) {
      await verb.raw(argv.slice(found.index + 1), context);
    } else {
      const program = createProgram(context.out);
      const command = program.command(found.name).description(found.entry.summary);
      define(verb, { command, context });
      program.hook('preAction', () => session.use(globalOptions(given(program, globalFlags))));
      await program.parseAsync(argv, { from: 'user' });
    }
  } catch (error) {
    if (error instanceof CommanderError) usageFailure(error, { name: found.name, context });
    else session.broke(error);
  }
  return code();
}

/** Which verb the arguments name, if global options before it are passed over. */
function findVerb(argv: readonly string[]):
  | {
      readonly kind: 'verb';
      readonly name: string;
      readonly entry: VerbEntry;
      readonly index: number;
    }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'help'; readonly of: string | null; readonly sub: string | null } {
  const options = new Map(globalFlags.map(({ name, value }) => [`--${name}`, value !== undefined]));
  let index = 0;
  while (index < argv.length && argv[index]?.startsWith('-') === true) {
    const option = argv[index] ?? '';
    if (option === '--help' || option === '-h') return { kind: 'help', of: null, sub: null };
    const [name = ''] = option.split('=', 1);
    const takesValue = options.get(name);
    if (takesValue === undefined) return { kind: 'unknown', name };
    index += takesValue && !option.includes('=') ? 2 : 1;
  }
  const name = argv[index];
  if (name === undefined) return { kind: 'help', of: null, sub: null };
  if (name === 'help')
    return { kind: 'help', of: argv[index + 1] ?? null, sub: argv[index + 2] ?? null };
  const entry = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  return entry === undefined ? { kind: 'unknown', name } : { kind: 'verb', name, entry, index };
}

async function help(
  { of, sub }: { readonly of: string | null; readonly sub: string | null },
  context: CliContext,
  code: () => ExitCode,
): Promise<ExitCode> {
  const { out } = context;
  if (of === null) {
    out.line('Usage: czar VERB [options]');
    out.line();
    out.table(
      Object.entries(verbs).map(([name, { summary }]) => [name, summary]),
      { indent: 2 },
    );
    out.line();
    out.line('czar help VERB shows what a verb takes; czar --version names the version.');
    return code();
  }
  const entry = Object.hasOwn(verbs, of) ? verbs[of] : undefined;
  if (entry === undefined) {
    context.fail(unknownVerb(of));
    return code();
  }
  const { verb } = await entry.load();
  if ('raw' in verb) {
    await verb.raw(['--help'], context);
    return code();
  }
  const command = createProgram(out).command(of).description(entry.summary);
  define(verb, { command, context });
  const inner = sub === null ? command : command.commands.find((one) => one.name() === sub);
  if (inner === undefined) {
    context.fail({
      exit: exits.wrong,
      what: `czar ${of} has no sub-verb ${JSON.stringify(sub)}`,
      next: `czar help ${of} lists them`,
    });
    return code();
  }
  inner.outputHelp();
  return code();
}

function unknownVerb(name: string): Failure {
  const near = nearest(name, Object.keys(verbs));
  return {
    exit: exits.wrong,
    what: `there is no verb ${JSON.stringify(name)}`,
    next: near === null ? 'czar help lists the verbs' : `did you mean czar ${near}?`,
  };
}

function unknownOption(name: string): Failure {
  return {
    exit: exits.wrong,
    what: `there is no option ${JSON.stringify(name)} before a verb`,
    next: 'czar help lists the verbs; czar help VERB shows what it takes',
  };
}

function usageFailure(
  error: CommanderError,
  at: { readonly name: string; readonly context: CliContext },
): void {
  if (error.exitCode === 0) return;
  const [first = '', ...more] = error.message.replace(/^error: /, '').split('\n');
  const hint = more.join(' ').replace(/^\(|\)$/g, '');
  // Without a sub-verb it is the list, and what follows was meant for one.
  const [, word] = /^too many arguments for 'list'.*: ([^,]+?)\.?(?:,|$)/.exec(first) ?? [];
  const plain =
    word === undefined ? first : `czar ${at.name} has no sub-verb ${JSON.stringify(word)}`;
  const what = error.code === 'commander.help' ? `czar ${at.name} needs a sub-verb` : plain;
  at.context.fail({
    exit: exits.wrong,
    what,
    next: `${hint === '' ? '' : `${hint} `}czar help ${at.name} shows what it takes`,
    cause: error,
  });
}
