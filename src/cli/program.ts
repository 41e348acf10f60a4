/**
 * From arguments to a verb: finds the verb named, loads it alone, lets commander parse for it, and turns whatever
 * comes of it into an exit code. Nothing here ends the process: output is flushed by its natural end.
 */
import { Command, CommanderError, Option } from 'commander';
import { nearest } from '../plan/nearest.ts';
import { exits, type ExitCode, type Failure } from './exit.ts';
import { createPrinter, type Printer } from './render.ts';
import { standardStreams } from './streams.ts';
import type { CliContext, GlobalOptions } from './verb.ts';
import { verbs, type VerbEntry } from './verbs.ts';

/** Runs the command line with the process's own streams, folder and environment; gives the exit code. */
export async function runCli(argv: readonly string[]): Promise<ExitCode> {
  const early = new Set(argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined));
  const streams = standardStreams({ colour: !early.has('--no-color') });
  let code: ExitCode = exits.done;
  let options = earlyOptions(early);
  const out = createPrinter({ ...streams, quiet: () => options.quiet });
  const context: CliContext = {
    cwd: process.cwd(),
    env: process.env,
    get options() {
      return options;
    },
    out,
    isTerminal: streams.isTerminal,
    get canAsk() {
      return streams.canAsk && !options.json;
    },
    confirm: streams.confirm,
    get columns() {
      return streams.stdout.width() ?? 80;
    },
    now: Date.now,
    closed: streams.closed,
    exit: (next) => {
      code = next;
    },
    fail: (failure) => {
      code = failure.exit;
      printFailure(failure, { out, options });
    },
  };

  const found = findVerb(argv);
  if (found.kind === 'help') return await help(found.of, context, () => code);
  if (found.kind === 'unknown') {
    context.fail(found.name.startsWith('-') ? unknownOption(found.name) : unknownVerb(found.name));
    return code;
  }
  try {
    const { verb } = await found.entry.load();
    if ('raw' in verb) {
      await verb.raw(argv.slice(found.index + 1), context);
    } else {
      const program = createProgram(out);
      const command = program.command(found.name).description(found.entry.summary);
      verb.define(command, context);
      program.hook('preAction', () => {
        options = decodeOptions(program.opts());
      });
      await program.parseAsync(argv, { from: 'user' });
    }
  } catch (error) {
    if (error instanceof CommanderError) usageFailure(error, { name: found.name, context });
    else context.fail(storeFailure(error) ?? bug(error));
  }
  return code;
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
  | { readonly kind: 'help'; readonly of: string | null } {
  const options = new Map(
    createProgram({ exact: () => {} }).options.map(({ long, required }) => [long, required]),
  );
  let index = 0;
  while (index < argv.length && argv[index]?.startsWith('-') === true) {
    const option = argv[index] ?? '';
    if (option === '--help' || option === '-h') return { kind: 'help', of: null };
    const [name = ''] = option.split('=', 1);
    const takesValue = options.get(name);
    if (takesValue === undefined) return { kind: 'unknown', name };
    index += takesValue && !option.includes('=') ? 2 : 1;
  }
  const name = argv[index];
  if (name === undefined) return { kind: 'help', of: null };
  if (name === 'help') return { kind: 'help', of: argv[index + 1] ?? null };
  const entry = Object.hasOwn(verbs, name) ? verbs[name] : undefined;
  return entry === undefined ? { kind: 'unknown', name } : { kind: 'verb', name, entry, index };
}

async function help(
  of: string | null,
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
  verb.define(command, context);
  command.outputHelp();
  return code();
}

function createProgram(out: Pick<Printer, 'exact'>): Command {
  return new Command('czar')
    .addOption(new Option('--json', 'one JSON document on stdout and nothing else'))
    .addOption(new Option('--run <id>', 'the run to act on (default: the only live one)'))
    .addOption(new Option('--repo <dir>', 'the repository to act on (default: the current folder)'))
    .addOption(new Option('--czar-dir <dir>', 'the home folder (default: .czar, else .czarina)'))
    .addOption(new Option('--no-color', 'no colours'))
    .addOption(new Option('--quiet', 'no progress on stderr'))
    .addOption(new Option('--yes', 'answer yes to every question'))
    .addOption(new Option('--debug', 'show stack traces'))
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

function decodeOptions(opts: Readonly<Record<string, unknown>>): GlobalOptions {
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null);
  return {
    json: opts['json'] === true,
    run: text(opts['run']),
    repo: text(opts['repo']),
    czarDir: text(opts['czarDir']),
    quiet: opts['quiet'] === true,
    yes: opts['yes'] === true,
    debug: opts['debug'] === true,
  };
}

/** What can be known before commander has parsed, so that its own errors are printed as asked. */
function earlyOptions(given: ReadonlySet<string>): GlobalOptions {
  return decodeOptions({
    json: given.has('--json'),
    quiet: given.has('--quiet'),
    yes: given.has('--yes'),
    debug: given.has('--debug'),
  });
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
  const what = error.code === 'commander.help' ? `czar ${at.name} needs a sub-verb` : first;
  at.context.fail({
    exit: exits.wrong,
    what,
    next: `${hint === '' ? '' : `${hint} `}czar help ${at.name} shows what it takes`,
    cause: error,
  });
}

/** The log cannot be used: no bug, but a state of this machine that the message names. */
function storeFailure(error: unknown): Failure | null {
  if (!(error instanceof Error) || error.name !== 'JournalError') return null;
  const next = 'next' in error && typeof error.next === 'string' ? error.next : null;
  return { exit: exits.refused, what: error.message.replace(/\.$/, ''), next, cause: error };
}

function bug(error: unknown): Failure {
  return {
    exit: exits.failed,
    what: `internal error: ${error instanceof Error ? error.message : String(error)}`,
    next: 'this is a fault of czar; --debug shows where',
    cause: error,
  };
}

function printFailure(
  failure: Failure,
  to: { readonly out: Printer; readonly options: GlobalOptions },
): void {
  const { exit: code, what, where = null, next = null, cause } = failure;
  to.out.error({ text: 'czar: ', style: 'red' }, what);
  if (where !== null) to.out.error(`  at ${where}`);
  if (next !== null) to.out.error(`  next: ${next}`);
  if (to.options.json) to.out.json({ v: 1, error: { code, what, where, next } });
  if (to.options.debug && cause instanceof Error) {
    for (const line of (cause.stack ?? '').split('\n')) to.out.error(line);
  }
}
