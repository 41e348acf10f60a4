/**
 * What git's own merge does not promise: that no two paths of the result differ only in case or Unicode form, and that
 * nothing outside what the branch touched differs from before (S6).
 */
import { inMirror } from '../context.ts';
import type { GitContext } from '../context.ts';
import { fields, output } from '../git.ts';
import { changes, mergeBases } from '../history.ts';
import { emptyTree } from '../refs.ts';
import type { Change } from '../refs.ts';

/**
 * Paths of `tree` that a file system which folds case or Unicode forms would take for one, when not all of them were
 * in `base` already. Folders count as paths.
 */
export async function foldingPaths(
  context: GitContext,
  options: { readonly base: string; readonly tree: string; readonly changed?: readonly Change[] },
): Promise<string[]> {
  const changed = options.changed ?? (await changes(context, options.base, options.tree));
  if (!changed.some((change) => change.status === 'A')) return [];
  const names = await pathsOf(context, options.tree);
  const before = new Set(withFolders(await pathsOf(context, options.base)));
  const byFold = new Map<string, Set<string>>();
  for (const name of withFolders(names)) {
    const fold = folded(name);
    const same = byFold.get(fold);
    if (same === undefined) byFold.set(fold, new Set([name]));
    else same.add(name);
  }
  const found: string[] = [];
  for (const same of byFold.values()) {
    if (same.size > 1 && [...same].some((name) => !before.has(name))) found.push(...same);
  }
  return found.sort();
}

/** A name as a file system sees it that ignores case and Unicode form. */
export function folded(name: string): string {
  return name.normalize('NFC').toLowerCase().normalize('NFC');
}

/**
 * Whether `tree` is a merge of `tip` into `base` and nothing else. Gives paths that break it: changed though the branch
 * did not touch them, or different from the branch where only the branch touched them. Paths that either side renamed
 * follow the other side's edits and are left to git.
 */
export async function strayPaths(
  context: GitContext,
  options: {
    readonly base: string;
    readonly tip: string;
    readonly tree: string;
    /** What differs between `base` and `tree`, when it is known. */
    readonly changed?: readonly Change[];
  },
): Promise<string[]> {
  const { base, tip, tree } = options;
  const common = await mergeBases(context, base, tip);
  const froms = common.length === 0 ? [emptyTree(tip)] : common;
  const byBranch = new Map<string, Change>();
  const byBase = new Set<string>();
  for (const from of froms) {
    for (const change of await changes(context, from, tip)) byBranch.set(change.path, change);
    for (const change of await changes(context, from, base)) byBase.add(change.path);
  }
  const changed = options.changed ?? (await changes(context, base, tree));
  const result = new Map(changed.map((change) => [change.path, change]));
  const stray = [...result.keys()].filter((path) => !byBranch.has(path));
  // With one common ancestor it is known what a path must be where only the branch touched it.
  for (const [path, { to }] of froms.length === 1 ? byBranch : []) {
    const got = result.get(path)?.to;
    if (!byBase.has(path) && (got?.id !== to.id || got.mode !== to.mode)) stray.push(path);
  }
  if (stray.length === 0) return [];
  const renamed = new Set<string>();
  for (const from of froms) {
    for (const side of [tip, base]) {
      for (const path of await renamedPaths(context, from, side)) renamed.add(path);
    }
  }
  return stray.filter((path) => !renamed.has(path));
}

/** Both names of every rename that git sees between two commits. */
async function renamedPaths(context: GitContext, from: string, to: string): Promise<string[]> {
  const args = ['diff-tree', '-r', '-z', '-M', '--diff-filter=R', '--name-status', from, to];
  return fields(await output(args, inMirror(context))).filter((field) => !/^R\d+$/.test(field));
}

async function pathsOf(context: GitContext, tree: string): Promise<string[]> {
  return fields(
    await output(['ls-tree', '-r', '-z', '--name-only', '--full-tree', tree], inMirror(context)),
  );
}

/** Names with the folders that they lie in. */
export function withFolders(names: readonly string[]): string[] {
  const all = new Set<string>(names);
  for (const name of names) {
    for (let slash = name.lastIndexOf('/'); slash > 0; slash = name.lastIndexOf('/', slash - 1)) {
      const folder = name.slice(0, slash);
      if (all.has(folder)) break;
      all.add(folder);
    }
  }
  return [...all];
}
