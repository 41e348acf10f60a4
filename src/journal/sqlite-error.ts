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
  forbidden: 'the log is not yours to read',
};

/** SQLite's primary result code of an error, or null when it is none of SQLite's. */
export function sqliteCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error)) return null;
  return typeof error.errcode === 'number' ? error.errcode & 0xff : null;
}

/** The failure that an error of SQLite or of the file system is; anything else is a bug and comes back as it is. */
export function asJournalError(error: unknown, path: string): unknown {
  if (error instanceof Error && 'syscall' in error && 'code' in error)
    return journalError(reasonOf(error.code), path, error);
  const code = sqliteCode(error);
  const reason = code === null ? undefined : reasons.get(code);
  if (reason !== undefined) return journalError(reason, path, error);
  return isNonsense(error, code) ? journalError('corrupt', path, error) : error;
}

function reasonOf(code: unknown): JournalReason {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'full';
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return 'read-only';
    default:
      return 'io';
  }
}

/** Whether the file holds what no czar wrote: our statements are constant, so another schema or number is damage. */
function isNonsense(error: unknown, code: number | null): boolean {
  if (!(error instanceof Error)) return false;
  if ('code' in error && error.code === 'ERR_OUT_OF_RANGE') return true;
  return (
    code === 1 &&
    /^(?:no such (?:table|column|index)|table \w+ has |malformed|unrecognized token)/.test(
      error.message,
    )
  );
}

/** A failure with its sentence and the file that it concerns. */
export function journalError(reason: JournalReason, path: string, cause?: unknown): JournalError {
  const said = cause instanceof Error ? `: ${cause.message}` : '';
  return new JournalError(reason, `${sentences[reason]} (${path}${said})`, { cause });
}
