/** The store in memory as one loop sees it: writes fail at times, before or after they were stored. */
import type { Event } from '../src/core/events.ts';
import type { FoldState } from '../src/core/evolve.ts';
import type { RepositoryState } from '../src/core/state.ts';
import { JournalError, type EventQuery, type Head, type Journal } from '../src/journal/journal.ts';
import type { World } from './world.ts';

export class FaultyJournal implements Journal {
  readonly #inner: Journal;
  readonly #world: World;
  readonly #stored: (batch: readonly Event[]) => void;

  constructor(inner: Journal, world: World, stored: (batch: readonly Event[]) => void) {
    this.#inner = inner;
    this.#world = world;
    this.#stored = stored;
  }

  append(batch: readonly Event[], state: RepositoryState): void {
    const { faults } = this.#world;
    if (faults.strikes('disk-full', 'append')) throw new JournalError('full', 'the disk is full');
    if (faults.strikes('log-locked', 'append')) throw new JournalError('locked', 'it is locked');
    if (faults.strikes('io-error', 'append')) throw new JournalError('io', 'the disk failed');
    this.#inner.append(batch, state);
    this.#stored(batch);
    if (faults.strikes('io-error-stored', 'append'))
      throw new JournalError('io', 'the disk failed after the write');
  }

  read(query?: EventQuery): Iterable<Event> {
    return this.#inner.read(query);
  }

  load(): FoldState {
    return this.#inner.load();
  }

  head(): Head {
    return this.#inner.head();
  }

  close(): void {}
}
