/**
 * Keeps what does not merge: commits and files of a tree or folder as a commit under `refs/czar/kept/<run>/<worker>/<n>`,
 * on top of the commits that it keeps. The same files on the same commit are kept once, so repeating it after a crash
 * adds nothing.
 */
import { join } from 'node:path';
import type { KeptWork } from '../../core/events.ts';
import { capture } from './capture.ts';
import type { Captured, CaptureRules } from './capture.ts';
import { makeCommit, withTrailers } from '../commit.ts';
import { inMirror, reach } from '../context.ts';
import type { GitContext, Identity } from '../context.ts';
import { isThere } from '../trees/discard.ts';
import { droppedPrefix } from './dropped.ts';
import { failing, failure, line } from '../git.ts';
import type { Failed } from '../git.ts';
import { holdCommits, unreadCommits } from './hold.ts';
import type { TreeRepository } from '../trees/isolation.ts';
import { changes, isAncestor, mergeBases, treeOf } from '../history.ts';
import {
  emptyTree,
  integrationRef,
  keptPrefix,
  listRefs,
  moveRefIn,
  readRef,
  workRef,
} from '../refs.ts';

/** Trailer of a kept commit that keeps commits below it too: where they began. */
export const sinceTrailer = 'Czar-Since';

/** The private index of a worker's tree. */
export function indexFile(
  context: GitContext,
  of: { readonly run: string; readonly worker: string },
): string {
  return join(context.state, 'index', `${of.run}.${of.worker}`);
}

