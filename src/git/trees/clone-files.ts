/**
 * Reads and writes single files of a git directory which an agent may have filled with anything. No git runs here, no
 * link is followed, nothing that is not a plain file of bounded size is opened: a FIFO would block for ever.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isThere } from './discard.ts';
import { isObjectId } from '../refs.ts';

/** Names in a git directory that tell git where a repository or its objects are, and what else we read. */
const readByGit: ReadonlySet<string> = new Set([
  'HEAD',
  'ORIG_HEAD',
  'MERGE_HEAD',
  'CHERRY_PICK_HEAD',
  'REVERT_HEAD',
  'REBASE_HEAD',
  'config',
  'index',
  'info',
  'logs',
  'objects',
  'packed-refs',
  'refs',
  'shallow',
]);
const maxEntries = 500_000;
const maxTextBytes = 32 * 1024 * 1024;

export type GitDirState =
  | { readonly kind: 'sound' }
  /** Nothing is there. */
  | { readonly kind: 'gone' }
  /** It is there and must not be read by git; one sentence why. */
  | { readonly kind: 'unsafe'; readonly why: string };

/** Whether git may read the objects of this `.git`: everything that it would open is a plain file or folder. */
export async function gitDirState(gitDir: string): Promise<GitDirState> {
  const there = await lstat(gitDir).catch(() => null);
  if (there === null) return { kind: 'gone' };
  if (!there.isDirectory()) return unsafe('its .git is not a folder of its own any more');
  const top = await readdir(gitDir);
  if (!top.includes('HEAD')) return unsafe('its .git has no HEAD');
  if (top.includes('commondir')) return unsafe('its .git points to another repository');
  const odd = await oddEntry(gitDir, readByGit);
  return odd === null
    ? { kind: 'sound' }
    : unsafe(odd === '' ? tooMany : `.git/${odd} ${notPlain}`);
}

const notPlain = 'is not a plain file';
const tooMany = 'its .git holds too many files';

/**
 * First thing among these names of a git directory, and below them, that is neither a plain file nor a folder, by its
 * path there; '' when there are too many to look at. Null when all is plain.
 */
export async function oddEntry(gitDir: string, names: ReadonlySet<string>): Promise<string | null> {
  let seen = 0;
  const folders: string[] = [];
  for (const entry of await readdir(gitDir, { withFileTypes: true })) {
    if (!names.has(entry.name)) continue;
    if (entry.isDirectory()) folders.push(entry.name);
    else if (!entry.isFile()) return entry.name;
  }
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const entry of await readdir(join(gitDir, folder), { withFileTypes: true })) {
      seen += 1;
      if (seen > maxEntries) return '';
      const name = `${folder}/${entry.name}`;
      if (entry.isDirectory()) folders.push(name);
      else if (!entry.isFile()) return name;
    }
  }
  return null;
}

/** Text of a plain file below a git directory, or null when it is missing, something else, or too large. */
export async function readGitFile(gitDir: string, name: string): Promise<string | null> {
  if (!(await parentsAreFolders(gitDir, name))) return null;
  const path = join(gitDir, name);
  const there = await lstat(path).catch(() => null);
  if (there === null || !there.isFile() || there.size > maxTextBytes) return null;
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      return (await file.stat()).isFile() ? await file.readFile('utf8') : null;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}

/** Replaces a file below a git directory in one step; false when a link or a file stands where a folder should. */
export async function writeGitFile(
  gitDir: string,
  name: string,
  content: string | Uint8Array,
): Promise<boolean> {
  const folder = dirname(join(gitDir, name));
  if (!(await makeFolders(gitDir, dirname(name)))) return false;
  const target = join(gitDir, name);
  const there = await lstat(target).catch(() => null);
  if (there !== null && there.isDirectory()) return false;
  // Named as git names what is not there yet: below `refs` any other file would be a ref.
  const making = join(folder, `czar-${process.pid}-${process.hrtime.bigint()}.lock`);
  const file = await open(making, 'wx', 0o644);
  try {
    try {
      await file.writeFile(content);
    } finally {
      await file.close();
    }
    await rename(making, target);
  } catch (error) {
    await rm(making, { force: true });
    throw error;
  }
  return true;
}

/** Deletes files and folders below a git directory; what a link leads to stays. */
export async function removeGitFiles(gitDir: string, names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (await parentsAreFolders(gitDir, name)) {
      await rm(join(gitDir, name), { recursive: true, force: true });
    }
  }
}

export interface CloneRefs {
  /** Branch that HEAD names (also one without a commit), or null when it is detached. */
  readonly branch: string | null;
  /** Commit of HEAD, or null when there is none. */
  readonly head: string | null;
  /** Every ref with its id, as the files say. */
  readonly refs: ReadonlyMap<string, string>;
  /** Ids that reflogs and the files of an unfinished merge or rebase name. */
  readonly mentioned: ReadonlySet<string>;
}

