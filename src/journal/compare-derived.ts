/** Whether a file that is derived from the log is what the log says. Reads both once, in pieces, and changes nothing. */
import { closeSync, lstatSync, openSync, readSync } from 'node:fs';
import type { RenderLine } from './derived.ts';
import type { Journal } from './journal.ts';

const pieceBytes = 64 * 1024;

/** `short`: what is there is right, and the end is missing. */
export type Comparison = 'same' | 'short' | 'different' | 'missing';

/** Compares the file with the events, one line each. An empty log needs no file. */
export function compareWithLog(
  file: string,
  of: { readonly journal: Pick<Journal, 'read'>; readonly render: RenderLine },
): Comparison {
  let fd: number;
  try {
    // Nobody may serve a pipe.
    if (!lstatSync(file).isFile()) return 'different';
    fd = openSync(file, 'r');
  } catch {
    const [first] = of.journal.read({ limit: 1 });
    return first === undefined ? 'same' : 'missing';
  }
  try {
    let offset = 0;
    for (const piece of pieces(of)) {
      const found = readAt(fd, offset, piece.length);
      if (found.length < piece.length)
        return found.equals(piece.subarray(0, found.length)) ? 'short' : 'different';
      if (!found.equals(piece)) return 'different';
      offset += piece.length;
    }
    return readAt(fd, offset, 1).length === 0 ? 'same' : 'different';
  } finally {
    closeSync(fd);
  }
}

function* pieces(of: {
  readonly journal: Pick<Journal, 'read'>;
  readonly render: RenderLine;
}): Iterable<Buffer> {
  let text = '';
  for (const event of of.journal.read()) {
    for (const piece of of.render(event)) text += piece;
    text += '\n';
    if (text.length < pieceBytes) continue;
    yield Buffer.from(text);
    text = '';
  }
  if (text !== '') yield Buffer.from(text);
}

function readAt(fd: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  let done = 0;
  while (done < length) {
    const read = readSync(fd, buffer, done, length - done, position + done);
    if (read === 0) break;
    done += read;
  }
  return buffer.subarray(0, done);
}
