/**
 * When a log is looked at as a whole before anything is added to it. That takes time in proportion to its length, so a
 * long one is trusted at each start, and only what is read of it is checked; a short one, and one of which something
 * is known to be wrong, is not.
 *
 * Owns the mark `<log>-suspect`, left after the disk failed under a write, and copies of damaged write-ahead logs.
 */
import { copyFileSync, existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { walDamage } from './wal.ts';

/** Largest file whose structure is checked at every opening for writing, bytes: about 20 ms. */
const smallBytes = 8 * 1024 * 1024;

/** How much is checked before the first event is added. */
export type Care = 'none' | 'structure' | 'whole';

/** What was found before the file was opened for writing. */
export interface Suspicion {
  readonly care: Care;
  /** What the user should know, one sentence, or null. */
  readonly note: string | null;
}

/** Looks at the files of a log that is not open yet. A damaged write-ahead log is copied before SQLite cuts it off. */
export function suspicionOf(path: string): Suspicion {
  const wal = `${path}-wal`;
  const damage = walDamage(wal);
  if (damage !== null) {
    const copy = keepCopy(wal);
    return {
      care: 'whole',
      note: `the end of the log was damaged: ${damage.lostBytes} bytes of ${wal} could not be read${copy === null ? '' : ` and are kept as ${copy}`}; it goes on from the last whole event`,
    };
  }
  if (existsSync(suspectMark(path))) return { care: 'whole', note: null };
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  return { care: size > 0 && size <= smallBytes ? 'structure' : 'none', note: null };
}

/** What a reader should know of a log that no loop writes, one sentence, or null. */
export function damageNote(path: string): string | null {
  const damage = walDamage(`${path}-wal`);
  return damage === null
    ? null
    : `the end of the log is damaged: ${damage.lostBytes} bytes of ${path}-wal cannot be read, and what they said is not shown`;
}

/** What SQLite finds wrong with the structure of the file, or null. `whole` compares the indexes with the tables too. */
export function structureProblem(db: DatabaseSync, care: Exclude<Care, 'none'>): string | null {
  const check = care === 'whole' ? 'integrity_check' : 'quick_check';
  const found = db.prepare(`PRAGMA ${check}(1)`).get()?.[check];
  return found === 'ok' ? null : (String(found).split('\n').at(-1) ?? '');
}

/** Remembers that the disk failed under a write, so that the next opening looks at everything. */
export function markSuspect(path: string, why: string): void {
  try {
    writeFileSync(suspectMark(path), `${why}\n`, { mode: 0o600 });
  } catch {
    // The disk that failed takes no mark either: the next opening checks what it always checks.
  }
}

/** Takes the mark away after everything was found whole. */
export function clearSuspect(path: string): void {
  rmSync(suspectMark(path), { force: true });
}

/** Whether the disk failed under a write and nobody has looked through the log since. */
export function isSuspect(path: string): boolean {
  return existsSync(suspectMark(path));
}

function suspectMark(path: string): string {
  return `${path}-suspect`;
}

function keepCopy(wal: string): string | null {
  let copy = `${wal}.damaged`;
  for (let n = 2; existsSync(copy); n += 1) copy = `${wal}.damaged-${n}`;
  try {
    copyFileSync(wal, copy);
    return copy;
  } catch {
    return null;
  }
}
