/** What a verb is given, over the process's own streams, folder and environment; and how its failures are shown. */
import { exits, type ExitCode, type Failure } from './exit.ts';
import { earlyFlags, globalOptions } from './global-options.ts';
import { createPrinter, type Printer } from './render.ts';
import { standardStreams } from './streams.ts';
import type { CliContext, GlobalOptions } from './verb.ts';

/** The context, and what only the command line itself does with it. */
export interface Session {
  readonly context: CliContext;
  readonly code: () => ExitCode;
  /** The options once they are understood; before, they are guessed, so that errors are printed as asked. */
  readonly use: (options: GlobalOptions) => void;
  /** Says what a verb threw, and sets the exit code. */
  readonly broke: (error: unknown) => void;
}

/** A session for these arguments. `direct` writes stdout without a stream, for verbs that do nothing beside printing. */
export function openSession(
  argv: readonly string[],
  { direct }: { readonly direct: boolean },
): Session {
  const early = earlyFlags(argv);
  const streams = standardStreams({ colour: !early.has('no-color'), direct, lost });
  let code: ExitCode = exits.done;
  let options = globalOptions({ flags: early, values: new Map(), lists: new Map() });
  const out = createPrinter({ ...streams, quiet: () => options.quiet });
  const context: CliContext = {
    cwd: currentFolder(),
    env: process.env,
    get options() {
      return options;
    },
    out,
    get isTerminal() {
      return streams.isTerminal();
    },
    get canAsk() {
      return streams.canAsk() && !options.json;
    },
    confirm: streams.confirm,
    choose: streams.choose,
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
  function lost(error: Error): void {
    out.error({ text: 'czar: ', style: 'red' }, `standard output takes no more: ${error.message}`);
    process.once('exit', (last) => {
      if (last === exits.done) process.exitCode = exits.failed;
    });
  }
  return {
    context,
    code: () => code,
    use: (next) => {
      options = next;
    },
    broke: (error) =>
      context.fail(storeFailure(error) ?? goneFolder(error) ?? machineFailure(error) ?? bug(error)),
  };
}

/** The log cannot be used: no bug, but a state of this machine that the message names. */
function storeFailure(error: unknown): Failure | null {
  if (!(error instanceof Error) || error.name !== 'JournalError') return null;
  const next = 'next' in error && typeof error.next === 'string' ? error.next : null;
  return { exit: exits.refused, what: error.message.replace(/\.$/, ''), next, cause: error };
}

/** The folder that czar was started in was removed. */
function goneFolder(error: unknown): Failure | null {
  if (!(error instanceof Error && 'syscall' in error && error.syscall === 'uv_cwd')) return null;
  return {
    exit: exits.wrong,
    what: 'the folder that czar was started in is gone',
    where: null,
    next: 'change to a folder that exists',
    cause: error,
  };
}

/** What the disk, its permissions or the system's limits do not allow: a state of this machine, which the message names. */
function machineFailure(error: unknown): Failure | null {
  if (!(error instanceof Error && 'code' in error && 'syscall' in error)) return null;
  if (!machineErrors.has(String(error.code))) return null;
  return { exit: exits.refused, what: error.message, next: 'czar doctor tells more', cause: error };
}

const machineErrors = new Set([
  'EACCES',
  'EPERM',
  'EROFS',
  'ENOSPC',
  'EDQUOT',
  'EFBIG',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOMEM',
  'EISDIR',
  'ENOTDIR',
  'ELOOP',
]);

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

/** The folder that czar was started in; where it was, when it is gone. */
function currentFolder(): string {
  try {
    return process.cwd();
  } catch {
    return process.env['PWD'] ?? '/';
  }
}
