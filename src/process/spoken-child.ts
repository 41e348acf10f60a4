/**
 * A program that is spoken with in lines over its standard input and output, as a child that must not be left behind.
 *
 * Invariants: a line is whole or not given; one of more bytes than the limit is passed over and told. What it writes as
 * errors goes to this process's own. It is in the session of this process, where whoever ends an attempt finds it.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';

export interface SpokenChildOptions {
  readonly argv: readonly string[];
  readonly cwd: string;
  /** The whole environment: nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  readonly maxLineBytes: number;
  readonly onLine: (line: string) => void;
  /** A line was too long and is not given. */
  readonly onTooLong: () => void;
}

/** How it ended. */
export type ChildEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'signalled'; readonly signal: string }
  | { readonly kind: 'not-started'; readonly why: string };

export interface SpokenChild {
  /** Resolves when it is gone, and what it wrote is read. */
  readonly ended: Promise<ChildEnd>;
  /** Writes a line; what it no longer reads is dropped. */
  readonly send: (line: string) => void;
  /** Closes its input, waits `inputMs`, then SIGTERM, waits `graceMs`, then SIGKILL. */
  readonly end: (inputMs: number, graceMs: number) => Promise<ChildEnd>;
}

/** How long its output may stay open after its end, milliseconds: what it left behind may hold it. */
const drainMs = 300;
/** How long it may live after SIGKILL, milliseconds. */
const killMs = 2_000;

/** Starts the program. */
export function startSpokenChild(options: SpokenChildOptions): SpokenChild {
  const [program = '', ...args] = options.argv;
  const ended = Promise.withResolvers<ChildEnd>();
  let child: ChildProcess;
  try {
    child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'inherit'],
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const end = { kind: 'not-started', why } as const;
    return { ended: Promise.resolve(end), send: () => {}, end: () => Promise.resolve(end) };
  }
  const lines = lineReader(options);
  child.stdout?.on('data', lines);
  // It may be gone, or read no more: its end tells.
  child.stdin?.on('error', () => {});
  child.once('error', (error) => {
    if (child.pid === undefined) ended.resolve({ kind: 'not-started', why: error.message });
  });
  child.once('exit', (code, signal) => {
    const end: ChildEnd =
      code === null
        ? { kind: 'signalled', signal: signal ?? 'a signal' }
        : { kind: 'exited', code };
    const late = setTimeout(() => {
      child.stdout?.destroy();
      ended.resolve(end);
    }, drainMs);
    child.once('close', () => {
      clearTimeout(late);
      ended.resolve(end);
    });
  });
  const within = async (ms: number): Promise<ChildEnd | null> => {
    const waiting = new AbortController();
    const late = sleep(ms, null, { signal: waiting.signal }).catch(() => null);
    const found = await Promise.race([ended.promise, late]);
    waiting.abort();
    return found;
  };
  return {
    ended: ended.promise,
    send: (line) => {
      if (child.stdin?.writable === true) child.stdin.write(`${line}\n`);
    },
    end: async (inputMs, graceMs) => {
      child.stdin?.end();
      for (const [signal, ms] of [
        ['SIGTERM', inputMs],
        ['SIGKILL', graceMs],
      ] as const) {
        const found = await within(ms);
        if (found !== null) return found;
        child.kill(signal);
      }
      // One that the kernel holds is left to whoever ends the attempt.
      return (await within(killMs)) ?? { kind: 'signalled', signal: 'SIGKILL' };
    },
  };
}

const lineFeed = 0x0a;

function lineReader({ maxLineBytes, onLine, onTooLong }: SpokenChildOptions) {
  let parts: Buffer[] = [];
  let size = 0;
  let tooLong = false;
  const take = (part: Buffer): void => {
    size += part.length;
    if (size > maxLineBytes && !tooLong) {
      tooLong = true;
      parts = [];
      onTooLong();
    }
    if (!tooLong && part.length > 0) parts.push(part);
  };
  return (chunk: Buffer): void => {
    let from = 0;
    for (let end = chunk.indexOf(lineFeed); end >= 0; end = chunk.indexOf(lineFeed, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      if (!tooLong) onLine(Buffer.concat(parts).toString('utf8'));
      parts = [];
      size = 0;
      tooLong = false;
    }
    take(chunk.subarray(from));
  };
}
