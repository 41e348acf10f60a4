/** Whether the disk has room for the first steps of a loop. */
import { closeSync, existsSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { asJournalError } from './sqlite-error.ts';

/** What a loop writes before it can tell anybody anything, amply: its lock, and a first page or two of the log. */
const roomBytes = 64 * 1024;

/** Throws the `JournalError` that a loop would end with for want of space. `folder` is that of the log, if it is there. */
export function needRoom(folder: string): void {
  if (!existsSync(folder)) return;
  const probe = join(folder, `room.${process.pid}`);
  try {
    const fd = openSync(probe, 'w', 0o600);
    try {
      // Its space is given back with the descriptor, however this process ends.
      rmSync(probe);
      const bytes = Buffer.alloc(roomBytes);
      for (let at = 0; at < bytes.length;) at += writeSync(fd, bytes, at);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw asJournalError(error, folder);
  }
}
