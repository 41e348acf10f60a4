/**
 * Opening the log's database file. The only other file of SQLite here is the lock (`lock.ts`).
 *
 * A cleanly closed database in WAL mode cannot be opened on a read-only file system unless SQLite is told that nothing
 * can change it; that is safe only when no WAL was left behind, since it would not be read.
 */
import { accessSync, closeSync, constants, existsSync, openSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { genesis } from './chain.ts';
import { makePrivateFolder, networkFileSystem } from './file-system.ts';
import { JournalError } from './journal.ts';
import { applicationId, createTables, formatVersion } from './schema.ts';
import { asJournalError, journalError, sqliteCode } from './sqlite-error.ts';

const busyMs = 5000;
const cantOpen = 14;

/** Made beside the log after its first events: a log that is empty has lost them when it is there. */
const madeLater = 'mirror.git';

/** Opens the file for the loop, makes it when it is missing. Throws `JournalError`. */
export function openForWriting(path: string): DatabaseSync {
  const isNew = createFile(path);
  return translated(path, () => {
    const db = new DatabaseSync(path, { timeout: busyMs });
    return closedOnError(db, () => {
      const version = isNew ? 0 : formatOf(db, path);
      db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      db.exec('PRAGMA journal_size_limit = 67108864; PRAGMA trusted_schema = OFF;');
      if (version === 0) create(db);
    });
  });
}

/** Opens the file for reading alone; null when there is no log yet. Throws `JournalError`. */
export function openForReading(path: string): DatabaseSync | null {
  if (!isThere(path)) return null;
  return translated(path, () => {
    try {
      return opened(new DatabaseSync(path, { readOnly: true, timeout: busyMs }), path);
    } catch (error) {
      if (sqliteCode(error) !== cantOpen || existsSync(`${path}-wal`)) throw error;
    }
    const url = pathToFileURL(path);
    url.searchParams.set('immutable', '1');
    return opened(new DatabaseSync(url, { readOnly: true }), path);
  });
}

/** Whether there is a log. One that cannot be looked at is not taken for none. */
function isThere(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT' || code === 'ENOTDIR') return false;
    throw journalError(code === 'EACCES' || code === 'EPERM' ? 'forbidden' : 'io', path, error);
  }
}

function opened(db: DatabaseSync, path: string): DatabaseSync | null {
  let version = 0;
  closedOnError(db, () => {
    version = formatOf(db, path);
  });
  if (version !== 0) return db;
  db.close();
  return null;
}

/** Version of the tables in the file; 0 when it holds none. Refuses what is not ours. */
function formatOf(db: DatabaseSync, path: string): number {
  const version = pragma(db, 'user_version');
  const application = pragma(db, 'application_id');
  if (version === 0 && application === 0 && isEmpty(db)) {
    if (!existsSync(join(dirname(path), madeLater))) return 0;
    throw new JournalError('corrupt', `the log is damaged: it is empty, and was not (${path})`);
  }
  if (application !== applicationId || version < 1) throw journalError('corrupt', path);
  if (version > formatVersion) {
    throw new JournalError(
      'newer',
      `the log was written by a newer czar (its format is ${version}, this version reads ${formatVersion}): use that version (${path})`,
    );
  }
  return version;
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare('SELECT 1 FROM sqlite_schema LIMIT 1').get() === undefined;
}

function pragma(db: DatabaseSync, name: 'user_version' | 'application_id'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function create(db: DatabaseSync): void {
  db.exec('BEGIN IMMEDIATE');
  if (pragma(db, 'user_version') === 0) {
    db.exec(createTables);
    db.prepare('INSERT INTO head VALUES (1, 0, ?, 0, 0, 0)').run(genesis);
    db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${formatVersion};`);
  }
  db.exec('COMMIT');
}

/**
 * The file and its folder, readable by the user alone; whether it was missing. Never opens a file that is there: see
 * `lock.ts`.
 */
function createFile(path: string): boolean {
  const folder = dirname(path);
  try {
    makePrivateFolder(folder);
    accessSync(folder, constants.W_OK);
    const network = networkFileSystem(folder);
    if (network !== null) {
      throw new JournalError(
        'unsuitable',
        `the log cannot be kept on a network file system: ${folder} is ${network}; keep the repository on a local disk`,
      );
    }
    if (existsSync(path)) return false;
    closeSync(openSync(path, 'a', 0o600));
    return true;
  } catch (error) {
    throw asJournalError(error, path);
  }
}

function translated<T>(path: string, open: () => T): T {
  try {
    return open();
  } catch (error) {
    throw asJournalError(error, path);
  }
}

function closedOnError(db: DatabaseSync, then: () => void): DatabaseSync {
  try {
    then();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
