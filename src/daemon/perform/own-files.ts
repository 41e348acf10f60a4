/**
 * The files that czar writes into a worker's tree, whatever an agent has put in their place: who the worker is, and the
 * file of instructions that its agent reads by itself.
 */
import {
  closeSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  instructionNames,
  instructionToWrite,
  type InstructionFile,
} from '../../core/instruction-files.ts';
import { authorIn, withMark } from '../../git/collecting/czar-files.ts';
import { openPlainFile } from '../../process/plain-file.ts';

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
  // What a kill leaves of it is ours by its name, and is written anew.
  if (there === undefined) writeFileSync(path, text, { flag: 'wx' });
  else putInPlace(tree, path, text);
}

/**
 * Writes the file of instructions that the agent of this attempt reads by itself, where nothing of the repository's or of
 * an agent's is in the way, and removes those that czar wrote for the agents of earlier attempts. One that somebody has
 * changed since stays.
 */
export async function writeInstructions(of: {
  readonly tree: string;
  /** What the agent reads; null for one that reads none. */
  readonly file: InstructionFile | null;
  readonly text: string;
  /** Names at the top of the commit that the tree began from. */
  readonly base: readonly string[];
  readonly isDeliverable: (path: string) => boolean;
  /** Lets git in the tree ignore just these files at its top; false when that cannot be. */
  readonly hide: (names: readonly string[]) => Promise<boolean>;
}): Promise<void> {
  const { tree, base } = of;
  const there = readdirSync(tree);
  const authors = new Map(
    instructionNames
      .filter((name) => there.includes(name))
      .map((name) => [name, authorIn(tree, name)]),
  );
  const byAuthor = (author: string): string[] =>
    instructionNames.filter((name) => authors.get(name) === author);
  const others = there.filter((name) => !isOfCzar(authors, name));
  const name = instructionToWrite({ ...of, taken: [...base, ...others] });
  const changed = byAuthor('czar and others');
  const writes = name !== null && !changed.includes(name);
  const hidden = await of.hide([...new Set([...changed, ...(writes ? [name] : [])])]);
  for (const old of byAuthor('czar')) if (old !== name || !hidden) rmSync(join(tree, old));
  if (writes && hidden) putInPlace(tree, join(tree, name), withMark(of.text));
}

function isOfCzar(authors: ReadonlyMap<string, string>, name: string): boolean {
  return (authors.get(name) ?? 'others') !== 'others';
}

/** Makes a file, or puts it in the place of one. */
function putInPlace(tree: string, path: string, text: string): void {
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
    const text = readFileSync(file, 'utf8');
    return text === '' || text.startsWith('# Worker identity: ');
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
