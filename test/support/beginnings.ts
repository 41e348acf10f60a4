/** What scratch folders begin with, made once for many: the first repository, and what Node has compiled of czar. */
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

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
