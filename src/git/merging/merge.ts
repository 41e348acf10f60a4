/**
 * Merging: a worker's tip and the integration tip become a commit off to the side, and the integration ref moves to
 * exactly that commit by compare-and-swap.
 *
 * Invariants: building moves nothing but the candidate's own ref, and the same values build the same commit; the ref
 * moves only from the base that the merge was built on (S5) and only with the verdicts for it (S4). After a crash the
 * refs say how far it came.
 */
import type { Admission } from '../../core/intents.ts';
import { makeCommit, withTrailers } from '../commit.ts';
import { inMirror, reach } from '../context.ts';
import type { GitContext, Identity } from '../context.ts';
import { failing, failure, git, gitFailure, line } from '../git.ts';
import type { Failed } from '../git.ts';
import { foldingPaths, strayPaths } from './merge-check.ts';
import { quickCounts, quickMerge } from './quick-merge.ts';
import type { Counts } from './quick-merge.ts';
import { changes, isAncestor } from '../history.ts';
import { candidateRef, integrationRef, isObjectId, moveRef, readRef, setRefs } from '../refs.ts';

export interface Conflict {
  readonly kind: 'conflict';
  readonly files: readonly string[];
  /** What git said of each, word for word. */
  readonly messages: readonly string[];
}

export interface Built {
  readonly kind: 'built';
  readonly commit: string;
  readonly tree: string;
}

/** Builds the merge commit of a worker's tip on the integration tip. `date` is milliseconds since 1970. */
export async function buildMerge(
  context: GitContext,
  options: {
    readonly run: string;
    readonly worker: string;
    readonly base: string;
    readonly tip: string;
    readonly date: number;
    readonly message: string;
    readonly identity: Identity;
  },
): Promise<Built | Conflict | Failed> {
  return failing(async () => {
    await reach(context, 'merge:before-build');
    const merged = await mergeTrees(context, options);
    if (merged.kind === 'conflict') return merged;
    const commit = await makeCommit(context, {
      ...options,
      tree: merged.tree,
      parents: [options.base, options.tip],
      message: withTrailers(options.message, options),
    });
    await reach(context, 'merge:before-candidate');
    await setRefs(context, new Map([[candidateRef(options.run, options.worker), commit]]));
    await reach(context, 'merge:after-candidate');
    return { kind: 'built', commit, tree: merged.tree };
  });
}

/** Merges two commits into a tree, checked beyond what git checks. For use inside `failing`. */
export async function mergeTrees(
  context: GitContext,
  options: { readonly base: string; readonly tip: string },
): Promise<{ readonly kind: 'merged'; readonly tree: string } | Conflict> {
  const { base, tip } = options;
  const quick = context.open === undefined ? null : await quickMerge(context.open, options);
  if (quick !== null) return { kind: 'merged', tree: quick };
  const settings = [
    'merge.directoryRenames=conflict',
    'merge.conflictStyle=merge',
    'merge.renames=true',
  ];
  const args = ['merge-tree', '--write-tree', '--messages', '-z', base, tip];
  const result = await git(
    [...settings.flatMap((value) => ['-c', value]), ...args],
    inMirror(context),
  );
  if (result.trouble === null && result.code === 1)
    return readConflict(result.stdout.toString('utf8'));
  // Some renames are too much for some versions of git, each time anew: a person can merge them step by step.
  if (result.trouble === 'crashed') {
    const why = `git ends with a fault of its own in this merge: ${result.stderr}`;
    return { kind: 'conflict', files: [], messages: [why] };
  }
  if (result.trouble !== null || result.code !== 0) {
    const common = await git(['merge-base', base, tip], inMirror(context));
    if (common.trouble === null && common.code === 1) return unrelated;
    throw gitFailure(args, result);
  }
  const tree = result.stdout.toString('utf8').split('\0')[0]?.trim() ?? '';
  if (!isObjectId(tree)) throw failure('git merge-tree gave no tree');
  const changed = await changes(context, base, tree);
  const folding = await foldingPaths(context, { base, tree, changed });
  if (folding.length > 0) {
    const message = `These names differ only in upper and lower case or in Unicode form: ${folding.join(', ')}`;
    return { kind: 'conflict', files: folding, messages: [message] };
  }
  const stray = await strayPaths(context, { base, tip, tree, changed });
  if (stray.length > 0) {
    throw failure(`S6: the merge changes what the branch did not: ${stray.slice(0, 5).join(', ')}`);
  }
  return { kind: 'merged', tree };
}

/** A merge that has entered integration, and what it brought. */
export interface EnteredMerge extends Counts {
  readonly commit: string;
  readonly tree: string;
}

export type MergeCommitted =
  /** The merges between `base` and the commit, in order; the commit is the last. */
  | { readonly kind: 'merged'; readonly merges: readonly EnteredMerge[] }
  /** Integration is not where the merge was built on: nothing was moved. */
  | { readonly kind: 'lost'; readonly found: string };

