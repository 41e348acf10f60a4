/**
 * Starts an attempt: the agent's program under the shim, detached, with its output in files.
 *
 * Owns the start only: from then on the records in the folder say what became of it, for this loop and for any later
 * one (`follow.ts`). Invariant: an attempt whose folder holds a claim is never started again.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from '../core/events.ts';
import { watchFolder } from './changes.ts';
import { bootId } from './identity.ts';
import { shimArguments, shimExit } from './shim.ts';
import { attemptKey, markWatched, readStatus, recordBoot, voidAttempt } from './status.ts';
import { which } from './which.ts';

export interface StartOptions {
  /** The attempt's folder, absolute. Standard output goes to `output` there, standard error to `errors`. */
  readonly dir: string;
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment; the attempt's marker is added. */
  readonly env: NodeJS.ProcessEnv;
  /** Milliseconds until the watchdog ends it; null for no limit. */
  readonly timeoutMs: number | null;
  /** Milliseconds without `markWatched` until the watchdog ends it. */
  readonly unattendedMs: number;
  /** SIGTERM to SIGKILL, milliseconds. */
  readonly graceMs: number;
}

export type StartResult =
  | { readonly started: ProcessIdentity }
  /** One sentence; `final` when a repeat cannot mend it. */
  | { readonly failed: string; readonly final: boolean };

/** How long the shim may take to its first record, milliseconds: then it is not allowed to start any more. */
const patienceMs = 30_000;

/** Starts the program and returns as soon as its process is on record, or with the reason why it never will be. */
export async function startAttempt(options: StartOptions): Promise<StartResult> {
  const { dir, argv, cwd, env } = options;
  const program = which({ program: argv[0] ?? '', path: env['PATH'] ?? '', cwd });
  if ('missing' in program) return { failed: program.missing, final: true };

  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    chmodSync(dir, 0o700);
    recordBoot(dir, bootId());
    markWatched(dir);
  } catch (error) {
    return { failed: `its folder cannot be made: ${message(error)}`, final: false };
  }
  return launch({ ...options, argv: [program.path, ...argv.slice(1)] });
}

async function launch(options: StartOptions): Promise<StartResult> {
  const { dir } = options;
  const { promise, resolve } = Promise.withResolvers<StartResult>();
  let shim: ChildProcess | null = null;
  let waited = 0;
  const backstopMs = 1_000;
  using _watch = watchFolder(dir, backstopMs, (file) => {
    if (file === null) waited += backstopMs;
    look();
  });
  const look = (): void => {
    try {
      const result = outcome(dir, shim);
      if (result !== null) resolve(result);
      else if (waited >= patienceMs && readStatus(dir).kind === 'none' && voidAttempt(dir)) {
        resolve({ failed: 'its shim did not come up', final: false });
      }
    } catch (error) {
      // A throw from a watcher or a timer would end the process.
      resolve({ failed: `its records cannot be used: ${message(error)}`, final: false });
    }
  };

  const started = spawnShim(options);
  if ('failed' in started) return started;
  shim = started.child;
  shim.once('exit', look);
  shim.once('error', (error) => resolve(refused(error)));
  look();
  const result = await promise;
  // What comes later is for whoever follows it.
  shim.off('exit', look);
  shim.unref();
  return result;
}

function spawnShim(
  options: StartOptions,
): { readonly child: ChildProcess } | Extract<StartResult, { failed: string }> {
  const { dir, cwd, env } = options;
  const files: number[] = [];
  try {
    for (const name of ['output', 'errors']) files.push(openSync(join(dir, name), 'a', 0o600));
    const child = spawn('/bin/sh', shimArguments(options), {
      cwd,
      env: { ...env, CZAR_ATTEMPT_KEY: attemptKey(dir) },
      detached: true,
      stdio: ['ignore', ...files],
    });
    return { child };
  } catch (error) {
    return refused(error);
  } finally {
    for (const file of files) closeSync(file);
  }
}

/** What the records say; null while the shim is still on its way. */
function outcome(dir: string, shim: ChildProcess | null): StartResult | null {
  const status = readStatus(dir);
  switch (status.kind) {
    case 'running':
      return { started: { ...status.agent, boot: bootId() } };
    case 'exited':
      if (status.agent !== null) return { started: { ...status.agent, boot: bootId() } };
      return { failed: unwritable, final: false };
    case 'void':
      return { failed: 'it was given up by another loop before it started', final: false };
    case 'none':
    case 'claimed': {
      if (shim === null || (shim.exitCode === null && shim.signalCode === null)) return null;
      if (shim.exitCode === shimExit.claimed)
        return { failed: 'its folder is taken already', final: false };
      if (shim.exitCode === shimExit.unwritable) return { failed: unwritable, final: false };
      // It may have died before its claim: nobody shall start it later.
      if (status.kind === 'none') voidAttempt(dir);
      return { failed: `its shim ended with ${shim.signalCode ?? shim.exitCode}`, final: false };
    }
  }
}

const unwritable = 'its records cannot be written (is the disk full?)';

function refused(error: unknown): Extract<StartResult, { failed: string }> {
  const tooLong = error instanceof Error && 'code' in error && error.code === 'E2BIG';
  return { failed: `it could not be started: ${message(error)}`, final: tooLong };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
