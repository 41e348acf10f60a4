/**
 * Merges without starting a git, where that gives what git would give: one common ancestor, and no path that both sides
 * changed. The result is checked as every merge is (S6); whatever is not beyond doubt is null and left to git.
 */
import { relate } from './ancestry.ts';
import type { Relation } from './ancestry.ts';
import { folded } from './merge-check.ts';
import { NewTrees } from './new-trees.ts';
import type { OpenMirror, OpenTree } from '../mirror/open-mirror.ts';
import { entryAt, isSame, mergeByPath, treeChanges } from './tree-merge.ts';
import type { PathChange } from './tree-merge.ts';

/** The tree of the merge of two commits, stored in the mirror; null when git has to make it, or to refuse it. */
export async function quickMerge(
  mirror: OpenMirror,
  options: { readonly base: string; readonly tip: string },
): Promise<string | null> {
  const { base, tip } = options;
  if (base === tip || !mirror.isWhole()) return null;
  const relation = await relate((id) => mirror.commit(id), base, tip);
  const [common, second] = relation?.bases ?? [];
  if (relation === null || common === undefined || second !== undefined) return null;
  const commits = await Promise.all([common, base, tip].map(async (id) => mirror.commit(id)));
  const [from, ours, theirs] = commits.map((commit) => commit?.tree);
  if (from === undefined || ours === undefined || theirs === undefined) return null;

  const trees = new NewTrees(mirror);
  const tree = await mergeByPath(trees, { from, ours, theirs });
  if (tree === null) return null;
  const changed = await treeChanges(trees, ours, tree);
  const byBranch = await treeChanges(mirror, from, theirs);
  if (changed === null || byBranch === null) return null;
  const sound =
    (await isOfTheBranch(trees, { ours, changed, byBranch })) &&
    (await isFoldFree(trees, { tree, changed }));
  if (!sound) return null;
  await trees.store();
  lastCounts.set(mirror, { base, tip, tree, counts: countsOf(changed, relation) });
  return tree;
}

export interface Counts {
  /** Paths that the merge makes, changes and removes. */
  readonly files: { readonly created: number; readonly modified: number; readonly deleted: number };
  /** Commits that its tip brings. */
  readonly commits: number;
}

/** What a merge brings to its base; null when git has to count. */
export async function quickCounts(
  mirror: OpenMirror,
  of: { readonly base: string; readonly tip: string; readonly tree: string },
): Promise<Counts | null> {
  const last = lastCounts.get(mirror);
  if (last?.base === of.base && last.tip === of.tip && last.tree === of.tree) return last.counts;
  if (!mirror.isWhole()) return null;
  const relation = await relate((id) => mirror.commit(id), of.base, of.tip);
  const base = await mirror.commit(of.base);
  const changed = base === null ? null : await treeChanges(mirror, base.tree, of.tree);
  return relation === null || changed === null ? null : countsOf(changed, relation);
}

/** Those of the merge that was built last: it is asked for them when it is done. */
const lastCounts = new WeakMap<
  OpenMirror,
  { readonly base: string; readonly tip: string; readonly tree: string; readonly counts: Counts }
>();

function countsOf(changed: readonly PathChange[], { beyond }: Relation): Counts {
  const created = changed.filter(({ before }) => before === undefined).length;
  const deleted = changed.filter(({ after }) => after === undefined).length;
  const files = { created, modified: changed.length - created - deleted, deleted };
  return { files, commits: beyond };
}

/** S6: what the merge changes is what the branch changed, but for what is there already. */
async function isOfTheBranch(
  trees: NewTrees,
  of: {
    readonly ours: string;
    readonly changed: readonly PathChange[];
    readonly byBranch: readonly PathChange[];
  },
): Promise<boolean> {
  const result = new Map(of.changed.map((change) => [change.path, change]));
  for (const { path, before, after } of of.byBranch) {
    const got = result.get(path);
    result.delete(path);
    if (got !== undefined) {
      if (!isSame(got.before, before) || !isSame(got.after, after)) return false;
      continue;
    }
    const there = await entryAt(trees, of.ours, path);
    if (there === null || !isSame(there, after)) return false;
  }
  return result.size === 0;
}

/** Whether no new path has a neighbour that some file systems would take for the same, on any level. */
async function isFoldFree(
  trees: NewTrees,
  of: { readonly tree: string; readonly changed: readonly PathChange[] },
): Promise<boolean> {
  for (const { path, before } of of.changed) {
    if (before !== undefined) continue;
    let id = of.tree;
    for (const part of path.split('/')) {
      const tree = await trees.tree(id);
      if (tree === null || hasDouble(tree, part)) return false;
      id = tree.byName.get(part)?.id ?? '';
    }
  }
  return true;
}

function hasDouble(tree: OpenTree, name: string): boolean {
  const fold = foldOf(name);
  return tree.entries.some((entry) => entry.name !== name && foldOf(entry.name) === fold);
}

/** A name is one char a byte. */
function foldOf(name: string): string {
  if (/^[\x00-\x7f]*$/.test(name)) return name.toLowerCase();
  return folded(Buffer.from(name, 'latin1').toString('utf8'));
}
