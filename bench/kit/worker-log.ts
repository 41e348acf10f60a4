/** A log with a run of one worker, to which checkpoints are added through the journal, as a loop does. */
import type { Event, NewEvent } from '../../src/core/events.ts';
import { evolve, type FoldState } from '../../src/core/evolve.ts';
import { openJournal, type SqliteJournal } from '../../src/journal/sqlite.ts';
import { planOf, runId } from '../../test/support/core-world.ts';

export class WorkerLog {
  readonly state: FoldState;
  readonly #journal: SqliteJournal;

  /** Opens the log, or makes it; takes it over from whoever wrote before. */
  constructor(path: string) {
    this.#journal = openJournal(path);
    this.state = this.#journal.load();
    const epoch = this.state.epoch + 1;
    this.#put([
      { type: 'loop.started', data: { pid: process.pid, host: 'bench', version: '0', epoch } },
    ]);
    if (this.state.runs.size > 0) return;
    const data = {
      plan: planOf([{ id: 'worker' }]),
      base: { ref: 'main', commit: 'c0', dirty: 0 },
      integration: 'i',
      target: null,
      scope: null,
    };
    this.#put([{ type: 'run.started', run: runId, data }]);
  }

  /** Adds so many events in one transaction; gives the last sequence number. */
  append(count: number): number {
    this.#put(Array.from({ length: count }, () => this.next()));
    return this.state.seq;
  }

  /** The event that is added next. */
  next(): NewEvent {
    const name = `step ${this.state.seq}: a file was read, another was written, and a test was run`;
    return { type: 'worker.checkpoint', run: runId, worker: 'worker', data: { name } };
  }

  close(): void {
    this.#journal.close();
  }

  #put(events: readonly NewEvent[]): void {
    const batch = events.map((event): Event => {
      const placed: Event = { ...event, seq: this.state.seq + 1, at: Date.now() };
      evolve(this.state, placed);
      return placed;
    });
    this.#journal.append(batch, this.state);
  }
}
