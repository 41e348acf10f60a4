/**
 * Copies of what is not stored in git, put beside it. What is there whole from before is not copied again, and what the
 * disk has no room for above its reserve is not begun: collecting fails then, and everything stays in its tree.
 */
import { lstat, mkdir, readdir, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { reserveOf } from '../../core/disk-space.ts';
import { bytesText } from '../../core/lack-text.ts';
import { failure } from '../git.ts';
import { assertGoesOn, cloneFile, copyOne, isCopied, longestMs, takenBy } from './copy-file.ts';
import type { FileToCopy } from './copy-file.ts';

/** A file or folder, and where its copy goes. */
export interface ToPutAside {
  readonly name: string;
  readonly from: Buffer;
  readonly to: string;
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
    const files = await ifToBeHad(() => filesToCopy(one.from, Buffer.from(one.to), stop));
    if (files !== null) found.push({ one, files });
  }
  await assertRoom(found, rules);
  const copies = new Map<string, string>();
  for (const { one, files } of found) {
    const made = await ifToBeHad(async () => {
      for (const file of files) await copyOne(file, stop);
      return one.to;
    });
    if (made !== null) copies.set(one.name, made);
  }
  return copies;
}

/**
 * The plain files at a path that must be copied yet: those that can share their blocks with the copy do so at once.
 * Folders are made. Null for what is neither file nor folder.
 */
async function filesToCopy(
  from: Buffer,
  to: Buffer,
  stop: AbortSignal,
): Promise<readonly FileToCopy[] | null> {
  assertGoesOn(stop);
  const stat = await lstat(from);
  if (stat.isFile()) {
    await mkdir(dirname(to.toString('utf8')), { recursive: true, mode: 0o700 });
    const file = { from, to, stat };
    return (await isCopied(file)) || (await cloneFile(file)) ? [] : [file];
  }
  if (!stat.isDirectory()) return null;
  await mkdir(to, { recursive: true, mode: 0o700 });
  const files: FileToCopy[] = [];
  for (const name of await readdir(from, { encoding: 'buffer' })) {
    const below = await filesToCopy(inside(from, name), inside(to, name), stop);
    files.push(...(below ?? []));
  }
  return files;
}

function inside(folder: Buffer, name: Buffer): Buffer {
  return Buffer.concat([folder, Buffer.from('/'), name]);
}

/** A copy that the disk did not take must be made later: that throws. Any other that fails is not to be had: null. */
async function ifToBeHad<T>(steps: () => Promise<T>): Promise<T | null> {
  try {
    return await steps();
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    if (ofMachine.has(error.code)) throw error;
    return null;
  }
}

const ofMachine: ReadonlySet<unknown> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'ENOMEM',
  'EMFILE',
]);

/** Throws when the copies do not fit into what is free above the reserve. */
async function assertRoom(found: readonly ToCopy[], rules: AsideRules): Promise<void> {
  const [largest] = found
    .map(({ one, files }) => ({ one, bytes: takenByAll(files) }))
    .toSorted((one, other) => other.bytes - one.bytes);
  if (largest === undefined) return;
  const files = found.flatMap((each) => each.files);
  let need = takenByAll(files);
  for (const { to } of files) {
    // What is there from before makes way.
    const there = await lstat(to).catch(() => null);
    need -= there === null ? 0 : takenBy(there);
  }
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
