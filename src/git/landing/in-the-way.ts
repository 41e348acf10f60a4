/** What in the folder of a checkout keeps a landing from writing there: files that git does not know, and permissions. */
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Change } from '../refs.ts';
import { isWritable } from '../writable.ts';

/** Files, ignored ones too, that stand where the landing puts a file or a folder, or in a folder that a file replaces. */
export async function untrackedInTheWay(
  worktree: string,
  changed: readonly Change[],
  tracked: ReadonlySet<string>,
): Promise<string[]> {
  const found = new Set<string>();
  const folders = foldersOf(tracked);
  for (const { path, status } of changed) {
    if (status === 'D') continue;
    const parts = path.split('/');
    for (let n = 1; n <= parts.length; n += 1) {
      const name = parts.slice(0, n).join('/');
      if (tracked.has(name)) break;
      const there = await lstat(join(worktree, name)).catch(() => null);
      if (there === null) break;
      if (!there.isDirectory()) {
        found.add(name);
        break;
      }
      if (n < parts.length) continue;
      if (!folders.has(name)) found.add(name);
      else
        for (const each of await untrackedIn(worktree, name, { tracked, folders })) found.add(each);
    }
  }
  return [...found].sort();
}

/** What git does not know in a folder that it knows; whole folders where it knows nothing in them. */
async function untrackedIn(
  worktree: string,
  folder: string,
  known: { readonly tracked: ReadonlySet<string>; readonly folders: ReadonlySet<string> },
): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(worktree, folder), { withFileTypes: true })) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory() && known.folders.has(path))
      found.push(...(await untrackedIn(worktree, path, known)));
    else if (!known.tracked.has(path)) found.push(path);
  }
  return found;
}

/** All folders above paths. */
function foldersOf(paths: Iterable<string>): ReadonlySet<string> {
  const found = new Set<string>();
  for (const path of paths) {
    for (let at = dirname(path); at !== '.' && !found.has(at); at = dirname(at)) found.add(at);
  }
  return found;
}

/** Folders of the checkout in which the landing changes something and in which this user may change nothing. */
export async function unwritableFolders(
  worktree: string,
  changed: readonly Change[],
): Promise<string[]> {
  const folders = new Set<string>();
  for (const { path } of changed) {
    let folder = dirname(path);
    // One that is made comes into the one above it, also where a file makes way for it.
    while (folder !== '.' && !(await isFolder(join(worktree, folder)))) folder = dirname(folder);
    folders.add(folder);
  }
  const found: string[] = [];
  for (const folder of folders) if (!(await isWritable(join(worktree, folder)))) found.push(folder);
  return found.sort();
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => null))?.isDirectory() === true;
}
