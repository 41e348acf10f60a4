/** The log for a moment, for a process that is not the loop: under the lock, or not at all. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { EvaluateWhen } from '../core/advance.ts';
import type { Event } from '../core/events.ts';
import type { RepositoryState } from '../core/state.ts';
import { gitContext, type GitContext } from '../git/context.ts';
import { acquireLock, type Owner } from '../journal/lock.ts';
import type { EventQuery } from '../journal/journal.ts';
import { openJournal, openJournalForReading, type SqliteJournal } from '../journal/sqlite.ts';
import { evaluateWhen } from '../plan/expression.ts';
import { identify } from '../process/identity.ts';
import { openDerivedFiles } from './derived-files.ts';
import type { Place } from './place.ts';
import { packageVersion } from './version.ts';

export interface HeldLog extends Disposable {
  readonly journal: SqliteJournal;
  readonly git: GitContext;
  readonly when: EvaluateWhen;
  /** Brings the derived log files up to date. */
  readonly derive: () => void;
}

/** The state that the log folds to, for reading; null when there is no log. */
export function openLogState(place: Place): RepositoryState | null {
  const file = join(place.state, 'czar.db');
  if (!existsSync(file)) return null;
  using journal = openJournalForReading(file);
  return journal === null ? null : journal.load();
}

/** Events of the log that the query selects; none when there is no log. */
export function readEvents(place: Place, query: EventQuery): readonly Event[] {
  const file = join(place.state, 'czar.db');
  if (!existsSync(file)) return [];
  using journal = openJournalForReading(file);
  return journal === null ? [] : [...journal.read(query)];
}

/** Holds the log; says who holds it when another process does; null when there is none yet. */
export function holdLog(
  place: Place,
): HeldLog | { readonly owner: Owner | null; readonly state: RepositoryState } | null {
  const file = join(place.state, 'czar.db');
  if (!existsSync(file)) return null;
  const self = identify(process.pid);
  const start = typeof self === 'string' ? '' : self.start;
  const taken = acquireLock(place.state, {
    pid: process.pid,
    start,
    socket: null,
    version: packageVersion(),
  });
  if ('owner' in taken) {
    using reader = openJournalForReading(file);
    if (reader === null) return null;
    return { owner: taken.owner, state: reader.load() };
  }
  const { lock } = taken;
  try {
    const journal = openJournal(file);
    const git = gitContext({ root: place.root, commonDir: place.commonDir, home: place.home.path });
    return {
      journal,
      git,
      when: evaluateWhen,
      derive: () => {
        const files = openDerivedFiles(place.home.path, journal);
        files.update();
        files.close();
      },
      [Symbol.dispose]() {
        journal.close();
        lock.release();
      },
    };
  } catch (error) {
    lock.release();
    throw error;
  }
}
