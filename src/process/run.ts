/**
 * Runs one command to its end and returns what it said. For commands that czar waits for: git, checks, setup.
 *
 * Owns the child's process group: on a time limit or an abort the group gets SIGTERM and, when the grace is over,
 * SIGKILL. Output is kept as bounded tails. The result comes when the command itself has ended, even if something it
 * left behind still holds its pipes open. No shell, unless argv names one.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';

export interface CommandOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Written to stdin, which is then closed; without it stdin is empty. */
  readonly input?: string | Uint8Array;
  /** Milliseconds until the group is ended. */
  readonly timeoutMs: number;
  /** Ends the group as the time limit does. */
  readonly signal?: AbortSignal;
  /** Bytes kept of stdout and of stderr each: the last ones. Default 16 MiB. */
  readonly maxOutputBytes?: number;
  /** SIGTERM to SIGKILL, milliseconds. Default 2 s. */
  readonly graceMs?: number;
}

export interface CommandResult {
  /** Of the program, which is over; null when it never started. */
  readonly pid: number | null;
  /** Exit code, or null when a signal ended it or it never started. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** Whether the beginning of stdout or stderr was dropped. */
  readonly truncated: boolean;
  readonly timedOut: boolean;
  /** Why it could not be started, or null. */
  readonly spawnError: string | null;
}

const defaultMaxOutputBytes = 16 * 1024 * 1024;
const defaultGraceMs = 2_000;
/** How long after the end of the command its pipes may stay open with nothing coming, milliseconds. */
const drainMs = 200;
/** The same, while something keeps coming. */
const maxDrainMs = 2_000;

/** Runs a command to its end. Never throws: a failed start, a time limit and an abort are in the result. */
export async function runCommand(options: CommandOptions): Promise<CommandResult> {
  const [program, ...args] = options.argv;
  if (program === undefined || program === '') return notStarted('there is no program to run');
  if (options.signal?.aborted === true) return notStarted('it was stopped before it started');

  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
  } catch (error) {
    return notStarted(message(error));
  }
  return follow(child, options);
}

function follow(child: ChildProcess, options: CommandOptions): Promise<CommandResult> {
  const limit = options.maxOutputBytes ?? defaultMaxOutputBytes;
  const stdout = tailBuffer(limit);
  const stderr = tailBuffer(limit);
  const { promise, resolve } = Promise.withResolvers<CommandResult>();
  let timedOut = false;
  let ending = false;
  let received = 0;
  let exit: { code: number | null; signal: NodeJS.Signals | null } | null = null;
  let kill: NodeJS.Timeout | undefined;
  let drain: NodeJS.Timeout | undefined;

  const end = (): void => {
    if (ending) return;
    ending = true;
    signalGroup(child, 'SIGTERM');
    kill = setTimeout(() => {
      signalGroup(child, 'SIGKILL');
      if (exit !== null) finish(null);
    }, options.graceMs ?? defaultGraceMs);
  };
  const limitTimer = setTimeout(() => {
    timedOut = true;
    end();
  }, options.timeoutMs);
  options.signal?.addEventListener('abort', end, { once: true });

  const finish = (spawnError: string | null): void => {
    clearTimeout(limitTimer);
    clearTimeout(kill);
    clearTimeout(drain);
    options.signal?.removeEventListener('abort', end);
    // Whoever in the group survived its SIGTERM must not outlive an ended command.
    if (ending) signalGroup(child, 'SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
    child.stdin?.destroy();
    resolve({
      pid: child.pid ?? null,
      code: exit?.code ?? null,
      signal: exit?.signal ?? null,
      stdout: stdout.bytes(),
      stderr: stderr.bytes(),
      truncated: stdout.truncated() || stderr.truncated(),
      timedOut,
      spawnError,
    });
  };
  // Something left behind may hold the pipes for ever: what is in them already is read, more is not waited for.
  const waitForSilence = (deadline: number): void => {
    const before = received;
    drain = setTimeout(() => {
      // The turn of an event loop that was held up reads the pipes only after its timers.
      setImmediate(() => {
        if (received !== before && Date.now() < deadline) waitForSilence(deadline);
        else if (!ending) finish(null);
      });
    }, drainMs);
  };

  child.stdout?.on('data', (chunk: Buffer) => {
    received += chunk.length;
    stdout.push(chunk);
  });
  child.stderr?.on('data', (chunk: Buffer) => {
    received += chunk.length;
    stderr.push(chunk);
  });
  // A command that does not read its input is no error.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(options.input);
  child.once('error', (error) => {
    if (child.pid === undefined) finish(message(error));
  });
  child.once('exit', (code, signal) => {
    exit = { code, signal };
    clearTimeout(limitTimer);
    if (!ending) waitForSilence(Date.now() + maxDrainMs);
  });
  child.once('close', () => finish(null));
  return promise;
}

/** Signals the whole group. A group that is gone already is no error. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // ESRCH: the group is empty. EPERM: it belongs to someone else now.
  }
}

/** Keeps the last `limit` bytes. */
function tailBuffer(limit: number): {
  push(chunk: Buffer): void;
  bytes(): Buffer;
  truncated(): boolean;
} {
  let chunks: Buffer[] = [];
  let size = 0;
  let cut = false;
  const compact = (): void => {
    const whole = Buffer.concat(chunks);
    const kept = whole.length > limit ? whole.subarray(whole.length - limit) : whole;
    cut ||= kept.length < whole.length;
    chunks = [kept];
    size = kept.length;
  };
  return {
    push(chunk) {
      chunks.push(chunk);
      size += chunk.length;
      if (size > 2 * limit) compact();
    },
    bytes() {
      compact();
      return chunks[0] ?? Buffer.alloc(0);
    },
    truncated: () => cut,
  };
}

function notStarted(why: string): CommandResult {
  return {
    pid: null,
    code: null,
    signal: null,
    stdout: Buffer.alloc(0),
    stderr: Buffer.alloc(0),
    truncated: false,
    timedOut: false,
    spawnError: why,
  };
}

function message(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