/** Moves the integration ref of a run from `base` to a built merge, past the merges `through`, or finds that it was moved. */
export async function commitMerge(
  context: GitContext,
  options: {
    readonly run: string;
    readonly base: string;
    readonly through?: readonly string[];
    readonly commit: string;
    readonly admission: Admission;
  },
): Promise<MergeCommitted | Failed> {
  return failing(async () => {
    const { run, base, commit } = options;
    const merges: (Shape & { readonly base: string })[] = [];
    for (const one of [...(options.through ?? []), commit]) {
      const on: string = merges.at(-1)?.commit ?? base;
      merges.push({ base: on, ...(await shapeOf(context, one, on)) });
    }
    const last = merges.at(-1);
    if (last !== undefined) assertAdmitted(options.admission, last);

    const ref = integrationRef(run);
    const found = await readRef(context, ref);
    // A commit is never above its own parent.
    const done = found !== null && found !== base && (await isAncestor(context, commit, found));
    if (!done) {
      await reach(context, 'merge:before-cas');
      // What a prune took of a run that was taken up again is made again: the log knows where integration stood.
      const from = found === null ? null : base;
      const moved = await moveRef(context, { ref, from, to: commit });
      if (moved.kind === 'lost') return { kind: 'lost', found: moved.found ?? '' };
      await reach(context, 'merge:after-cas');
    }
    const entered: EnteredMerge[] = [];
    for (const merge of merges) {
      const counts = await countsOf(context, merge);
      entered.push({ commit: merge.commit, tree: merge.tree, ...counts });
    }
    return { kind: 'merged', merges: entered };
  });
}

interface Shape {
  readonly commit: string;
  readonly tree: string;
  /** The parent that was merged. */
  readonly tip: string;
}

/** What a merge on `base` is made of. */
async function shapeOf(context: GitContext, commit: string, base: string): Promise<Shape> {
  const known = (await context.open?.commit(commit)) ?? null;
  const shape = ['log', '-1', '--format=%T %P', '--end-of-options', commit];
  const [tree = '', first, tip] =
    known === null
      ? (await line(shape, inMirror(context))).split(' ')
      : [known.tree, ...known.parents];
  if (first !== base || tip === undefined) throw failure(`S5: ${commit} is no merge on ${base}`);
  return { commit, tree, tip };
}

/** Files that a merge changes, and commits that it brings. */
async function countsOf(
  context: GitContext,
  of: {
    readonly base: string;
    readonly commit: string;
    readonly tip: string;
    readonly tree: string;
  },
): Promise<Counts> {
  const { base, commit, tip } = of;
  const quick = context.open === undefined ? null : await quickCounts(context.open, of);
  if (quick !== null) return quick;
  const files = { created: 0, modified: 0, deleted: 0 };
  for (const { status } of await changes(context, base, commit)) {
    if (status === 'A') files.created += 1;
    else if (status === 'D') files.deleted += 1;
    else files.modified += 1;
  }
  const count = await line(['rev-list', '--count', `${base}..${tip}`], inMirror(context));
  return { files, commits: Number(count) };
}

const unrelated: Conflict = {
  kind: 'conflict',
  files: [],
  messages: [
    'The branch shares no history with what it should be merged into: the commit that it began with was rewritten',
  ],
};

/** S4: the verdicts are for this very merge. Whether they suffice is decided before; another merge's never do. */
function assertAdmitted(
  admission: Admission,
  merge: { readonly tip: string; readonly tree: string },
): void {
  for (const verdict of admission.trees) {
    if (verdict.result !== 'pass') throw failure(`S4: ${verdict.command} did not pass`);
    if (verdict.tree !== merge.tree) throw failure('S4: a verdict is for another tree');
  }
  for (const verdict of admission.change) {
    if (verdict.tip !== merge.tip)
      throw failure(`S4: the verdict of ${verdict.gate} is for another tip`);
  }
}

/**
 * `merge-tree -z` on conflict: the tree, then stage entries, an empty field, then messages of the form
 * count, paths, type, text (git-merge-tree, "OUTPUT").
 */
function readConflict(text: string): Conflict {
  const parts = text.split('\0');
  const files = new Set<string>();
  let at = 1;
  for (; at < parts.length && parts[at] !== ''; at += 1) {
    const entry = parts[at] ?? '';
    files.add(entry.slice(entry.indexOf('\t') + 1));
  }
  const messages: string[] = [];
  for (at += 1; at < parts.length;) {
    const count = Number(parts[at]);
    if (parts[at] === '' || !Number.isInteger(count)) break;
    const type = parts[at + 1 + count] ?? '';
    if (type.startsWith('CONFLICT')) {
      messages.push((parts[at + 2 + count] ?? '').trim());
      for (const path of parts.slice(at + 1, at + 1 + count)) files.add(path);
    }
    at += 3 + count;
  }
  return { kind: 'conflict', files: [...files].sort(), messages };
}
