/**
 * `events.log` and `events.jsonl` in the home: the log as text, one line for each event, line N for event N. Derived:
 * they are appended to after a batch is durable, and brought up to date or made anew from the log whenever they do not
 * fit it (killed in the middle of a line, removed, truncated, of another log, of another rendering). What else stands
 * in place of one, a link say, is replaced and never written to.
 *
 * Owns both files and the note `.position` beside them, which says how many lines were surely written up to which
 * byte, so that starting does not count all lines of a long log. A file that cannot be written stops nothing: the
 * next call tries again.
 */
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  lstatSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Event } from '../core/events.ts';
import { JournalError, type Journal } from './journal.ts';
import { openOwnFile } from './own-file.ts';
import { utf8Pieces } from './utf8-pieces.ts';

/** One line for an event, without a line break: in pieces where it is long. */
export type RenderLine = (event: Event) => Iterable<string>;

/** What `update` could not do, or null. */
export type DerivedProblem = { readonly file: string; readonly error: string } | null;

/** The derived files of a log. */
export interface DerivedFiles {
  /** Brings both files up to the log's last event. `batch` is what was appended last, if it is at hand. */
  update(batch?: readonly Event[]): DerivedProblem;
  close(): void;
}

/** The files in `folder`, which `makeFolder` makes where it is not there. Nothing is written before `update`. */
export function openDerived(options: {
  readonly folder: string;
  readonly makeFolder: (folder: string) => void;
  readonly journal: Pick<Journal, 'read' | 'head'>;
  readonly log: RenderLine;
  readonly jsonl: RenderLine;
}): DerivedFiles {
  const { folder, makeFolder, journal } = options;
  const files = [
    new LineFile(join(folder, 'events.log'), options.log),
    new LineFile(join(folder, 'events.jsonl'), options.jsonl),
  ];
  return {
    update: (batch = []) => {
      try {
        makeFolder(folder);
      } catch (error) {
        for (const file of files) file.close();
        return { file: folder, error: error instanceof Error ? error.message : String(error) };
      }
      for (const file of files) {
        try {
          file.update(journal, batch, batch.at(-1)?.seq ?? journal.head().seq);
        } catch (error) {
          file.close();
          // A log that cannot be read stops the loop where it decides, not here.
          if (!isSystemError(error) && !(error instanceof JournalError)) throw error;
          return { file: file.path, error: error.message };
        }
      }
      return null;
    },
    close: () => {
      for (const file of files) file.close();
    },
  };
}

const notedEvery = 1000;
const chunkBytes = 64 * 1024;
const newline = 0x0a;

/** One derived file. Its lines are whole: a torn end is cut off before anything is added. */
class LineFile {
  readonly path: string;
  readonly #render: RenderLine;
  #fd: number | null = null;
  #ino = 0;
  /** Whole lines in the file, and their bytes. */
  #lines = 0;
  #bytes = 0;
  #noted = 0;

  constructor(path: string, render: RenderLine) {
    this.path = path;
    this.#render = render;
  }

  /** Brings the file up to the event `seq`. */
  update(journal: Pick<Journal, 'read'>, batch: readonly Event[], seq: number): void {
    const fd = this.#sameFile() ?? this.#open(journal, seq);
    if (this.#lines === seq) return;
    const next = batch.findIndex((event) => event.seq === this.#lines + 1);
    const reaches = next >= 0 && batch.at(-1)?.seq === seq;
    this.#write(fd, reaches ? batch.slice(next) : journal.read({ after: this.#lines, upTo: seq }));
    if (this.#lines - this.#noted >= notedEvery) this.#note();
  }

  close(): void {
    if (this.#fd === null) return;
    closeSync(this.#fd);
    this.#fd = null;
    this.#note();
  }

  /** The open file, if it is still the one at the path and as long as we left it. */
  #sameFile(): number | null {
    if (this.#fd === null) return null;
    const stat = lstatSync(this.path, { throwIfNoEntry: false });
    if (stat?.ino === this.#ino && stat.size === this.#bytes) return this.#fd;
    closeSync(this.#fd);
    this.#fd = null;
    return null;
  }

  #open(journal: Pick<Journal, 'read'>, seq: number): number {
    const fd = openOwnFile(this.path);
    this.#fd = fd;
    const { ino, size } = fstatSync(fd);
    this.#ino = ino;
    const noted = this.#readNote(fd, size);
    this.#lines = noted.lines;
    this.#bytes = noted.bytes;
    this.#countLines(fd, size);
    if (!this.#fits(fd, journal, seq)) {
      this.#lines = 0;
      this.#bytes = 0;
    }
    if (this.#bytes !== size) ftruncateSync(fd, this.#bytes);
    this.#noted = this.#lines;
    return fd;
  }

  /** Whether the last whole line is what the log's event of that number renders to. */
  #fits(fd: number, journal: Pick<Journal, 'read'>, seq: number): boolean {
    if (this.#lines === 0) return true;
    if (this.#lines > seq) return false;
    const [event] = journal.read({ after: this.#lines - 1, limit: 1 });
    if (event === undefined) return false;
    const expected = Buffer.from(`${[...this.#render(event)].join('')}\n`);
    const from = this.#bytes - expected.length;
    if (from < 0) return false;
    const begins = from === 0 || readAt(fd, from - 1, 1)[0] === newline;
    return begins && readAt(fd, from, expected.length).equals(expected);
  }

  #countLines(fd: number, size: number): void {
    for (let from = this.#bytes; from < size; from += chunkBytes) {
      const chunk = readAt(fd, from, Math.min(chunkBytes, size - from));
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, at + 1)) {
        this.#lines += 1;
        this.#bytes = from + at + 1;
      }
    }
  }

  #write(fd: number, events: Iterable<Event>): void {
    let text = '';
    let written = 0;
    let count = 0;
    const put = (): void => {
      written += writeText(fd, text);
      text = '';
    };
    const flush = (): void => {
      put();
      this.#bytes += written;
      this.#lines += count;
      written = 0;
      count = 0;
    };
    for (const event of events) {
      for (const piece of this.#render(event)) {
        text += piece;
        if (text.length > chunkBytes) put();
      }
      text += '\n';
      count += 1;
      if (written > 0) flush();
    }
    if (count > 0) flush();
  }

  #note(): void {
    this.#noted = this.#lines;
    const making = `${this.path}.position.new`;
    try {
      rmSync(making, { recursive: true, force: true });
      writeFileSync(making, `${this.#lines} ${this.#bytes}\n`, { flag: 'wx', mode: 0o600 });
      renameSync(making, `${this.path}.position`);
    } catch {
      // Without the note the next start counts all lines.
    }
  }

  #readNote(fd: number, size: number): { readonly lines: number; readonly bytes: number } {
    const none = { lines: 0, bytes: 0 };
    try {
      const note = `${this.path}.position`;
      if (!lstatSync(note).isFile()) return none;
      const match = /^(\d+) (\d+)\n$/.exec(readFileSync(note, 'utf8'));
      const lines = Number(match?.[1]);
      const bytes = Number(match?.[2]);
      if (!(lines > 0 && bytes > 0 && bytes <= size)) return none;
      return readAt(fd, bytes - 1, 1)[0] === newline ? { lines, bytes } : none;
    } catch {
      return none;
    }
  }
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

/** Writes the text; gives how many bytes it has. */
function writeText(fd: number, text: string): number {
  let length = 0;
  for (const bytes of utf8Pieces(text)) {
    for (let done = 0; done < bytes.length;) done += writeSync(fd, bytes, done);
    length += bytes.length;
  }
  return length;
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
