/**
 * Trees and commits as bytes: the formats of gitformat-* and git-hash-object. Readers take only what git itself writes
 * today; anything else is null, and its reader leaves it to git.
 *
 * Names of files are bytes, here as strings of one char a byte, so that they survive and sort as git sorts them.
 */
import { createHash } from 'node:crypto';
import type { Identity } from '../context.ts';

export interface TreeEntry {
  /** One char a byte. */
  readonly name: string;
  readonly mode: EntryMode;
  readonly id: string;
}

/** Plain file, executable, link, folder; another repository's commit. */
export type EntryMode = '100644' | '100755' | '120000' | '40000' | '160000';

export interface Commit {
  readonly tree: string;
  readonly parents: readonly string[];
  /** Committer's time, seconds since 1970. */
  readonly time: number;
}

export const folderMode = '40000';

/** Id of an object: `width` 40 is SHA-1, 64 SHA-256. */
export function objectId(type: 'tree' | 'commit', content: Uint8Array, width: number): string {
  const hash = createHash(width === 64 ? 'sha256' : 'sha1');
  return hash.update(objectHeader(type, content)).update(content).digest('hex');
}

/** What stands before the content, in a loose object and in what is hashed. */
export function objectHeader(type: 'tree' | 'commit', content: Uint8Array): string {
  return `${type} ${content.length}\0`;
}

/** Entries of a tree in git's order, or null when git would not have written it so. */
export function readTree(bytes: Buffer, width: number): readonly TreeEntry[] | null {
  const entries: TreeEntry[] = [];
  const idLength = width / 2;
  const text = bytes.toString('latin1');
  const hex = bytes.toString('hex');
  let before: TreeEntry | null = null;
  for (let at = 0; at < text.length;) {
    const space = text.indexOf(' ', at);
    const end = text.indexOf('\0', space);
    if (space < 0 || end < 0 || end + 1 + idLength > text.length) return null;
    const mode = modeOf(text.slice(at, space));
    const name = text.slice(space + 1, end);
    if (mode === null || name === '' || name.includes('/')) return null;
    const entry = { name, mode, id: hex.slice(2 * (end + 1), 2 * (end + 1) + width) };
    if (before !== null && compareEntries(before, entry) >= 0) return null;
    before = entry;
    entries.push(entry);
    at = end + 1 + idLength;
  }
  return entries;
}

/** A tree of these entries, which are in git's order. */
export function writeTree(entries: readonly TreeEntry[]): Buffer {
  let size = 0;
  for (const { mode, name, id } of entries) size += mode.length + name.length + 2 + id.length / 2;
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { mode, name, id } of entries) {
    at += bytes.write(`${mode} ${name}\0`, at, 'latin1');
    at += bytes.write(id, at, 'hex');
  }
  return bytes;
}

/** A commit, or null when it has a form that is not read here. */
export function readCommit(bytes: Buffer): Commit | null {
  const head = bytes.toString('latin1', 0, Math.max(0, bytes.indexOf('\n\n')) || bytes.length);
  const match =
    /^tree ([0-9a-f]+)\n((?:parent [0-9a-f]+\n)*)author [^\n]*\ncommitter [^\n]*> (\d+) [+-]\d+(?:\n|$)/.exec(
      head,
    );
  const [, tree, parents = '', time] = match ?? [];
  if (tree === undefined || time === undefined) return null;
  const ids = parents === '' ? [] : parents.trimEnd().split('\n');
  return { tree, parents: ids.map((line) => line.slice('parent '.length)), time: Number(time) };
}

/**
 * A commit as `git commit-tree` writes it; null for a name or address that git would clean first. `seconds` since 1970,
 * the time zone is UTC.
 */
export function writeCommit(options: {
  readonly tree: string;
  readonly parents: readonly string[];
  readonly message: string;
  readonly identity: Identity;
  readonly seconds: number;
}): Buffer | null {
  const { tree, parents, message, identity, seconds } = options;
  const { name, email } = identity;
  if (!isClean(name) || !isClean(email) || message === '' || message.includes('\0')) return null;
  if (!message.isWellFormed() || new Set(parents).size !== parents.length) return null;
  const who = `${name} <${email}> ${seconds} +0000`;
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${who}`,
    `committer ${who}`,
    '',
    message,
  ];
  return Buffer.from(lines.join('\n'));
}

/** Git's order: by bytes, a folder as if its name ended with a slash. */
export function compareEntries(one: TreeEntry, other: TreeEntry): number {
  if (one.mode !== folderMode && other.mode !== folderMode)
    return one.name < other.name ? -1 : Number(one.name !== other.name);
  const left = one.mode === folderMode ? `${one.name}/` : one.name;
  const right = other.mode === folderMode ? `${other.name}/` : other.name;
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function modeOf(text: string): EntryMode | null {
  switch (text) {
    case '100644':
    case '100755':
    case '120000':
    case '40000':
    case '160000':
      return text;
  }
  return null;
}

/** Whether git leaves it as it is: it drops signs at both ends of a name and control signs anywhere (ident.c). */
function isClean(text: string): boolean {
  if (text === '' || !text.isWellFormed()) return false;
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f<>]/.test(text)) return false;
  return !/^[ .,:;"\\']|[ .,:;"\\']$/.test(text);
}
