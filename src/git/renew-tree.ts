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
import { isInUse } from '../process/occupants.ts';
import type { GitContext } from './context.ts';
import { discard } from './discard.ts';
import { output } from './git.ts';
import { hasFineTimes, idAt, isUntouched, readIndex, without } from './index-file.ts';
import type { IndexFile } from './index-file.ts';

const checkoutTimeoutMs = 30 * 60_000;
/** How long this thread may be held in one go, milliseconds. */
const holdMs = 8;

/**
 * Renews the folder `dir`, which holds a new `.git` of ours without an index beside the old files. `record` is the index
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
    index = readIndex(readFileSync(options.record), commit.length);
    if (index === null || !hasFineTimes(index)) return false;
    const there = await sift({ dir, index, trash: options.trash });
    const edited = without(index, (nth) => there[nth] === 0);
    writeFileSync(join(gitDir, 'index'), edited);
  } catch {
    // Something that cannot be looked at or removed.
    return false;
  }
  const call = { cwd: dir, gitDir, workTree: dir, signal: context.signal };
  await output(['read-tree', '-m', '-u', commit], { ...call, timeoutMs: checkoutTimeoutMs });
  return sameAttributes(index, readFileSync(join(gitDir, 'index')), commit.length);
}

/** Removes what is not as git wrote it; gives, for each entry of the index, whether its file is there (1) or not (0). */
async function sift(of: {
  readonly dir: string;
  readonly index: IndexFile;
  readonly trash: string;
}): Promise<Uint8Array> {
  const { dir, index } = of;
  const there = new Uint8Array(index.paths.size);
  const known = foldersOf(index.paths.keys());
  const folderMode = lstatSync(join(dir, '.git')).mode;
  const plain = folderMode & 0o666;
  let since = performance.now();
  const folders = [''];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const place = folder === '' ? dir : `${dir}/${folder}`;
    if (lstatSync(place).mode !== folderMode) chmodSync(place, folderMode & 0o7777);
    for (const name of readdirSync(place)) {
      const path = folder === '' ? name : `${folder}/${name}`;
      if (path === '.git') continue;
      const stat = lstatSync(`${dir}/${path}`);
      const nth = index.paths.get(path);
      if (nth !== undefined && isUntouched(index, nth, stat, plain)) there[nth] = 1;
      else if (!stat.isDirectory()) unlinkSync(`${dir}/${path}`);
      else if (known.has(path)) folders.push(path);
      else void (await discard(`${dir}/${path}`, of.trash)).deleted;
    }
    if (performance.now() - since < holdMs) continue;
    await nextTurn();
    since = performance.now();
  }
  return there;
}

/** All folders above the paths, which come in their order. */
function foldersOf(paths: Iterable<string>): ReadonlySet<string> {
  const folders = new Set<string>();
  let last = '';
  for (const path of paths) {
    const slash = path.lastIndexOf('/');
    if (slash === last.length && path.startsWith(last)) continue;
    last = path.slice(0, Math.max(slash, 0));
    for (let end = slash; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const folder = path.slice(0, end);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  return folders;
}

const attributes = '.gitattributes';

/** Whether attributes are the same before and after: where they changed, unchanged files may have to be written anew. */
function sameAttributes(before: IndexFile, bytes: Buffer, width: number): boolean {
  if (!before.bytes.includes(attributes) && !bytes.includes(attributes)) return true;
  const after = readIndex(bytes, width);
  if (after === null) return false;
  const all = new Set([...before.paths.keys(), ...after.paths.keys()]);
  return [...all].every(
    (path) =>
      !(path === attributes || path.endsWith(`/${attributes}`)) ||
      idAt(before, path) === idAt(after, path),
  );
}
