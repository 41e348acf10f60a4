/**
 * The process's own streams as sinks. A reader that goes away (`| head`) is no error: what follows is dropped, and
 * `closed` tells whoever streams to end; a run that prints progress goes on. So it is when the disk is full, but then
 * what stdout did not take is told. Streams are made when they are first needed, since making one takes longer than many
 * a command.
 */
import { fstatSync, statSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { choose, confirm } from './confirm.ts';
import type { Sink } from './render.ts';

/**
 * Sinks over stdout and stderr, and what is known of the terminal. With `direct`, one that is no terminal is written to
 * at once, and blocks while its reader is slow: not for a process that has anything else to do.
 */
export function standardStreams(options: {
  readonly colour: boolean;
  readonly direct: boolean;
  /** Told once when stdout does not take what is printed, for another reason than that nobody reads it. */
  readonly lost: (error: Error) => void;
}): {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly isTerminal: () => boolean;
  readonly canAsk: () => boolean;
  /** Asks the person at the terminal; false for no. */
  readonly confirm: (question: string) => Promise<boolean>;
  /** Asks for one of the words; null for none of them. */
  readonly choose: (question: string, words: readonly string[]) => Promise<string | null>;
  readonly closed: AbortSignal;
} {
  const closing = new AbortController();
  const wanted =
    options.colour && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  const sink = (fd: 1 | 2, open: () => NodeJS.WriteStream, gone: AbortController): Sink => {
    const broke = (error: unknown): void => {
      if (!isErrno(error)) throw error;
      const isFirst = !gone.signal.aborted;
      gone.abort();
      if (fd === 1 && isFirst && error.code !== 'EPIPE' && error.code !== 'EIO')
        options.lost(error);
    };
    const stream = streamSink(open, { wanted, gone, broke });
    return options.direct && !mayBeTerminal(fd) ? directSink(fd, { stream, gone, broke }) : stream;
  };
  return {
    stdout: sink(1, () => process.stdout, closing),
    stderr: sink(2, () => process.stderr, new AbortController()),
    isTerminal: () => mayBeTerminal(1) && process.stdout.isTTY === true,
    canAsk: () => isatty(0) && isatty(2),
    confirm: async (question) =>
      confirm(question, { input: process.stdin, output: process.stderr }),
    choose: async (question, words) =>
      choose(question, words, { input: process.stdin, output: process.stderr }),
    closed: closing.signal,
  };
}

type BytesSink = Sink & { readonly write: (text: string | Uint8Array) => void };

/** What becomes of a sink that takes no more: `gone` is aborted, by `broke` at the first error. */
interface Ending {
  readonly gone: AbortController;
  readonly broke: (error: unknown) => void;
}

/** A sink over a stream that is made at first use. */
function streamSink(
  open: () => NodeJS.WriteStream,
  { wanted, gone, broke }: Ending & { readonly wanted: boolean },
): BytesSink {
  let opened: NodeJS.WriteStream | null = null;
  const stream = (): NodeJS.WriteStream => {
    if (opened !== null) return opened;
    opened = open();
    opened.on('error', broke);
    return opened;
  };
  return {
    write: (text) => {
      if (!gone.signal.aborted) stream().write(text);
    },
    get colours() {
      return wanted && stream().isTTY === true;
    },
    width: () => (stream().isTTY === true ? (stream().columns ?? 80) : null),
    rows: () => stream().rows ?? 24,
  };
}

/** A sink over a descriptor that is no terminal. */
function directSink(
  fd: number,
  { stream, gone, broke }: Ending & { readonly stream: BytesSink },
): Sink {
  // What a descriptor does not take at once (another process made it non-blocking), the stream takes, and all after it.
  let isBlocking = true;
  return {
    write: (text) => {
      if (gone.signal.aborted) return;
      let written = 0;
      try {
        if (isBlocking) written = writeSync(fd, text);
      } catch (error) {
        if (!isErrno(error) || error.code !== 'EAGAIN') return broke(error);
      }
      if (written === Buffer.byteLength(text)) return;
      isBlocking = false;
      stream.write(Buffer.from(text).subarray(written));
    },
    colours: false,
    width: () => null,
    rows: () => 24,
  };
}

/** Whether the descriptor can be a terminal: asking for certain needs the module for terminals. */
function mayBeTerminal(fd: number): boolean {
  try {
    const file = fstatSync(fd);
    return file.isCharacterDevice() && file.rdev !== statSync('/dev/null').rdev;
  } catch {
    return false;
  }
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error;
}