/** Reads HEAD, refs and reflogs as text. Call it after `gitDirState` said `sound`. */
export async function readCloneRefs(gitDir: string): Promise<CloneRefs> {
  const refs = await readRefs(gitDir);
  const head = await readHead(gitDir, refs);
  const logs = (await filesBelow(gitDir, 'logs')).filter(
    (name) => !name.startsWith('logs/refs/remotes/'),
  );
  const mentioned = new Set(await mentionedIds(gitDir, logs));
  // A commit whose git was killed before it moved the ref.
  for (const name of (await filesBelow(gitDir, 'refs')).filter(isLock)) {
    const id = ((await readGitFile(gitDir, name)) ?? '').trim();
    if (isObjectId(id)) mentioned.add(id);
  }
  return { ...head, refs, mentioned };
}

/** Every ref with its id, as the files say. */
export async function readRefs(gitDir: string): Promise<ReadonlyMap<string, string>> {
  const refs = new Map<string, string>();
  const symbolic = new Map<string, string>();
  for (const each of ((await readGitFile(gitDir, 'packed-refs')) ?? '').split('\n')) {
    const [id = '', name = ''] = each.split(' ');
    if (isObjectId(id) && name.startsWith('refs/')) refs.set(name, id);
  }
  for (const name of await filesBelow(gitDir, 'refs')) {
    if (isLock(name)) continue;
    const text = ((await readGitFile(gitDir, name)) ?? '').trim();
    if (isObjectId(text)) refs.set(name, text);
    else if (text.startsWith('ref: ')) symbolic.set(name, text.slice(5).trim());
  }
  for (const [name, to] of symbolic) {
    const id = refs.get(to);
    if (id !== undefined) refs.set(name, id);
  }
  return refs;
}

/** What HEAD says, among these refs. */
export async function readHead(
  gitDir: string,
  refs: ReadonlyMap<string, string>,
): Promise<Pick<CloneRefs, 'branch' | 'head'>> {
  const head = ((await readGitFile(gitDir, 'HEAD')) ?? '').trim();
  const named = head.startsWith('ref: ') ? head.slice(5).trim() : null;
  const id = named === null ? (isObjectId(head) ? head : null) : (refs.get(named) ?? null);
  const branch =
    named?.startsWith('refs/heads/') === true ? named.slice('refs/heads/'.length) : null;
  return { branch, head: id };
}

/** Ids that these reflogs, and the files of an unfinished merge or rebase, name. */
export async function mentionedIds(
  gitDir: string,
  logs: readonly string[],
): Promise<ReadonlySet<string>> {
  const ids = new Set<string>();
  for (const name of logs) for (const id of idsOfLog(await readGitFile(gitDir, name))) ids.add(id);
  const single = ['ORIG_HEAD', 'MERGE_HEAD', 'CHERRY_PICK_HEAD', 'REVERT_HEAD', 'REBASE_HEAD'];
  for (const name of [...single, 'rebase-merge/orig-head', 'rebase-apply/orig-head']) {
    for (const each of ((await readGitFile(gitDir, name)) ?? '').split(/\s+/))
      if (isObjectId(each)) ids.add(each);
  }
  return ids;
}

/** Ids in the text of a reflog. */
export function idsOfLog(text: string | null): readonly string[] {
  return (text ?? '')
    .split('\n')
    .flatMap((each) => each.split(' ', 2))
    .filter((id) => isObjectId(id) && !/^0+$/.test(id));
}

/** Creates a folder below a git directory part by part, never through a link. */
async function makeFolders(gitDir: string, name: string): Promise<boolean> {
  let path = gitDir;
  if (!(await isFolder(path))) return false;
  for (const part of name.split('/')) {
    if (part === '.' || part === '') continue;
    path = join(path, part);
    if (!(await isThere(path))) await mkdir(path);
    else if (!(await isFolder(path))) return false;
  }
  return true;
}

async function parentsAreFolders(gitDir: string, name: string): Promise<boolean> {
  let path = gitDir;
  if (!(await isFolder(path))) return false;
  for (const part of dirname(name).split('/')) {
    if (part === '.' || part === '') continue;
    path = join(path, part);
    if (!(await isFolder(path))) return false;
  }
  return true;
}

async function isFolder(path: string): Promise<boolean> {
  return lstat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Names below a git directory of all plain files in a folder of it. */
export async function filesBelow(gitDir: string, name: string): Promise<string[]> {
  const found: string[] = [];
  const folders = [name];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await readdir(join(gitDir, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      if (entry.isDirectory()) folders.push(`${folder}/${entry.name}`);
      else if (entry.isFile()) found.push(`${folder}/${entry.name}`);
    }
  }
  return found;
}

/** Whether this is git's lock on a ref, and no ref: a part of a name never ends so (git-check-ref-format). */
function isLock(name: string): boolean {
  return /\.lock(?:\/|$)/.test(name);
}

function unsafe(why: string): GitDirState {
  return { kind: 'unsafe', why };
}