interface Keeping {
  readonly run: string;
  readonly worker: string;
  readonly identity: Identity;
  /** One sentence: why it was kept. */
  readonly why: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * Keeps a captured tree on top of a commit (null: of nothing); null when there is nothing to keep. With `since`, commits
 * that it lacks are kept too, also without files beside them.
 */
export async function storeKept(
  context: GitContext,
  options: Keeping & {
    readonly parent: string | null;
    readonly since: string | null;
    readonly captured: Captured;
  },
): Promise<KeptWork | null> {
  const { parent, captured } = options;
  const fork = await forkOf(context, options);
  if (captured.files.length === 0 && !captured.leftOutByAgent && fork === null) return null;
  const changed = fork === null ? captured.files : await pathsBetween(context, fork, captured.tree);
  // Nothing new but files that are not stored: the commit they lay on stands for them.
  const bare = captured.files.length === 0 && fork === null && parent !== null;
  const prefix = keptPrefix(options.run, options.worker);
  const work = (ref: string, commit: string): KeptWork => ({
    ref,
    commit,
    files: changed,
    leftOut: captured.leftOut,
    why: options.why,
  });
  const existing = await listRefs(context, `${prefix}/`);
  for (const [ref, commit] of existing) {
    if (bare ? commit === parent : await isSame(context, commit, { parent, tree: captured.tree }))
      return work(ref, commit);
  }
  const message = withTrailers(`Kept: ${options.why}`, options);
  const commit = bare
    ? parent
    : await makeCommit(context, {
        tree: captured.tree,
        parents: parent === null ? [] : [parent],
        message: fork === null ? message : `${message}${sinceTrailer}: ${fork}\n`,
        identity: options.identity,
        date: options.now,
      });
  // A number that was dropped is not given again while it is there.
  const dropped = await listRefs(context, `${droppedPrefix}${options.run}/${options.worker}/`);
  const numbers = [...existing.keys(), ...dropped.keys()].map((ref) =>
    Number(ref.slice(ref.lastIndexOf('/') + 1)),
  );
  const ref = `${prefix}/${Math.max(0, ...numbers.filter(Number.isInteger)) + 1}`;
  await reach(context, 'keep:before-ref');
  const moved = await moveRefIn(inMirror(context), { ref, from: null, to: commit });
  if (moved.kind === 'lost') throw failure(`${ref} was taken while work was being kept`);
  await reach(context, 'keep:after-ref');
  return work(ref, commit);
}

/** Keeps everything that a tree holds, commits and files, before it goes. Gives it again when it was kept before. */
export async function keepTree(
  context: GitContext,
  options: Keeping & {
    readonly attempt: number;
    /** Null when its files are gone and only its repository is left. */
    readonly tree: string | null;
    readonly repository: TreeRepository;
    readonly base: string;
    readonly rules: CaptureRules;
  },
): Promise<readonly KeptWork[]> {
  const held = await holdCommits(context, { ...options, branch: '' });
  const last = await readRef(
    context,
    `${workRef(options.run, options.worker, options.attempt)}/tip`,
  );
  const parent = (held.kind === 'held' ? held.head : null) ?? last ?? options.base;
  const captured =
    options.tree === null
      ? { tree: await treeOf(context, parent), files: [], leftOut: [], leftOutByAgent: false }
      : await capture(context, {
          dir: options.tree,
          against: parent,
          index: indexFile(context, options),
          rules: options.rules,
          unread: unreadCommits(held),
        });
  const merged = await readRef(context, integrationRef(options.run));
  const since =
    merged !== null && (await isAncestor(context, parent, merged)) ? null : options.base;
  const stored = await storeKept(context, { ...options, parent, since, captured });
  return stored === null ? [] : [stored];
}

/**
 * What of a tree is neither merged nor kept: commits, and files that are in no commit. Nothing in the tree changes.
 */
export async function openWork(
  context: GitContext,
  options: {
    readonly run: string;
    readonly worker: string;
    readonly attempt: number;
    readonly tree: string;
    readonly repository: TreeRepository;
    readonly base: string;
    readonly integration: string | null;
    readonly rules: CaptureRules;
  },
): Promise<
  { readonly kind: 'open'; readonly files: readonly string[]; readonly commits: number } | Failed
> {
  return failing(async () => {
    // A collection of the same tree may begin meanwhile, and has files of its own.
    const apart = `${options.worker}.look`;
    const held = await holdCommits(context, { ...options, branch: '', view: apart });
    const parent = (held.kind === 'held' ? held.head : null) ?? options.base;
    const captured = await capture(context, {
      dir: options.tree,
      against: parent,
      index: indexFile(context, { run: options.run, worker: apart }),
      rules: options.rules,
      unread: unreadCommits(held),
    });
    const kept = [
      ...(await listRefs(context, `${keptPrefix(options.run, options.worker)}/`)).values(),
    ];
    const not = [options.base, options.integration, ...kept].flatMap((one) =>
      one === null ? [] : [`^${one}`],
    );
    const count = await line(['rev-list', '--count', parent, ...not], inMirror(context));
    const left = captured.leftOut.flatMap((one) => ('aside' in one ? [one.path] : []));
    const files = (await isTreeOfAny(context, captured.tree, kept)) ? [] : captured.files;
    return { kind: 'open', files: [...files, ...left], commits: Number(count) };
  });
}

/** Whether one of the commits is exactly this tree. */
async function isTreeOfAny(
  context: GitContext,
  tree: string,
  commits: readonly string[],
): Promise<boolean> {
  for (const commit of commits) if ((await treeOf(context, commit)) === tree) return true;
  return false;
}

/** Keeps the files of a plain folder, as a commit without a parent. `kept` is null when there are none. */
export async function keepFiles(
  context: GitContext,
  options: Keeping & { readonly dir: string; readonly rules: CaptureRules },
): Promise<{ readonly kind: 'kept'; readonly kept: KeptWork | null } | Failed> {
  return failing(async () => {
    if (!(await isThere(options.dir))) return { kind: 'kept', kept: null };
    const index = `${indexFile(context, options)}.folder`;
    const captured = await capture(context, {
      dir: options.dir,
      against: null,
      index,
      rules: options.rules,
    });
    const stored = await storeKept(context, { ...options, parent: null, since: null, captured });
    return { kind: 'kept', kept: stored };
  });
}

/** Where the commits to keep left `since`; null when there are none. */
async function forkOf(
  context: GitContext,
  of: { readonly parent: string | null; readonly since: string | null },
): Promise<string | null> {
  const { parent, since } = of;
  if (parent === null || since === null || (await isAncestor(context, parent, since))) return null;
  const [fork = emptyTree(parent)] = await mergeBases(context, since, parent);
  return fork;
}

async function pathsBetween(context: GitContext, from: string, to: string): Promise<string[]> {
  return (await changes(context, from, to)).map((change) => change.path);
}

async function isSame(
  context: GitContext,
  commit: string,
  wanted: { readonly parent: string | null; readonly tree: string },
): Promise<boolean> {
  if ((await treeOf(context, commit)) !== wanted.tree) return false;
  const parents = (await line(['rev-list', '--parents', '-n', '1', commit], inMirror(context)))
    .split(' ')
    .slice(1);
  return (parents[0] ?? null) === wanted.parent;
}
