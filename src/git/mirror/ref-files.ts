/**
 * Reads refs of a repository of czar's own from its files, in git's own order: a ref with a file of its own counts, then
 * the file of packed ones, which git replaces as a whole before it removes a file that it packed.
 *
 * Only for the files backend; whatever is not beyond doubt is undefined, and git is asked.
 */
import { existsSync, lstatSync, readdirSync, readFileSync } from 'node:fs';
import { isMissing } from '../trees/discard.ts';

/** More files than this are left to git. */
const maxFiles = 500;

/** Commit that a ref stands at, or null when there is none. */
export function refInFiles(gitDir: string, ref: string): string | null | undefined {
  if (!isPlainRef(ref) || !hasFiles(gitDir)) return undefined;
  return orUndefined(() => standing(gitDir, ref));
}

function standing(gitDir: string, ref: string): string | null | undefined {
  const there = lstatSync(`${gitDir}/${ref}`, { throwIfNoEntry: false });
  if (there?.isFile() === true) return readRefFile(`${gitDir}/${ref}`) ?? undefined;
  if (there?.isDirectory() === false) return undefined;
  const packed = packedRefs(gitDir);
  return packed.includes(` ${ref}\n`) ? undefined : null;
}

/** Refs of these names or below them, by full name, in git's order. */
export function refsInFiles(
  gitDir: string,
  ...prefixes: readonly string[]
): ReadonlyMap<string, string> | undefined {
  const names = prefixes.map((prefix) => prefix.replace(/\/$/, ''));
  if (!names.every(isPlainRef) || !hasFiles(gitDir)) return undefined;
  return orUndefined(() => listed(gitDir, names));
}

function listed(gitDir: string, names: readonly string[]): ReadonlyMap<string, string> | undefined {
  const found = new Map<string, string>();
  if (!names.every((name) => addFiles(gitDir, name, found))) return undefined;
  const packed = packedRefs(gitDir);
  if (names.some((name) => packed.includes(` ${name}\n`) || packed.includes(` ${name}/`))) {
    const wanted = (ref: string): boolean =>
      names.some((name) => ref === name || ref.startsWith(`${name}/`));
    for (const line of packed.split('\n')) {
      const [, id, ref] = /^([0-9a-f]{40}|[0-9a-f]{64}) (.+)$/.exec(line) ?? [];
      if (id !== undefined && ref !== undefined && !found.has(ref) && wanted(ref))
        found.set(ref, id);
    }
  }
  return new Map([...found].sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Id that a file of a ref holds; null when it names another ref, or is damaged or gone. */
export function readRefFile(path: string): string | null {
  try {
    const text = readFileSync(path, 'latin1');
    return /^(?:[0-9a-f]{40}|[0-9a-f]{64})\n$/.test(text) ? text.trimEnd() : null;
  } catch {
    return null;
  }
}

/** A ref of czar's, without anything that a path or git could read otherwise. */
export function isPlainRef(ref: string): boolean {
  return (
    /^refs\/(?:czar|user)(?:\/[\w@%-][\w.@%-]*)+$/.test(ref) && !/\.\.|\.lock(?:\/|$)|@\{/.test(ref)
  );
}

/** Whether the refs lie in files: another backend leaves no folders below `refs`. */
function hasFiles(gitDir: string): boolean {
  return existsSync(`${gitDir}/refs/czar`);
}

/** What cannot be read, or went while it was read, such as a folder that git has just emptied, is git's to say. */
function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function packedRefs(gitDir: string): string {
  try {
    return readFileSync(`${gitDir}/packed-refs`, 'latin1');
  } catch (error) {
    if (isMissing(error)) return '';
    throw error;
  }
}

/** Adds a ref's file, or those below its folder; false when one of them is not beyond doubt. */
function addFiles(gitDir: string, name: string, found: Map<string, string>): boolean {
  const there = lstatSync(`${gitDir}/${name}`, { throwIfNoEntry: false });
  if (there === undefined) return true;
  if (there.isDirectory()) {
    const below = readdirSync(`${gitDir}/${name}`).filter((each) => !each.endsWith('.lock'));
    return below.every((each) => addFiles(gitDir, `${name}/${each}`, found));
  }
  const id = there.isFile() && isPlainRef(name) ? readRefFile(`${gitDir}/${name}`) : null;
  if (id === null || found.size === maxFiles) return false;
  found.set(name, id);
  return true;
}
