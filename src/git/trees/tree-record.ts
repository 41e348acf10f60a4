/**
 * What git saw of a tree when it wrote its files: its index, and beside it what the folders were, as one file. A folder
 * whose `ctime` is the same has the same names in it, since each that comes or goes moves it.
 *
 * The file: the length of the index (four bytes, highest first), the index, a SHA-1 of what follows (hex), and the rest as
 * JSON. Any other form is none.
 */
import { createHash } from 'node:crypto';
import { lstatSync, type Stats } from 'node:fs';
import { foldersOf } from './index-file.ts';

export interface TreeRecord {
  readonly index: Buffer;
  /** The commit whose files these are. */
  readonly commit: string;
  /** What each folder was, by path. */
  readonly folders: ReadonlyMap<string, FolderStat>;
}

/** Inode and `ctime` (milliseconds) of a folder. */
export type FolderStat = readonly [ino: number, ctimeMs: number];

/** The record of the tree at `dir`, as bytes. */
export function recordBytes(of: {
  readonly dir: string;
  readonly index: Buffer;
  readonly commit: string;
}): Buffer {
  const { dir, index, commit } = of;
  const folders: (readonly [string, ...FolderStat])[] = [];
  for (const folder of foldersOf(index, commit.length)) {
    const stat = lstatSync(`${dir}/${folder}`, { throwIfNoEntry: false });
    if (stat !== undefined) folders.push([folder, stat.ino, stat.ctimeMs]);
  }
  const length = Buffer.alloc(4);
  length.writeUInt32BE(index.length);
  const text = JSON.stringify({ commit, folders });
  return Buffer.concat([length, index, Buffer.from(sumOf(text) + text)]);
}

/** Reads a record; null when it is damaged or of another form. What is in the index is not looked at. */
export function readRecord(bytes: Buffer): TreeRecord | null {
  if (bytes.length < 4) return null;
  const end = 4 + bytes.readUInt32BE(0);
  const rest = bytes.toString('utf8', end);
  const text = rest.slice(sumLength);
  if (end > bytes.length || rest.slice(0, sumLength) !== sumOf(text)) return null;
  const { commit, folders } = JSON.parse(text) as {
    readonly commit: string;
    readonly folders: readonly (readonly [string, ...FolderStat])[];
  };
  const known = new Map(folders.map(([path, ...stat]) => [path, stat] as const));
  return { index: bytes.subarray(4, end), commit, folders: known };
}

/** Whether the folder is as it was, so that nothing came into it or went. */
export function isSameFolder(stat: Stats, known: FolderStat | undefined): boolean {
  return known !== undefined && stat.ino === known[0] && stat.ctimeMs === known[1];
}

const sumLength = 40;

function sumOf(text: string): string {
  return createHash('sha1').update(text).digest('hex');
}
