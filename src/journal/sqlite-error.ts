/** SQLite's result codes (sqlite.org/rescode.html) as failures of the store. */
import { JournalError, type JournalReason } from './journal.ts';

const reasons: ReadonlyMap<number, JournalReason> = new Map([
  [5, 'locked'],
  [6, 'locked'],
  [8, 'read-only'],
  [10, 'io'],
  [11, 'corrupt'],
  [13, 'full'],
  [14, 'io'],
  [26, 'corrupt'],
]);

const sentences: Readonly<Record<JournalReason, string>> = {
  full: 'the disk is full: the log cannot take another event until space is freed',
  locked: 'the log is busy: another process has held it for too long',
  'read-only': 'the log lies on a read-only file system or has no write permission',
  io: 'the log cannot be read or written',
  corrupt: 'the log is damaged',
  replaced: 'the log was deleted or replaced while it was open',
  newer: 'the log was written by a newer czar: use that version',
  fenced: 'another czar has taken over the log: this one may write nothing more',
  unsuitable: 'the log cannot be kept here',
};

/** SQLite's primary result code of an error, or null when it is none of SQLite's. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error)) return null;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}

/** The failure that an error of SQLite is; anything else is a bug and comes back as it is. */
export function asJournalError(error: unknown, path: string): unknown {
  const code = sqliteCode(error);
  const reason = code === null ? undefined : reasons.get(code);
  return reason === undefined ? error : journalError(reason, path, error);
}

/** A failure with its sentence and the file that it concerns. */
export function journalError(reason: JournalReason, path: string, cause?: unknown): JournalError {
  const said = cause instanceof Error ? `: ${cause.message}` : '';
  return new JournalError(reason, `${sentences[reason]} (${path}${said})`, { cause });
}
