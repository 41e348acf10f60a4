/**
 * Copies of what is not stored in git, put beside it. What is there whole from before is not copied again, and what the
 * disk has no room for above its reserve is not begun: collecting fails then, and everything stays in its tree. So it does
 * when the place of the copies cannot be written; only what cannot be read itself is not to be had.
 */
import { lstat, mkdir, readdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reserveOf } from '../../core/disk-space.ts';
import { bytesText } from '../../core/lack-text.ts';
import { failure } from '../git.ts';
import {
  Unreadable,
  assertGoesOn,
  cloneFile,
  copyOne,
  isCopied,
  longestMs,
  reading,
  takenBy,
} from './copy-file.ts';
import type { FileToCopy } from './copy-file.ts';

/** A file or folder, and where its copy goes. */
export interface ToPutAside {
  readonly name: string;
  readonly from: Buffer;
  readonly to: string;
  /** Where copies are made before they take their places: beside the folder of them all, so that no name is taken. */
  readonly via: string;
}

export interface AsideRules {
  /** Larger files git is not given, bytes. For so much in all the reserve is not looked at: it would not be for git. */
  readonly maxFileBytes: number;
  /** Reserve of the plan, bytes; the usual one when left out. */
  readonly diskReserveBytes?: number | undefined;
}

interface ToCopy {
  readonly one: ToPutAside;
  readonly files: readonly FileToCopy[];
}

/** Copies files, and of folders the files and folders; gives where each copy is, by name. For use inside `failing`. */
export async function copyAside(
  wanted: readonly ToPutAside[],
  rules: AsideRules,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, string>> {
  if (wanted.length === 0) return new Map();
  const limit = AbortSignal.timeout(longestMs);
  const stop = signal === undefined ? limit : AbortSignal.any([signal, limit]);
  const found: ToCopy[] = [];
  for (const one of wanted) {
    const files: FileToCopy[] = [];
    await mkdir(dirname(one.to), { recursive: true, mode: 0o700 });
    const there = await unlessUnreadable(() =>
      addFiles(one.from, Buffer.from(one.to), { via: one.via, files, stop }),
    );
    if (there === true) found.push({ one, files });
  }
  await assertRoom(found, rules);
  const copies = new Map<string, string>();
  for (const { one, files } of found) {
    const made = await unlessUnreadable(async () => {
      for (const file of files) await copyOne(file, stop);
      return one.to;
    });
    if (made !== null) copies.set(one.name, made);
  }
  return copies;
}

interface Adding {
  readonly via: string;
  readonly files: FileToCopy[];
  readonly stop: AbortSignal;
}

/**
 * Adds the plain files at a path that must be copied yet: those that can share their blocks with the copy do so at once.
 * Folders are made. False for what is neither file nor folder.
 */
async function addFiles(from: Buffer, to: Buffer, adding: Adding): Promise<boolean> {
  assertGoesOn(adding.stop);
  const stat = await reading(lstat(from));
  if (stat.isFile()) {
    const file = { from, to, via: adding.via, stat };
    if (!(await isCopied(file)) && !(await cloneFile(file))) adding.files.push(file);
    return true;
  }
  if (!stat.isDirectory()) return false;
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const name of await reading(readdir(from, { encoding: 'buffer' }))) {
    await addFiles(inside(from, name), inside(to, name), adding);
  }
  return true;
}

function inside(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), name]);
}

/** Null when what is to be copied cannot be read. Any other failure must not cost it: that throws. */
async function unlessUnreadable<T>(steps: () => Promise<T>): Promise<T | null> {
  try {
    return await steps();
  } catch (error) {
    if (error instanceof Unreadable) return null;
    throw error;
  }
}

/** Throws when the copies do not fit into what is free above the reserve. */
async function assertRoom(found: readonly ToCopy[], rules: AsideRules): Promise<void> {
  const [largest] = found
    .map(({ one, files }) => ({ one, bytes: takenByAll(files) }))
    .toSorted((one, other) => other.bytes - one.bytes);
  if (largest === undefined) return;
  // What is there from before makes way only when its new copy is whole.
  const need = found.reduce((sum, { files }) => sum + takenByAll(files), 0);
  if (need <= rules.maxFileBytes) return;
  const { blocks, bavail, bsize } = await statfs(dirname(largest.one.to));
  const room = Math.max(0, bavail * bsize - reserveOf(rules, { disk: blocks * bsize }));
  if (need <= room) return;
  const name = Buffer.from(largest.one.name, 'latin1').toString('utf8');
  throw failure(
    `what git is not given of it takes ${bytesText(need)} put aside (most of it: ${name}), and ${bytesText(room)} are free above the reserve (disk_reserve): everything stays in its tree`,
  );
}

function takenByAll(files: readonly FileToCopy[]): number {
  return files.reduce((sum, { stat }) => sum + takenBy(stat), 0);
}
