/**
 * The lock that makes one loop the only one of a repository: an exclusive transaction on a database file of its own.
 * The operating system holds it and gives it back when the process ends, however it ends.
 *
 * Traps: closing any handle on the file within the process that holds the lock drops it (POSIX record locks), so
 * nothing but this file opens it; a child process does not inherit it; a renamed or deleted file lets a second owner
 * in, which the journal's epoch then stops. Who owns the lock stands in `owner.json` beside it, for people and for
 * finding the owner's socket: it decides nothing.
 */
import { readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makePrivateFolder } from './file-system.ts';
import { asJournalError, sqliteCode } from './sqlite-error.ts';

/** Who holds the lock, as it says itself. `socket` is where its loop listens; null when it does not. */
export interface Owner {
  readonly pid: number;
  /** Start time of the process, in the platform's own words; with `pid` it names one process. */
  readonly start: string;
  readonly socket: string | null;
  readonly version: string;
  /** The verb that it carries out and ends with; absent when it leads runs. */
  readonly verb?: string;
  /** Absent unless it runs in the background. */
  readonly daemon?: DaemonFacts;
}

/** What a daemon says of itself. */
export interface DaemonFacts {
  /** Milliseconds since 1970. */
  readonly since: number;
  /** The process that starts it again; null when there is none. */
  readonly guardian: { readonly pid: number; readonly start: string } | null;
  /** Whether it ends when its runs wait for a person. */
  readonly exitWhenWaiting: boolean;
}

/** The lock while it is held. `using` gives it back. */
export interface Lock extends Disposable {
  /** Gives the lock back and removes the owner file; further calls do nothing. */
  release(): void;
  /** Gives the lock back and leaves the owner file, as a process that dies does: it says who led the runs last. */
  drop(): void;
}

/**
 * Takes the lock of the folder, at once or not at all. When another process holds it, says who; null while that process
 * has not said so yet. Throws `JournalError` when the folder cannot hold a lock.
 */
export function acquireLock(
  folder: string,
  owner: Owner,
): { readonly lock: Lock } | { readonly owner: Owner | null } {
  const path = join(folder, 'lock.db');
  if (held.has(path)) return { owner: readOwner(folder) };
  const db = onDisk(path, () => {
    makePrivateFolder(folder);
    return exclusive(path);
  });
  if (db === null) return { owner: readOwner(folder) };
  held.set(path, db);
  const drop = (): void => {
    if (!db.isOpen) return;
    held.delete(path);
    db.close();
  };
  const release = (): void => {
    if (db.isOpen) removeOwner(folder);
    drop();
  };
  try {
    onDisk(path, () => writeOwner(folder, owner));
  } catch (error) {
    // Whoever died before it still stands there, and people are told of that.
    drop();
    throw error;
  }
  return { lock: { release, drop, [Symbol.dispose]: release } };
}

/** Who says that it holds the lock of the folder, or null. It may have died since: ask its socket or the system. */
export function readOwner(folder: string): Owner | null {
  try {
    return decodeOwner(JSON.parse(readFileSync(ownerFile(folder), 'utf8')));
  } catch {
    return null;
  }
}

/**
 * Locks that this process holds. A second attempt would open the file, and its close would drop the first; and a
 * connection that nothing refers to would be closed by the garbage collector.
 */
const held = new Map<string, DatabaseSync>();

/** The connection whose open transaction is the lock, or null when another process has it. */
function exclusive(path: string): DatabaseSync | null {
  for (let tries = 1; ; tries += 1) {
    let db: DatabaseSync | null = null;
    try {
      db = new DatabaseSync(path, { timeout: 0 });
      db.exec('BEGIN EXCLUSIVE');
      return db;
    } catch (error) {
      db?.close();
      const code = sqliteCode(error);
      if (code === 5) return null;
      // What the file holds means nothing. Emptied in place, it stays the file that an owner may have locked.
      if (tries > 1 || (code !== notADatabase && code !== damaged)) throw error;
      truncateSync(path);
    }
  }
}

const damaged = 11;
const notADatabase = 26;

function onDisk<T>(path: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    throw asJournalError(error, path);
  }
}

function removeOwner(folder: string): void {
  try {
    rmSync(ownerFile(folder), { force: true });
  } catch {
    // It decides nothing: on a disk that has become read-only it stays, and names a process that is gone.
  }
}

function ownerFile(folder: string): string {
  return join(folder, 'owner.json');
}

function writeOwner(folder: string, owner: Owner): void {
  const half = `${ownerFile(folder)}.${owner.pid}`;
  try {
    writeFileSync(half, `${JSON.stringify(owner)}\n`, { mode: 0o600 });
    renameSync(half, ownerFile(folder));
  } catch (error) {
    rmSync(half, { force: true });
    throw error;
  }
}

function decodeOwner(value: unknown): Owner | null {
  if (typeof value !== 'object' || value === null) return null;
  const { pid, start, socket, version } = value as Partial<Record<keyof Owner, unknown>>;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return null;
  if (typeof start !== 'string' || typeof version !== 'string') return null;
  if (socket !== null && typeof socket !== 'string') return null;
  const daemon = decodeDaemon('daemon' in value ? value.daemon : undefined);
  const verb = 'verb' in value && typeof value.verb === 'string' ? { verb: value.verb } : {};
  return { pid, start, socket, version, ...verb, ...(daemon === null ? {} : { daemon }) };
}

function decodeDaemon(value: unknown): DaemonFacts | null {
  if (typeof value !== 'object' || value === null) return null;
  const { since, guardian, exitWhenWaiting } = value as Partial<Record<keyof DaemonFacts, unknown>>;
  if (typeof since !== 'number') return null;
  return { since, guardian: decodeProcess(guardian), exitWhenWaiting: exitWhenWaiting === true };
}

function decodeProcess(value: unknown): DaemonFacts['guardian'] {
  if (typeof value !== 'object' || value === null) return null;
  const { pid, start } = value as { readonly pid?: unknown; readonly start?: unknown };
  return typeof pid === 'number' && typeof start === 'string' ? { pid, start } : null;
}
