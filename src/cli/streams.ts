/**
 * The process's own streams as sinks. A reader that goes away (`| head`) is no error: what follows is dropped, and
 * `closed` tells whoever streams to end; a run that prints progress goes on.
 */
import { confirm } from './confirm.ts';
import type { Sink } from './render.ts';

/** Sinks over stdout and stderr, and what is known of the terminal. */
export function standardStreams(options: { readonly colour: boolean }): {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly isTerminal: boolean;
  readonly canAsk: boolean;
  /** Asks the person at the terminal; false for no. */
  readonly confirm: (question: string) => Promise<boolean>;
  readonly closed: AbortSignal;
} {
  const closing = new AbortController();
  const gone = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
    closing.abort();
  };
  process.stdout.on('error', gone);
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
  const wanted =
    options.colour && (process.env['NO_COLOR'] ?? '') === '' && process.env['TERM'] !== 'dumb';
  const sink = (stream: NodeJS.WriteStream, signal: AbortSignal | null): Sink => ({
    write: (text) => {
      if (signal?.aborted !== true) stream.write(text);
    },
    colours: wanted && stream.isTTY === true,
    width: () => (stream.isTTY === true ? (stream.columns ?? 80) : null),
    rows: () => stream.rows ?? 24,
  });
  return {
    stdout: sink(process.stdout, closing.signal),
    stderr: sink(process.stderr, null),
    isTerminal: process.stdout.isTTY === true,
    canAsk: process.stdin.isTTY === true && process.stderr.isTTY === true,
    confirm: async (question) =>
      confirm(question, { input: process.stdin, output: process.stderr }),
    closed: closing.signal,
  };
}
