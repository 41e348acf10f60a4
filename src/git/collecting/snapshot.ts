/**
 * The uncommitted changes of the user's checkout as a commit of the mirror, on no branch: what agents of a run start
 * from when the user wants them to see it.
 *
 * Invariants: index, files and refs of the user stay as they are; git decides with the user's settings what counts as
 * changed and how it is stored, as `git add` would; what is never committed on an agent's behalf is not stored here
 * either, but named.
 */
import { lstat, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { whyNot, type CaptureRules } from './capture.ts';
import { makeCommit, withTrailers } from '../commit.ts';
import { inMirror, reach } from '../context.ts';
import type { GitContext, Identity } from '../context.ts';
import { failing, fields, git, line, output } from '../git.ts';
import type { Failed, GitCall } from '../git.ts';
import { ensureMirror } from '../mirror.ts';
import { setRefs, snapshotRef } from '../refs.ts';

export interface Snapshot {
  readonly kind: 'snapshot';
  readonly commit: string;
  /** Paths whose change is in it. */
  readonly files: readonly string[];
  /** Changed paths that are not in it, each with the reason. */
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
}

/** There is a conflict to be settled first. */
export interface Unmerged {
  readonly kind: 'unmerged';
  readonly files: readonly string[];
}

/** Makes the snapshot of a run and holds it in the mirror; again for the same run, it takes the place of the first. */
export async function takeSnapshot(
  context: GitContext,
  options: {
    readonly run: string;
    /** Commit that is checked out. */
    readonly head: string;
    /** Git directory of the checkout. */
    readonly gitDir: string;
    readonly rules: Pick<CaptureRules, 'maxFileBytes' | 'secretPatterns'>;
    readonly identity: Identity;
  },
): Promise<Snapshot | Unmerged | Failed> {
  const mirror = await ensureMirror(context);
  if (mirror.kind === 'failed') return mirror;
  return failing(async () => {
    const { run, head } = options;
    const changed = await changedPaths(context.root, context.signal);
    if (changed.unmerged.length > 0)
      return { kind: 'unmerged', files: changed.unmerged.map(shown) };
    const index = join(context.state, 'index', `${run}.snapshot`);
    await mkdir(join(context.state, 'index'), { recursive: true });
    try {
      const stored = await store({ ...options, ...context, index, changed });
      const commit = await makeCommit(context, {
        tree: stored.tree,
        parents: [head],
        message: withTrailers('Uncommitted changes of the checkout', { run, worker: null }),
        identity: options.identity,
        // That of HEAD, so that the same changes are the same commit, however often a start is killed.
        date: Number(await line(['log', '-1', '--format=%ct', head], inMirror(context))) * 1000,
      });
      await reach(context, 'snapshot:before-ref');
      await setRefs(context, new Map([[snapshotRef(run), commit]]));
      await reach(context, 'snapshot:after-ref');
      return { kind: 'snapshot', commit, files: stored.files, leftOut: stored.leftOut };
    } finally {
      for (const file of [index, `${index}.lock`]) await rm(file, { force: true });
    }
  });
}

/** Paths as bytes, one char a byte. */
interface Changed {
  readonly unmerged: readonly string[];
  /** Known to HEAD or to the index. */
  readonly tracked: readonly string[];
  readonly untracked: readonly string[];
}

async function changedPaths(root: string, signal: AbortSignal | undefined): Promise<Changed> {
  const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames'];
  const found = await output(args, { cwd: root, config: 'user', signal });
  const entries = fields(Buffer.from(found.toString('latin1'), 'utf8'));
  const of = (wanted: (code: string) => boolean): string[] =>
    entries.filter((entry) => wanted(entry.slice(0, 2))).map((entry) => entry.slice(3));
  const unmerged = (code: string): boolean => /U|AA|DD/.test(code);
  return {
    unmerged: of(unmerged),
    tracked: of((code) => code !== '??' && !unmerged(code)),
    untracked: of((code) => code === '??'),
  };
}

async function store(of: {
  readonly root: string;
  readonly mirror: string;
  readonly gitDir: string;
  readonly head: string;
  readonly index: string;
  readonly changed: Changed;
  readonly rules: Pick<CaptureRules, 'maxFileBytes' | 'secretPatterns'>;
  readonly signal?: AbortSignal | undefined;
}): Promise<{
  readonly tree: string;
  readonly files: readonly string[];
  readonly leftOut: readonly { readonly path: string; readonly why: string }[];
}> {
  // The user's settings say how a file is stored; the objects go into the mirror, which has all of HEAD.
  const call: GitCall = {
    cwd: of.root,
    gitDir: of.gitDir,
    workTree: of.root,
    config: 'user',
    signal: of.signal,
    env: { GIT_INDEX_FILE: of.index, GIT_OBJECT_DIRECTORY: join(of.mirror, 'objects') },
  };
  const whole = ['-c', 'core.sparseCheckout=false', '-c', 'index.sparse=false'];
  await rm(of.index, { force: true });
  await output([...whole, 'read-tree', of.head], call);
  const take: string[] = [];
  const leftOut: { path: string; why: string }[] = [];
  for (const [paths, known] of [
    [of.changed.tracked, true],
    [of.changed.untracked, false],
  ] as const) {
    for (const name of paths) {
      const why = await reasonAgainst(of, name, known);
      if (why === null) take.push(name);
      else leftOut.push({ path: shown(name), why });
    }
  }
  const add = [...whole, 'update-index', '--add', '--remove', '--replace', '-z', '--stdin'];
  const stored: string[] = [];
  if ((await git(add, { ...call, input: list(take) })).code === 0) stored.push(...take);
  else {
    for (const name of take) {
      const one = await git(add, { ...call, input: list([name]) });
      if (one.code === 0) stored.push(name);
      else leftOut.push({ path: shown(name), why: 'git could not store it' });
    }
  }
  const tree = await line([...whole, 'write-tree'], call);
  return { tree, files: stored.map(shown), leftOut };
}

async function reasonAgainst(
  of: {
    readonly root: string;
    readonly rules: Pick<CaptureRules, 'maxFileBytes' | 'secretPatterns'>;
  },
  name: string,
  known: boolean,
): Promise<string | null> {
  if (name.endsWith('/')) return 'it is a repository of its own';
  const file = Buffer.concat([Buffer.from(`${of.root}/`), Buffer.from(name, 'latin1')]);
  const stat = await lstat(file).catch(() => null);
  // Deleted, or a folder now, whose files stand in the list themselves.
  if (stat === null || stat.isDirectory()) return null;
  return whyNot({ file, stat, path: shown(name), known, rules: { ...of.rules, carried: [] } });
}

function shown(name: string): string {
  return Buffer.from(name, 'latin1').toString('utf8');
}

function list(names: readonly string[]): Buffer {
  return Buffer.from(names.map((name) => `${name}\0`).join(''), 'latin1');
}
