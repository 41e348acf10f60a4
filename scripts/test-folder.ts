/**
 * Where the tests make their temporary folders: in memory, where the machine has room for them there. They make and
 * delete tens of thousands of small files, and a disk takes a third of their CPU and half of their time for that. ext4
 * for one passes over each file number that was given back in the last minute.
 */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const inMemory = '/dev/shm';
/** Type of a file system in memory (statfs, Linux). */
const tmpfs = 0x01021994;
/** Bytes that must be free there and of memory: many times what the tests have there at once. */
const enough = 4 * 1024 ** 3;

/** Makes a folder for everything that the tests make; it goes when this process ends. */
export function makeTestFolder(): string {
  const folder = quickFolder() ?? mkdtempSync(join(tmpdir(), 'czar-test-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  return folder;
}

/** A folder in memory; null where there is no place for it, or one from which no program may be started. */
function quickFolder(): string | null {
  if (process.env['TMPDIR'] !== undefined || process.platform !== 'linux') return null;
  try {
    const { type, bavail, bsize } = statfsSync(inMemory);
    if (type !== tmpfs || bavail * bsize < enough || process.availableMemory() < enough)
      return null;
    // Short, since there is little room in the path of a socket.
    const folder = mkdtempSync(join(inMemory, 'cz-'));
    // As temporary folders are: some tests act as another user.
    chmodSync(folder, 0o755);
    const program = join(folder, 'true');
    writeFileSync(program, '#!/bin/sh\n', { mode: 0o700 });
    if (spawnSync(program).status === 0) return folder;
    rmSync(folder, { recursive: true });
  } catch {
    // Not there, or not ours to use.
  }
  return null;
}
