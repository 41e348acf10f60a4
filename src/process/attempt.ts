/**
 * Starts an attempt: the agent's program under a shim, with its output in files.
 *
 * Owns the start only: from then on the records in the folder say what became of it, for this loop and for any later
 * one (`follow.ts`). Invariant: an attempt whose folder holds a claim is never started again.
 */
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import type { ProcessIdentity } from '../core/events.ts';
import type { AttemptLimits } from '../core/plan.ts';
import { bootId } from './identity.ts';
import { shimExit } from './runner-text.ts';
import type { Runners, ShimWord } from './runners.ts';
import { writeStart } from './start-file.ts';
import { attemptKey, readStatus, removeClaim, voidAttempt } from './status.ts';
import { watchdogLimits } from './watchdog-text.ts';
import { which } from './which.ts';

export interface StartOptions {
  /** The attempt's folder, absolute. Standard output goes to `output` there, standard error to `errors`. */
  readonly dir: string;
  readonly argv: readonly string[];
  /** Words before the program, which becomes it at last; none unless given. */
  readonly before?: readonly string[];
  readonly cwd: string;
  /** What its environment has in common with that of other attempts. */
  readonly env: NodeJS.ProcessEnv;
  /** What is its own and nothing secret, names as a shell allows them; the attempt's marker is added. */
  readonly own: Readonly<Record<string, string>>;
  /** What it may use of the machine at once. */
  readonly limits: AttemptLimits;
  /** Milliseconds until the watchdog ends it; null for no limit. */
  readonly timeoutMs: number | null;
  /** Milliseconds without `markWatched` until the watchdog ends it. */
  readonly unattendedMs: number;
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number;
  /** Puts into the folder what it starts with, while its shim gets ready; it begins when that is done. */
  readonly prepare?: () => Promise<void>;
}

export type StartResult =
  | { readonly started: ProcessIdentity }
  /** One sentence; `final` when a repeat cannot mend it. */
  | { readonly failed: string; readonly final: boolean };

type Failed = Extract<StartResult, { failed: string }>;

/** Its shim has claimed it and has not got to its agent. */
interface Unclear {
  readonly unclear: string;
}

/** How long the shim may take to its first record, milliseconds: then it is not allowed to start any more. */
const patienceMs = 30_000;
/** How long a shim may take to end without having started anything, milliseconds. */
const callOffMs = 2_000;

/**
 * Starts the program and returns as soon as its process is on record, or with the reason why it never will be. Throws
 * when it may still come to run: then it must be recovered, or stopped.
 */
export async function startAttempt(runners: Runners, options: StartOptions): Promise<StartResult> {
  const { dir, argv, cwd, env, own } = options;
  const path = own['PATH'] ?? env['PATH'] ?? '';
  const program = which({ program: argv[0] ?? '', path, cwd });
  if ('missing' in program) return { failed: program.missing, final: true };
  try {
    makePrivate(dir);
  } catch (error) {
    return { failed: `its folder cannot be made: ${message(error)}`, final: false };
  }
  const result = await launch(runners, options, async () => {
    await options.prepare?.();
    writeStart(dir, {
      cwd,
      own,
      argv: [...(options.before ?? []), program.path, ...argv.slice(1)],
      key: attemptKey(dir),
      limits: watchdogLimits(options),
    });
  });
  // The records say less than the processes do: whoever recovers it asks those.
  if ('unclear' in result) throw new Error(result.unclear);
  if ('failed' in result) runners.abandon(dir).catch(() => {});
  return result;
}

async function launch(
  runners: Runners,
  { dir, env, limits }: StartOptions,
  prepare: () => Promise<void>,
): Promise<StartResult | Unclear> {
  const { promise, resolve } = Promise.withResolvers<StartResult | Unclear>();
  let known = false;
  const told = (word: ShimWord): void => {
    // What comes after the first word is for whoever follows it.
    if (known) return;
    known = true;
    try {
      resolve(word.kind === 'agent' ? onRecord(word.process) : outcome(dir, word));
    } catch (error) {
      // A throw here would end the process.
      resolve({ failed: `its records cannot be used: ${message(error)}`, final: false });
    }
  };
  try {
    runners.start({ dir, env, limits }, told);
  } catch (error) {
    return { failed: `it could not be started: ${message(error)}`, final: false };
  }
  try {
    await prepare();
  } catch (error) {
    await callOff(dir, runners.abandon(dir));
    throw error;
  }
  runners.go(dir);
  const patience = setTimeout(() => told({ kind: 'gone' }), patienceMs);
  try {
    return await promise;
  } finally {
    clearTimeout(patience);
  }
}

/** Gives back the claim of an attempt that was called off, once its shim has ended: then it may be started anew. */
async function callOff(dir: string, ended: Promise<void>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const patience = setTimeout(resolve, callOffMs);
  await Promise.race([ended.catch(() => {}), promise]);
  clearTimeout(patience);
  const status = readStatus(dir);
  if (status.kind === 'exited' && status.agent === null) removeClaim(dir);
}

/** What the records say once the shim has refused, ended, or said nothing for too long. */
function outcome(dir: string, word: Exclude<ShimWord, { kind: 'agent' }>): StartResult | Unclear {
  const status = readStatus(dir);
  switch (status.kind) {
    case 'running':
      return onRecord(status.agent);
    case 'exited':
      if (status.agent !== null) return onRecord(status.agent);
      return status.code === shimExit.noTree
        ? { failed: 'its tree cannot be entered', final: false }
        : unwritable;
    case 'void':
      return { failed: 'it was given up by another loop before it started', final: false };
    case 'none':
    case 'claimed':
      if (word.kind === 'refused' && word.code === shimExit.claimed)
        return { failed: 'its folder is taken already', final: false };
      if (word.kind === 'refused') return unwritable;
      // Its shim may have died before its claim, or hang there: nobody shall start it later.
      if (status.kind === 'claimed' || !voidAttempt(dir))
        return { unclear: 'its shim has taken it and does not get to its agent' };
      return { failed: 'its shim did not come up', final: false };
  }
}

/** Makes a folder that is the user's alone; most are there already. */
function makePrivate(dir: string): void {
  if (!existsSync(dir)) mkdirSync(dir, { recursive: true, mode: 0o700 });
  chmodSync(dir, 0o700);
}

function onRecord(agent: { readonly pid: number; readonly start: string }): StartResult {
  return { started: { ...agent, boot: bootId() } };
}

const unwritable: Failed = {
  failed: 'its records cannot be written (is the disk full?)',
  final: false,
};

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
