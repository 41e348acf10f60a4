/**
 * The log and what lies around it, for whoever only looks: no lock, no loop, no git. Everything works the same while a
 * loop lives, after it died, and on a read-only disk.
 *
 * Owns a read-only connection. What cannot be read comes back as a value, never as a guess.
 */
import { join, resolve } from 'node:path';
import type { Event } from '../../core/events.ts';
import { emptyState, evolve } from '../../core/evolve.ts';
import { isLive } from '../../core/lifecycle.ts';
import { restlessRuns } from '../../core/restless.ts';
import {
  isRunLive,
  type RepositoryState,
  type RunState,
  type WorkerState,
} from '../../core/state.ts';
import { JournalError, type EventQuery } from '../../journal/journal.ts';
import { openJournalForReading, type SqliteJournal } from '../../journal/sqlite.ts';
import { damageNote } from '../../journal/suspicion.ts';
import { droppedBytes, olderPart } from '../../process/bounded-file.ts';
import { watchFolder } from '../../process/changes.ts';
import { liveness } from '../../process/identity.ts';
import { plainSize } from '../../process/plain-file.ts';
import { readLines } from '../../process/tail.ts';
import type { TokensOf } from '../../report/event-fields.ts';
import type { Liveness, LivenessOf } from '../../report/liveness.ts';
import { holderOf } from '../holder.ts';
import type { Place } from '../place.ts';
import { signsOfLife, type SignsOfLife } from './signs-of-life.ts';

/** Why nothing can be read: nothing was ever run here, or the log cannot be read (in a sentence). */
export type ReadProblem =
  | { readonly kind: 'no-log' }
  | { readonly kind: 'unreadable'; readonly what: string; readonly next: string | null };

/** One line that an attempt printed. */
export interface OutputLine {
  readonly stream: 'output' | 'errors';
  readonly text: string;
}

/** How often is looked without a notice of the system, milliseconds. */
const backstopMs = 500;

/** Opens the log of the place, hands it to `use`, and closes it. */
export async function withReader<T>(
  place: Place,
  use: (reader: Reader) => T | Promise<T>,
): Promise<
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly problem: ReadProblem }
> {
  try {
    using journal = openJournalForReading(join(place.state, 'czar.db'));
    if (journal === null) return { ok: false, problem: { kind: 'no-log' } };
    const note = isHeld(place) ? null : damageNote(join(place.state, 'czar.db'));
    return { ok: true, value: await use(new Reader(place, journal, note)) };
  } catch (error) {
    if (!(error instanceof JournalError)) throw error;
    return { ok: false, problem: { kind: 'unreadable', what: error.message, next: error.next } };
  }
}

/** The id of the run of this place that has not ended, the newest when there are several; null without one. */
export async function liveRun(place: Place): Promise<string | null> {
  const found = await withReader(place, (reader) => reader.loadCurrent(null));
  if (!found.ok) return null;
  return restlessRuns(found.value).findLast(isRunLive)?.id ?? null;
}

/** Sequence number of the last event; 0 where nothing was ever run. */
export async function lastSeq(place: Place): Promise<number> {
  const found = await withReader(place, (reader) => reader.lastSeq());
  return found.ok ? found.value : 0;
}

/** Whether a process that says it holds the lock of this place lives, as far as the system tells. */
export function isHeld(place: Place): boolean {
  return holderOf(place) !== null;
}

/** The view. Its methods throw `JournalError`, which `withReader` turns into a value. */
export class Reader {
  readonly #place: Place;
  readonly #journal: SqliteJournal;
  /** What is wrong with the end of the log, one sentence, or null. */
  readonly note: string | null;

  constructor(place: Place, journal: SqliteJournal, note: string | null) {
    this.#place = place;
    this.#journal = journal;
    this.note = note;
  }

