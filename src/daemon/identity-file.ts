/** The identity file in a worker's tree, whatever an agent has put in its place. */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openPlainFile } from '../process/plain-file.ts';

/**
 * Writes `name` in a tree. A plain file of that name that is not czar's is the repository's, and stays; links and the
 * like are replaced, never written through. A folder with something in it is work of somebody's, and stays too.
 */
export function writeIdentity(tree: string, name: string, text: string): void {
  const path = join(tree, name);
  if (dirname(path) !== tree) makeIgnoredFolder(dirname(path));
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isFile() === true && !isOurs(path)) return;
  if (there?.isDirectory() === true && !removeEmpty(path)) return;
  // Beside the tree, so that a kill leaves no file of ours among the work.
  const making = join(dirname(tree), `.identity-${basename(tree)}`);
  rmSync(making, { recursive: true, force: true });
  writeFileSync(making, text, { flag: 'wx' });
  renameSync(making, path);
}

/** A folder that git sees nothing of; what an agent has put in its place, and is no folder, goes. */
function makeIgnoredFolder(path: string): void {
  const there = lstatSync(path, { throwIfNoEntry: false });
  if (there?.isDirectory() !== true) {
    rmSync(path, { force: true });
    mkdirSync(path);
  }
  const ignore = join(path, '.gitignore');
  const known = lstatSync(ignore, { throwIfNoEntry: false });
  // An empty one was half written.
  if (known?.isFile() === true && known.size > 0) return;
  rmSync(ignore, { recursive: true, force: true });
  writeFileSync(ignore, '*\n', { flag: 'wx' });
}

function isOurs(path: string): boolean {
  const file = openPlainFile(path);
  if (file === null) return true;
  try {
    return readFileSync(file, 'utf8').startsWith('# Worker identity: ');
  } finally {
    closeSync(file);
  }
}

function removeEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch {
    return false;
  }
}
