/**
 * A copy of one file that takes no more of the disk than the file does: holes stay holes. Node cannot see where they are,
 * and to read through them takes minutes: so the file system shares the blocks where it can, or a `cp` that sees holes
 * copies (GNU's); else the file is read, and what is all zeros in it is not written.
 *
 * Invariants: a copy of the size and time of its file is whole, since the time is set after its bytes are on the disk; and
 * a copy takes the place of an older one when it is whole, not before.
 */
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { copyFile, lstat, open, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { runCommand } from '../../process/run.ts';
import { failure } from '../git.ts';

/** A plain file, and where its copy goes. Names are bytes. */
export interface FileToCopy {
  readonly from: Buffer;
  readonly to: Buffer;
  /** Where the copy is made before it takes its place, on the same file system. What lies there is removed. */
  readonly via: string;
  readonly stat: Stats;
}

/** What is to be copied cannot be read, and not by a fault of the machine: it is not to be had. */
export class Unreadable extends Error {}

/** Milliseconds that a copy may take. */
export const longestMs = 30 * 60_000;

/** Smaller files are read sooner than a program is started, bytes. */
const worthProgram = 1024 * 1024;
const readAtOnce = 1024 * 1024;
const zeros = Buffer.alloc(64 * 1024);

/** What a file takes of the disk, bytes. */
export function takenBy({ size, blocks }: Pick<Stats, 'size' | 'blocks'>): number {
  return Math.min(size, blocks * 512);
}

/** Whether the copy is there from before. */
export async function isCopied({ to, stat }: FileToCopy): Promise<boolean> {
  const there = await lstat(to).catch(() => null);
  if (there?.isFile() !== true || there.size !== stat.size) return false;
  return Math.abs(there.mtimeMs - stat.mtimeMs) < 1;
}

/** Lets the copy share the blocks of the file, which takes no space; false where that cannot be. */
export async function cloneFile(file: FileToCopy): Promise<boolean> {
  const { from, via } = file;
  try {
    await making(file, () => copyFile(from, via, constants.COPYFILE_FICLONE_FORCE));
    return true;
  } catch {
    return false;
  }
}

/** Copies a file, or leaves what was there. Throws `Unreadable` when it is the file that cannot be read. */
export async function copyOne(file: FileToCopy, stop: AbortSignal): Promise<void> {
  await making(file, async () => {
    const small = file.stat.size < worthProgram;
    if (small || !(await copyByProgram(file, stop))) await copyByReading(file, stop);
  });
}

async function making({ to, via, stat }: FileToCopy, make: () => Promise<void>): Promise<void> {
  await rm(via, { force: true });
  try {
    await make();
    await finish(via, stat);
    await rename(via, to);
  } catch (error) {
    await rm(via, { force: true });
    throw error;
  }
}

async function finish(copy: string, stat: Stats): Promise<void> {
  await using file = await open(copy, constants.O_RDONLY | constants.O_NOFOLLOW);
  await file.sync();
  await file.chmod(stat.mode & 0o777);
  await file.utimes(stat.atimeMs / 1000, stat.mtimeMs / 1000);
}

/** Waits for what is read of the files to copy; only such a failure can be `Unreadable`. */
export async function reading<T>(step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error) || ofMachine.has(error.code)) throw error;
    throw new Unreadable(error.message);
  }
}

const ofMachine: ReadonlySet<unknown> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
]);

/** False also when there is no such program, or it does not know holes. */
async function copyByProgram({ from, via }: FileToCopy, stop: AbortSignal): Promise<boolean> {
  const source = from.toString('utf8');
  if (!from.equals(Buffer.from(source))) return false;
  const { code } = await runCommand({
    argv: ['cp', '-P', '--sparse=always', '--', source, via],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin', LC_ALL: 'C' },
    timeoutMs: longestMs,
    signal: stop,
    maxOutputBytes: 4096,
  });
  if (code !== 0) {
    await rm(via, { force: true });
    return false;
  }
  // What became a link meanwhile was copied as one.
  if (!(await lstat(via)).isFile()) throw new Unreadable(`${source} is not a plain file any more`);
  return true;
}

async function copyByReading({ from, via, stat }: FileToCopy, stop: AbortSignal): Promise<void> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  await using source = await reading(open(from, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
  await using target = await open(via, 'wx', 0o600);
  const block = Buffer.allocUnsafe(Math.max(1, Math.min(stat.size, readAtOnce)));
  let at = 0;
  for (;;) {
    assertGoesOn(stop);
    const { bytesRead } = await reading(source.read(block, 0, block.length, at));
    if (bytesRead === 0) break;
    await writeFilled(target, block.subarray(0, bytesRead), at);
    at += bytesRead;
  }
  await target.truncate(at);
}

/** Throws when copying was stopped, or takes too long. */
export function assertGoesOn(stop: AbortSignal): void {
  if (stop.aborted) throw failure('what is not stored in git could not be put aside in time');
}

/** Writes what is not all zeros. */
async function writeFilled(target: FileHandle, bytes: Buffer, at: number): Promise<void> {
  for (let from = 0; from < bytes.length; from += zeros.length) {
    const piece = bytes.subarray(from, from + zeros.length);
    if (piece.equals(zeros.subarray(0, piece.length))) continue;
    for (let done = 0; done < piece.length;)
      done += (await target.write(piece, done, piece.length - done, at + from + done)).bytesWritten;
  }
}
