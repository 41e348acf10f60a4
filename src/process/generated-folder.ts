/**
 * Folders of generated files, which the user's git ignores. Agents run as the user and may have put anything in place of
 * one: nothing is written through a link that leads out of the folder around it.
 */
import { mkdirSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { whatIsAt } from './plain-file.ts';

/**
 * Makes a folder that ignores itself. An ignore file with something in it stays as it is; an empty one was half written.
 * Throws where something else stands in its place.
 */
export function makeGeneratedFolder(dir: string): void {
  const problem = obstacle(dir);
  if (problem !== null) throw new Error(problem);
  const ignore = join(dir, '.gitignore');
  if ((statSync(ignore, { throwIfNoEntry: false })?.size ?? 0) > 0) return;
  mkdirSync(dir, { recursive: true });
  const making = `${ignore}.${process.pid}`;
  rmSync(making, { recursive: true, force: true });
  writeFileSync(making, '*\n', { flag: 'wx' });
  renameSync(making, ignore);
}

/** Why the generated folder cannot be there, one sentence; null when it is or can be made. */
export function obstacle(dir: string): string | null {
  const there = whatIsAt(dir);
  if (there === null || there.isDirectory()) return null;
  if (!there.isSymbolicLink()) return `${dir} is no folder: move it away`;
  return leadsOut(dir) ? `${dir} is a link that leads out of ${dirname(dir)}: move it away` : null;
}

/** Whether it is a link to somewhere outside the folder that it stands in, or to nothing. */
export function leadsOut(path: string): boolean {
  if (whatIsAt(path)?.isSymbolicLink() !== true) return false;
  try {
    return !realpathSync(path).startsWith(realpathSync(dirname(path)) + sep);
  } catch {
    return true;
  }
}

/**
 * Makes a folder in one of the home's generated ones, for the user alone. What stands in its way and is no folder, also
 * a link to one, is moved aside.
 */
export function makeWithinHome(home: string, dir: string): void {
  const [generated = '', ...names] = relative(home, dir).split(sep);
  let at = join(home, generated);
  makeGeneratedFolder(at);
  for (const name of names) {
    const around = at;
    at = join(around, name);
    const there = whatIsAt(at);
    if (there?.isDirectory() === true) continue;
    if (there !== null) renameSync(at, join(around, `.aside-${name}-${Date.now()}`));
    mkdirSync(at, { recursive: true, mode: 0o700 });
  }
}
