/**
 * What scratch folders begin with, made once for many: the first repository, what Node has compiled of czar, and whole
 * folders with runs in them.
 */
import {
  cpSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Through } from './through.ts';

/** Where the compiled files lie: Node tells those of other builds and other versions of itself apart. */
const compiled = join(import.meta.dirname, '../../node_modules/.cache/czar-compiled');

/** Lets czar with this cache folder share what was compiled of it: compiling takes longer than most commands do. */
export function shareCompiled(cache: string): void {
  mkdirSync(compiled, { recursive: true });
  mkdirSync(join(cache, 'czar'), { mode: 0o700 });
  symlinkSync(compiled, join(cache, 'czar/compiled'));
}

let first: string | null = null;

/** Copies a repository with one commit, `README.md` on branch `main`: making it takes six processes of git. */
export function copyFirst(
  to: string,
  git: (folder: string, ...args: readonly string[]) => string,
): void {
  first ??= make(git);
  cpSync(first, to, { recursive: true, preserveTimestamps: true });
}

function make(git: (folder: string, ...args: readonly string[]) => string): string {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'czar-first-')));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  git(folder, 'init', '-q', '-b', 'main', '--template=');
  for (const each of ['hooks', 'info']) mkdirSync(join(folder, '.git', each));
  git(folder, 'config', 'user.name', 'Test User');
  git(folder, 'config', 'user.email', 'user@example.org');
  writeFileSync(join(folder, 'README.md'), '# scratch\n');
  git(folder, 'add', '-A');
  git(folder, 'commit', '-q', '-m', 'first');
  return folder;
}

/** A scratch repository as it was when it was kept. */
export interface Made {
  readonly copy: string;
  /** The repository in the scratch folder. */
  readonly folder: string;
  readonly through: Through;
  readonly allowed: { readonly refs: readonly string[]; readonly files: readonly string[] };
}

/** Keeps a copy of the folder until this process ends; what runs in it must have ended. Gives where the copy is. */
export function setAside(folder: string): string {
  const copy = `${folder}-made`;
  process.on('exit', () => rmSync(copy, { recursive: true, force: true }));
  copyWhole(folder, copy);
  return copy;
}

/** Makes the folder as it was, where it was: what lies in it holds absolute paths. It must be gone by now. */
export function putBack(copy: string): string {
  const folder = copy.replace(/-made$/, '');
  copyWhole(copy, folder);
  return folder;
}

function copyWhole(from: string, to: string): void {
  const options = { recursive: true, preserveTimestamps: true, verbatimSymlinks: true } as const;
  const isSocket = (path: string): boolean =>
    lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
  cpSync(from, to, { ...options, errorOnExist: true, filter: (path) => !isSocket(path) });
}