  /** The same log, with the files of attempts as another checkout has them. */
  at(place: Place): Reader {
    return new Reader(place, this.#journal, this.note);
  }

  /** The state now. Costs what the workers of all runs cost, whatever the length of the log. */
  load(): RepositoryState {
    return this.#journal.load();
  }

  /**
   * The state now, as far as it concerns the run that is named, else the one that goes on or is the newest: runs that
   * ended before that are left out. All of it when there is no run of that name.
   */
  loadCurrent(named: string | null): RepositoryState {
    return this.#journal.loadCurrent(named);
  }

  /** The state after an event of the past, by folding the log up to it. */
  stateAt(seq: number): RepositoryState {
    const state = emptyState();
    for (const event of this.#journal.read({ upTo: seq })) evolve(state, event);
    return state;
  }

  /** The last event that is not later than the time (milliseconds since 1970); 0 when all are. */
  seqAt(time: number): number {
    for (const event of this.#journal.read({ newestFirst: true })) {
      if (event.at <= time) return event.seq;
    }
    return 0;
  }

  events(query: EventQuery = {}): Iterable<Event> {
    return this.#journal.read(query);
  }

  /** Sequence number of the last event. */
  lastSeq(): number {
    return this.#journal.head().seq;
  }

  /** Tokens as the state has them now. */
  tokens(): TokensOf {
    const runs = new Map<string, RunState | undefined>();
    return (run, worker) => {
      if (!runs.has(run)) runs.set(run, this.loadCurrent(run).runs.get(run));
      const usage = runs.get(run)?.workers.get(worker)?.usage;
      return usage === undefined || usage.source === 'none' ? null : usage.input + usage.output;
    };
  }

  /** Looks at the processes and files of attempts, as of `now` (milliseconds since 1970). */
  liveness(now: number): LivenessOf {
    return (run, worker) => {
      let looked: SignsOfLife | null = null;
      const signs = (): SignsOfLife => {
        const tree = worker.worktree === null ? null : resolve(this.#place.root, worker.worktree);
        return (looked ??= signsOfLife(this.#attemptDir(run.id, worker.id, worker.attempts), tree));
      };
      return {
        state: processState(worker),
        observedAt: now,
        // Looked at when asked for: most views show the state alone.
        get lastOutputAt() {
          return signs().output;
        },
        get lastReportAt() {
          return signs().report;
        },
        get lastCommitAt() {
          return signs().commit;
        },
        get lastAnswerAt() {
          return signs().answer;
        },
      };
    };
  }

  /**
   * Yields at once, and whenever the log may have grown, until aborted or the log was replaced. Told by the system,
   * with a slow look besides.
   */
  async *changes(signal: AbortSignal): AsyncIterable<void> {
    using wake = new Wake(this.#place.state, signal);
    while (!signal.aborted && this.#journal.isCurrent()) {
      yield;
      await wake.next();
    }
  }

  /**
   * What an attempt printed: its output, then its errors, of each the last mebibyte or two, and a line that says how much
   * came before. With `follow` goes on until the attempt has ended or the signal is given.
   */
  async *output(options: {
    readonly run: string;
    readonly worker: string;
    readonly attempt: number;
    readonly follow: boolean;
    readonly signal: AbortSignal;
  }): AsyncIterable<OutputLine> {
    const { run, worker, attempt, follow, signal } = options;
    const dir = this.#attemptDir(run, worker, attempt);
    const streams = (['output', 'errors'] as const).map((stream) => {
      const path = join(dir, stream);
      return { stream, path, ...beginningOf(path) };
    });
    using wake = new Wake(dir, signal);
    for (const { stream, before } of streams) for (const text of before) yield { stream, text };
    for (;;) {
      const over = !follow || this.#hasEnded(options);
      for (const one of streams) {
        for (;;) {
          const dropped = droppedBytes(one.path);
          const from = Math.max(0, one.offset - dropped);
          const read = readLines({ path: one.path, offset: from, atEnd: over });
          const offset = dropped + read.offset;
          if (read.lines.length === 0 && offset === one.offset) break;
          one.offset = offset;
          const { lines } = read;
          for (const { text } of lines) yield { stream: one.stream, text };
        }
      }
      if (over || signal.aborted) return;
      await wake.next();
    }
  }

  #hasEnded(of: {
    readonly run: string;
    readonly worker: string;
    readonly attempt: number;
  }): boolean {
    const { run, worker } = of;
    const types = ['worker.started', 'attempt.ended'] as const;
    const [last] = this.#journal.read({ run, worker, types, newestFirst: true, limit: 1 });
    return last === undefined || last.type === 'attempt.ended' || last.attempt !== of.attempt;
  }

  #attemptDir(run: string, worker: string, attempt: number): string {
    return join(this.#place.home.path, 'runs', run, worker, String(attempt));
  }
}

/** Waits for changes in a folder; a change between two waits is not lost. */
class Wake implements Disposable {
  readonly #watcher: Disposable;
  readonly #signal: AbortSignal;
  #changed = false;
  #wake: (() => void) | null = null;

  constructor(folder: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watcher = watchFolder(folder, backstopMs, this.#notice);
    signal.addEventListener('abort', this.#notice);
  }

  async next(): Promise<void> {
    if (!this.#changed && !this.#signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    this.#changed = false;
    this.#wake = null;
  }

  [Symbol.dispose](): void {
    this.#signal.removeEventListener('abort', this.#notice);
    this.#watcher[Symbol.dispose]();
  }

  readonly #notice = (): void => {
    this.#changed = true;
    this.#wake?.();
  };
}

function processState(worker: WorkerState): Liveness['state'] {
  const process = worker.attempt?.process ?? null;
  if (!isLive(worker.state) || process === null) return 'none';
  const found = liveness(process);
  return found === 'gone' ? 'ended' : found;
}

/** Liveness for a moment of the past: what processes did then is not known. */
export function pastLiveness(at: number): LivenessOf {
  return (_run: RunState, worker) => ({
    state: isLive(worker.state) && worker.attempt?.process != null ? 'unknown' : 'none',
    observedAt: at,
    lastOutputAt: null,
    lastReportAt: null,
    lastCommitAt: null,
  });
}

/** What is shown of an attempt's output at most, bytes; and as much again of an older part. */
const shownBytes = 1024 * 1024;

/** Where to begin to show a file, and the lines to show before that. */
function beginningOf(path: string): { readonly before: readonly string[]; offset: number } {
  const dropped = droppedBytes(path);
  const size = plainSize(path) ?? 0;
  const skipped = Math.max(0, size - shownBytes);
  if (skipped > 0)
    return {
      before: [`[${dropped + skipped} bytes of this output come before; see ${path}]`],
      offset: dropped + skipped,
    };
  const older = readLines({
    path: olderPart(path),
    offset: 0,
    maxBytes: 2 * shownBytes,
    atEnd: true,
  });
  return { before: older.lines.map(({ text }) => text), offset: dropped };
}
