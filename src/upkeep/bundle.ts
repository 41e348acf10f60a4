/**
 * A bundle of everything in the mirror that no branch or tag of the user's leads to. It is made and verified beside the
 * state, and comes to its place whole, never over a file that is there.
 */
import { copyFile, link, mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inMirror, reach, type GitContext } from '../git/context.ts';
import { failure, git, line, output } from '../git/git.ts';
import { reachableFrom, refsOf } from './reachable.ts';

const timeoutMs = 60 * 60_000;

/** A ref of the mirror with work that would be lost. */
export interface Unmerged {
  readonly ref: string;
  readonly commit: string;
}

/** What the user's branches and tags do not lead to. The mirror must know them as they are. For use inside `failing`. */
export async function unmergedIn(
  context: GitContext,
): Promise<{ readonly unmerged: readonly Unmerged[]; readonly survivors: readonly string[] }> {
  const call = inMirror(context);
  const users = await refsOf(call, 'refs/user/heads/', 'refs/user/tags/');
  const own = await refsOf(call, 'refs/czar/', 'refs/user/heads/czar/');
  const survivors = [...users].flatMap(([ref, commit]) => (own.has(ref) ? [] : [commit]));
  const commits = [...own.values()];
  // A tag of an agent's is no commit, and counts as what nothing leads to.
  const safe = await reachableFrom(call, { commits, survivors });
  const unmerged = [...own].flatMap(([ref, commit]) => (safe.has(commit) ? [] : [{ ref, commit }]));
  return { unmerged, survivors };
}

/** Writes the bundle and verifies it against the user's repository alone. For use inside `failing`. */
export async function writeBundle(
  context: GitContext,
  options: {
    readonly file: string;
    readonly unmerged: readonly Unmerged[];
    readonly survivors: readonly string[];
  },
): Promise<void> {
  const { file, unmerged, survivors } = options;
  const making = join(context.state, 'uninstall.bundle');
  await rm(making, { force: true });
  const input = [
    ...unmerged.map(({ ref }) => ref),
    ...new Set(survivors.map((commit) => `^${commit}`)),
    '',
  ].join('\n');
  await reach(context, 'uninstall:before-bundle');
  const args = ['bundle', 'create', '-q', making, '--stdin'];
  await output(args, { ...inMirror(context), input, timeoutMs });
  const lacks = await lackOf(context, making, unmerged);
  if (lacks !== null) throw failure(`the bundle is not whole: ${lacks}`);
  const handle = await open(making, 'r+');
  await handle.sync();
  await handle.close();
  await reach(context, 'uninstall:before-place');
  await mkdir(dirname(file), { recursive: true });
  await place(making, file);
  await reach(context, 'uninstall:after-place');
}

/** Whether the file is a bundle that holds all of this. For use inside `failing`. */
export async function holdsAll(
  context: GitContext,
  file: string,
  unmerged: readonly Unmerged[],
): Promise<boolean> {
  return (await lackOf(context, file, unmerged)) === null;
}

/** What the bundle lacks, in a sentence; null when everything can be taken out of it into the user's repository. */
async function lackOf(
  context: GitContext,
  file: string,
  unmerged: readonly Unmerged[],
): Promise<string | null> {
  const check = join(context.state, 'uninstall.check');
  await rm(check, { recursive: true, force: true });
  try {
    const format = await line(['rev-parse', '--show-object-format'], inMirror(context));
    const init = ['init', '-q', '--bare', '--template=', `--object-format=${format}`, check];
    await output(init, { cwd: context.state });
    await mkdir(join(check, 'objects/info'), { recursive: true });
    await writeFile(
      join(check, 'objects/info/alternates'),
      `${join(context.commonDir, 'objects')}\n`,
    );
    const shallow = await readFile(join(context.commonDir, 'shallow')).catch(() => null);
    if (shallow !== null) await writeFile(join(check, 'shallow'), shallow);
    const call = { cwd: check, gitDir: check, timeoutMs };
    const fetch = ['fetch', '-q', '--no-tags', '--update-shallow', file, '+refs/*:refs/*'];
    const taken = await git(fetch, call);
    if (taken.code !== 0) return taken.stderr.split('\n')[0] || 'it cannot be read';
    const found = await refsOf(call, 'refs/');
    const missing = unmerged.find(({ ref, commit }) => found.get(ref) !== commit);
    return missing === undefined ? null : `${missing.ref} is not in it`;
  } finally {
    await rm(check, { recursive: true, force: true });
  }
}

/** Brings a file to a place where none is. */
async function place(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
    await rm(from);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'EEXIST') throw failure(`${to} is there already`);
    // Another file system, or one without links.
    const half = `${to}.part`;
    await copyFile(from, half);
    await rename(half, to);
  }
}
