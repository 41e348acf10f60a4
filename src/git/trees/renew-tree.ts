/**
 * Makes the files of a commit out of the files of an earlier checkout: what is still exactly as git wrote it stays, all
 * else goes, and git writes what is missing. The outcome is the same as that of a checkout into an empty folder.
 *
 * Whoever worked in the folder is trusted with nothing: files are compared with what git recorded when it wrote them, in
 * a record that was never theirs, and their `.git` is gone. Nothing that is not in the new commit is left, ignored or not.
 */
import {
  chmodSync,
  lstatSync,
  readdirSync,
  readFileSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { isInUse } from '../../process/occupants.ts';
import type { GitContext } from '../context.ts';
import { discard } from './discard.ts';
import { output } from '../git.ts';
import { hasFineTimes, idsOf, isUntouched, readIndex, without } from './index-file.ts';
import type { IndexFile } from './index-file.ts';
import { isSameFolder, readRecord } from './tree-record.ts';
import type { TreeRecord } from './tree-record.ts';

const checkoutTimeoutMs = 30 * 60_000;
/** How long this thread may be held in one go, milliseconds. */
const holdMs = 8;

/**
 * Renews the folder `dir`, which holds a new `.git` of ours without an index beside the old files. `record` is that
 * of the checkout that they come from, `trash` a folder on the same file system. False when that is not possible, or not
 * sure: the folder is good for nothing then.
 */
export async function renewTree(
  context: GitContext,
  options: {
    readonly dir: string;
    readonly record: string;
    readonly commit: string;
    readonly trash: string;
  },
): Promise<boolean> {
  const { dir, commit } = options;
  if (isInUse(dir) !== false) return false;
  const gitDir = join(dir, '.git');
  let index: IndexFile | null;
  try {
    const record = readRecord(readFileSync(options.record));
    index = record === null ? null : readIndex(record.index, commit.length);
    if (record === null || index === null || !hasFineTimes(index)) return false;
    const there = await sift({ dir, index, folders: record.folders, trash: options.trash });
    const edited = without(index, (nth) => there[nth] === 0);
    writeFileSync(join(gitDir, 'index'), edited);
    // Everything is there that git would write.
    if (record.commit === commit && edited === index.bytes) return true;
  } catch {
    // Something that cannot be looked at or removed.
    return false;
  }
  const call = { cwd: dir, gitDir, workTree: dir, signal: context.signal };
  await output(['read-tree', '-m', '-u', commit], { ...call, timeoutMs: checkoutTimeoutMs });
  return sameAttributes(index, readFileSync(join(gitDir, 'index')), commit.length);
}

/** A folder of the index. */
interface Folder {
  readonly path: string;
  readonly parent: Folder | null;
  /** Names of the folders in it. */
  readonly folders: Set<string>;
  /** Numbers of the files in it. */
  readonly files: number[];
  isThere: boolean;
}

/** Removes what is not as git wrote it; gives, for each entry of the index, whether its file is there (1) or not (0). */
async function sift(of: {
  readonly dir: string;
  readonly index: IndexFile;
  readonly folders: TreeRecord['folders'];
  readonly trash: string;
}): Promise<Uint8Array> {
  const { dir, index, trash } = of;
  const there = new Uint8Array(index.paths.length);
  const mode = lstatSync(join(dir, '.git')).mode;
  const plain = mode & 0o666;
  let since = performance.now();
  // Each after the one that it is in: what is below a link is not looked at.
  for (const folder of foldersAbove(index.paths)) {
    if (folder.parent?.isThere === false) continue;
    const place = folder.path === '' ? dir : `${dir}/${folder.path}`;
    const stat = lstatSync(place, mayBeGone);
    if (stat?.isDirectory() !== true) {
      if (stat !== undefined) unlinkSync(place);
      continue;
    }
    folder.isThere = true;
    if (stat.mode !== mode) chmodSync(place, mode & 0o7777);
    // The uppermost was moved, and got its .git since.
    if (folder.path === '' || !isSameFolder(stat, of.folders.get(folder.path)))
      await removeOthers(place, folder, { index, trash });
    for (const nth of folder.files) {
      const path = `${dir}/${index.paths[nth] ?? ''}`;
      const file = lstatSync(path, mayBeGone);
      if (file === undefined) continue;
      if (isUntouched(index, nth, file, plain)) there[nth] = 1;
      else if (!file.isDirectory()) unlinkSync(path);
      else void (await discard(path, trash)).deleted;
    }
    if (performance.now() - since < holdMs) continue;
    await nextTurn();
    since = performance.now();
  }
  return there;
}

const mayBeGone = { throwIfNoEntry: false } as const;

/** Removes what is in a folder under a name that the index does not have there. */
async function removeOthers(
  place: string,
  { path, folders, files }: Folder,
  { index, trash }: { readonly index: IndexFile; readonly trash: string },
): Promise<void> {
  const below = path === '' ? 0 : path.length + 1;
  const known = new Set(files.map((nth) => (index.paths[nth] ?? '').slice(below)));
  for (const name of readdirSync(place)) {
    if (known.has(name) || folders.has(name) || (path === '' && name === '.git')) continue;
    const other = `${place}/${name}`;
    if (!lstatSync(other).isDirectory()) unlinkSync(other);
    else void (await discard(other, trash)).deleted;
  }
}

/** All folders above the paths, each after the one that it is in, with what is in them. */
function foldersAbove(paths: readonly string[]): Iterable<Folder> {
  const root: Folder = { path: '', parent: null, folders: new Set(), files: [], isThere: false };
  const known = new Map([['', root]]);
  const folderAt = (path: string): Folder => {
    const found = known.get(path);
    if (found !== undefined) return found;
    const slash = path.lastIndexOf('/');
    const parent = folderAt(path.slice(0, Math.max(slash, 0)));
    parent.folders.add(path.slice(slash + 1));
    const folder = { path, parent, folders: new Set<string>(), files: [], isThere: false };
    known.set(path, folder);
    return folder;
  };
  let last = root;
  for (const [nth, path] of paths.entries()) {
    const slash = Math.max(path.lastIndexOf('/'), 0);
    if (slash !== last.path.length || !path.startsWith(last.path))
      last = folderAt(path.slice(0, slash));
    last.files.push(nth);
  }
  return known.values();
}

const attributes = '.gitattributes';

/** Whether attributes are the same before and after: where they changed, unchanged files may have to be written anew. */
function sameAttributes(before: IndexFile, bytes: Buffer, width: number): boolean {
  if (!before.bytes.includes(attributes) && !bytes.includes(attributes)) return true;
  const after = readIndex(bytes, width);
  if (after === null) return false;
  const isOne = (path: string): boolean => path === attributes || path.endsWith(`/${attributes}`);
  const [old, now] = [idsOf(before, isOne), idsOf(after, isOne)];
  return old.size === now.size && [...old].every(([path, id]) => now.get(path) === id);
}
