/**
 * The scratch repository of `czar demo`: the files of the package's `demo/` folder as one commit on `main`.
 *
 * Owns nothing after it returns: the repository is the user's to look around in and to remove. No configuration of the
 * machine takes part, so that the demo looks the same everywhere.
 */
import { accessSync, constants } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, realpath } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { git } from '../git/git.ts';

/** `demo/` of the package: two folders up from `src/daemon/` as well as from `dist/cli/`. */
const source = fileURLToPath(new URL('../../demo/', import.meta.url));
const packaged = fileURLToPath(new URL('../../bin/czar', import.meta.url));

export type Scratch =
  { readonly ok: true; readonly dir: string } | { readonly ok: false; readonly error: string };

/**
 * Makes the repository in `dir` (absolute, made when missing, refused when it holds anything), or in a new temporary
 * folder when it is null.
 */
export async function makeScratch(dir: string | null): Promise<Scratch> {
  try {
    const place = dir === null ? await mkdtemp(join(tmpdir(), 'czar-demo-')) : resolve(dir);
    await mkdir(place, { recursive: true });
    if ((await readdir(place)).length > 0) return { ok: false, error: `${place} is not empty` };
    await cp(join(source, 'project'), place, { recursive: true });
    await cp(join(source, 'home'), join(place, '.czar'), { recursive: true });
    const error = await commitAll(place);
    return error === null ? { ok: true, dir: await realpath(place) } : { ok: false, error };
  } catch (error) {
    return { ok: false, error: error instanceof Error ? error.message : String(error) };
  }
}

async function commitAll(cwd: string): Promise<string | null> {
  const calls = [
    ['init', '-q', '-b', 'main', '--template='],
    ['config', 'user.name', 'czar demo'],
    ['config', 'user.email', 'demo@localhost'],
    ['add', '--all'],
    ['commit', '-q', '-m', 'Notes, checks and the plan of the demo'],
  ];
  for (const args of calls) {
    const { code, stderr } = await git(args, { cwd });
    if (code !== 0) return `git ${args[0]} failed: ${stderr}`;
  }
  return null;
}

/** Paths of the tree of a branch, sorted; empty when there is no such branch. */
export async function treeOf(cwd: string, branch: string): Promise<readonly string[]> {
  const args = ['ls-tree', '-r', '--name-only', '-z', `refs/heads/${branch}`];
  const { code, stdout } = await git(args, { cwd });
  return code === 0 ? stdout.toString('utf8').split('\0').filter(Boolean).sort() : [];
}

/** Branches whose name ends in `-integration`, the newest last. */
export async function integrationBranches(cwd: string): Promise<readonly string[]> {
  const args = ['for-each-ref', '--format=%(refname:short)', 'refs/heads/czar'];
  const { stdout } = await git(args, { cwd });
  return stdout
    .toString('utf8')
    .split('\n')
    .filter((name) => name.endsWith('-integration'));
}

/** How this czar is called from the user's shell: `czar` when PATH has it, else the path of its program. */
export function commandName(path: string): string {
  const found = path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, 'czar'), constants.X_OK);
      return folder !== '';
    } catch {
      return false;
    }
  });
  return found ? 'czar' : packaged;
}
