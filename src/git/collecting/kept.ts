/** What was kept for workers: list it, look at it, and bring it back without overwriting anything. */
import { lstat, mkdir, readFile, readlink, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { inMirror } from '../context.ts';
import type { GitContext } from '../context.ts';
import { failing, failure, line, output } from '../git.ts';
import type { Failed } from '../git.ts';
import { sinceTrailer } from './keep.ts';
import { changes } from '../history.ts';
import { emptyTree, isObjectId, listRefs, readRef } from '../refs.ts';
import type { Change } from '../refs.ts';

export interface KeptEntry {
  /** `refs/czar/kept/<run>/<worker>/<n>`. */
  readonly ref: string;
  readonly run: string;
  readonly worker: string;
  readonly n: number;
  readonly commit: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Why it was kept. */
  readonly why: string;
}

/** Everything kept, of all runs or one, of all workers or one; oldest first. */
export async function listKept(
  context: GitContext,
  of: { readonly run?: string; readonly worker?: string } = {},
): Promise<{ readonly kind: 'kept'; readonly entries: readonly KeptEntry[] } | Failed> {
  return failing(async () => {
    const entries: KeptEntry[] = [];
    for (const [ref, commit] of await listRefs(context, 'refs/czar/kept/')) {
      const [, run = '', worker = '', n = ''] =
        /^refs\/czar\/kept\/([^/]+)\/([^/]+)\/(\d+)$/.exec(ref) ?? [];
      if (run === '' || (of.run ?? run) !== run || (of.worker ?? worker) !== worker) continue;
      const args = ['log', '-1', '--format=%ct %s', commit];
      const [, at = '0', why = ''] = /^(\d+) (.*)$/.exec(await line(args, inMirror(context))) ?? [];
      const at1000 = Number(at) * 1000;
      entries.push({
        ref,
        run,
        worker,
        n: Number(n),
        commit,
        at: at1000,
        why: why.replace(/^Kept: /, ''),
      });
    }
    entries.sort((a, b) => a.at - b.at || a.ref.localeCompare(b.ref, 'en', { numeric: true }));
    return { kind: 'kept', entries };
  });
}

export interface KeptContent {
  readonly kind: 'content';
  readonly commit: string;
  readonly files: readonly { readonly path: string; readonly status: 'A' | 'M' | 'D' | 'T' }[];
  readonly stat: string;
  /** Unified diff against what it was kept on. */
  readonly text: string;
}

/** Files and diff of one kept ref or commit. */
export async function showKept(
  context: GitContext,
  ref: string,
): Promise<KeptContent | { readonly kind: 'none' } | Failed> {
  return failing(async () => {
    const found = await keptChange(context, ref);
    if (found === null) return { kind: 'none' };
    const { commit, from, changed } = found;
    const shape = ['diff-tree', '-r', '--no-ext-diff', '--no-textconv', '-M'];
    const call = inMirror(context);
    return {
      kind: 'content',
      commit,
      files: changed.map(({ path, status }) => ({ path, status })),
      stat: (await output([...shape, '--stat', from, commit], call)).toString('utf8'),
      text: (await output([...shape, '-p', from, commit], call)).toString('utf8'),
    };
  });
}

export type Restored =
  | {
      readonly kind: 'restored';
      readonly written: readonly string[];
      /** Files that were deleted in what was kept; they are left where they are. */
      readonly deleted: readonly string[];
    }
  /** These are there with other content: nothing was written. */
  | { readonly kind: 'in the way'; readonly files: readonly string[] }
  | { readonly kind: 'none' };

/**
 * Writes the kept files into a folder, which is made when missing. A file that is there is replaced only when it is
 * exactly what the kept work was based on, and so is in git; any other refuses the whole.
 */
export async function restoreKept(
  context: GitContext,
  options: { readonly ref: string; readonly into: string },
): Promise<Restored | Failed> {
  return failing(async () => {
    const found = await keptChange(context, options.ref);
    if (found === null) return { kind: 'none' };
    const wanted = found.changed.filter(
      (change) => change.status !== 'D' && change.to.mode !== '160000',
    );
    const files = await Promise.all(
      wanted.map(async (change) => ({ change, content: await blob(context, change.to.id) })),
    );
    const blocked: string[] = [];
    const write: typeof files = [];
    for (const file of files) {
      const state = await stateOf(context, options.into, file);
      if (state === 'blocked') blocked.push(file.change.path);
      else if (state === 'free') write.push(file);
    }
    if (blocked.length > 0) return { kind: 'in the way', files: blocked };
    for (const { change, content } of write)
      await put(join(options.into, change.path), change, content);
    return {
      kind: 'restored',
      written: write.map((file) => file.change.path),
      deleted: found.changed.filter((change) => change.status === 'D').map((change) => change.path),
    };
  });
}

/** Whether all files of a kept ref stand, as they are in it, in one of these commits; false when it cannot be told. */
export async function standsIn(
  context: GitContext,
  ref: string,
  commits: readonly string[],
): Promise<boolean> {
  const told = await failing(async () => {
    const found = await keptChange(context, ref);
    if (found === null) return { stands: false };
    for (const commit of commits) {
      const other = await changes(context, commit, found.commit);
      const differs = new Set(other.map(({ path }) => path));
      if (!found.changed.some(({ path }) => differs.has(path))) return { stands: true };
    }
    return { stands: false };
  });
  return 'stands' in told && told.stands;
}

/** What a kept commit holds against what it was kept on; null when there is no such ref. For use inside `failing`. */
export async function keptChange(
  context: GitContext,
  ref: string,
): Promise<{
  readonly commit: string;
  readonly from: string;
  readonly changed: readonly Change[];
} | null> {
  const commit = await readRef(context, `${ref}^{commit}`);
  if (commit === null) return null;
  const [parent] = (await line(['rev-list', '--parents', '-n', '1', commit], inMirror(context)))
    .split(' ')
    .slice(1);
  const trailer = `--format=%(trailers:key=${sinceTrailer},valueonly)`;
  const since = (await line(['log', '-1', trailer, commit], inMirror(context))).trim();
  const from = isObjectId(since) ? since : (parent ?? emptyTree(commit));
  return { commit, from, changed: await changes(context, from, commit) };
}

interface File {
  readonly change: Change;
  readonly content: Buffer;
}

async function stateOf(
  context: GitContext,
  into: string,
  file: File,
): Promise<'free' | 'same' | 'blocked'> {
  const { path, from, to } = file.change;
  if (path.split('/').some((part) => part === '..' || part.toLowerCase() === '.git'))
    return 'blocked';
  let folder = into;
  for (const part of path.split('/').slice(0, -1)) {
    folder = join(folder, part);
    const there = await lstat(folder).catch(() => null);
    if (there === null) return 'free';
    if (!there.isDirectory()) return 'blocked';
  }
  const target = join(into, path);
  const there = await lstat(target).catch(() => null);
  if (there === null) return 'free';
  if (there.isDirectory()) return 'blocked';
  const mode = there.isSymbolicLink() ? '120000' : (there.mode & 0o111) === 0 ? '100644' : '100755';
  const now = there.isSymbolicLink() ? Buffer.from(await readlink(target)) : await readFile(target);
  if (mode === to.mode && now.equals(file.content)) return 'same';
  if (/^0+$/.test(from.id) || mode !== from.mode) return 'blocked';
  return now.equals(await blob(context, from.id)) ? 'free' : 'blocked';
}

async function put(path: string, change: Change, content: Buffer): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const replaces = (await lstat(path).catch(() => null)) !== null;
  if (replaces && change.status === 'A')
    throw failure(`${path} appeared while it was being restored`);
  if (change.to.mode === '120000') {
    if (replaces) throw failure(`${path} is in the way of a link`);
    await symlink(content.toString('utf8'), path);
    return;
  }
  await writeFile(path, content, {
    flag: replaces ? 'w' : 'wx',
    mode: change.to.mode === '100755' ? 0o755 : 0o644,
  });
}

async function blob(context: GitContext, id: string): Promise<Buffer> {
  return output(['cat-file', 'blob', id], inMirror(context));
}
