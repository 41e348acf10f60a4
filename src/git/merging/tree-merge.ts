/**
 * Differences and merges of trees, folder by folder: what is the same on both sides is never opened.
 *
 * The merge gives exactly the tree that git's own merge gives, or null. It takes a path from one side only when the other
 * left it as it was, so no file is ever merged line by line. Renames can change no such merge: git follows a rename when
 * the other side changed or removed the old path, added the new one, or put something into a folder that was renamed
 * away. In the first two cases both sides changed one path; in the last, both changed the folder, and on one side it is
 * gone. All of them are null here.
 */
import type { NewTrees } from './new-trees.ts';
import { folderMode } from '../mirror/object-format.ts';
import type { TreeEntry } from '../mirror/object-format.ts';
import type { OpenMirror, OpenTree } from '../mirror/open-mirror.ts';

type Trees = Pick<OpenMirror, 'tree'>;

/** Trees that a merge reads, and where it puts those that it makes. */
export type MergeTrees = Pick<NewTrees, 'tree' | 'add'>;

/** Merges what `theirs` changed since `from` into `ours`, and gives the tree's id. Null when git has to do it. */
export async function mergeByPath(
  trees: MergeTrees,
  ids: {
    /** Null for a folder that is new on both sides. */
    readonly from: string | null;
    readonly ours: string;
    readonly theirs: string;
  },
): Promise<string | null> {
  if (ids.from === ids.theirs) return ids.ours;
  if (ids.from === ids.ours) return ids.theirs;
  const [from, ours, theirs] = await Promise.all([
    ids.from === null ? nothing : trees.tree(ids.from),
    trees.tree(ids.ours),
    trees.tree(ids.theirs),
  ]);
  if (from === null || ours === null || theirs === null) return null;

  const merged = new Map(ours.byName);
  const entries = await Promise.all(
    differingNames(from, theirs).map(async (name) => {
      const [before, our, their] = [from, ours, theirs].map(({ byName }) => byName.get(name));
      return [name, await mergeEntry(trees, { before, our, their })] as const;
    }),
  );
  for (const [name, entry] of entries) {
    if (entry === null) return null;
    if (entry === 'none') merged.delete(name);
    else merged.set(name, entry);
  }
  // A folder that each side emptied in part: git leaves it out.
  if (merged.size === 0) return null;
  return trees.add(merged, ids.ours.length);
}

async function mergeEntry(
  trees: MergeTrees,
  of: {
    readonly before: TreeEntry | undefined;
    readonly our: TreeEntry | undefined;
    readonly their: TreeEntry | undefined;
  },
): Promise<TreeEntry | 'none' | null> {
  const { before, our, their } = of;
  if ([before, our, their].some((entry) => entry?.mode === '160000')) return null;
  if (isSame(before, our)) return their ?? 'none';
  // From here on both changed it.
  if (our === undefined || their === undefined) return null;
  if (before === undefined) {
    if (our.mode !== folderMode || their.mode !== folderMode || isSame(our, their)) return null;
    const id = await mergeByPath(trees, { from: null, ours: our.id, theirs: their.id });
    return id === null ? null : { ...our, id };
  }
  const folders = [before, our, their].filter(({ mode }) => mode === folderMode).length;
  if (folders === 0) return isSame(our, their) ? our : null;
  // The same change to a folder could hide that both removed a file and one of them renamed it.
  if (folders < 3 || isSame(our, their)) return null;
  const id = await mergeByPath(trees, { from: before.id, ours: our.id, theirs: their.id });
  return id === null ? null : { ...our, id };
}

/** What became of one path between two trees: a file, a link or another repository, or undefined for none. */
export interface PathChange {
  /** One char a byte. */
  readonly path: string;
  readonly before: TreeEntry | undefined;
  readonly after: TreeEntry | undefined;
}

/** What differs between two trees, as `git diff-tree -r --no-renames` tells it, in any order; null when git must say. */
export async function treeChanges(
  trees: Trees,
  from: string,
  to: string,
): Promise<readonly PathChange[] | null> {
  const changes: PathChange[] = [];
  return (await compare(trees, { from, to, folder: '', changes })) ? changes : null;
}

async function compare(
  trees: Trees,
  at: {
    readonly from: string | null;
    readonly to: string | null;
    readonly folder: string;
    readonly changes: PathChange[];
  },
): Promise<boolean> {
  if (at.from === at.to) return true;
  const open = async (id: string | null): Promise<Pick<OpenTree, 'byName'> | null> =>
    id === null ? nothing : trees.tree(id);
  const [one, other] = await Promise.all([open(at.from), open(at.to)]);
  if (one === null || other === null) return false;
  const below = differingNames(one, other).map((name) => {
    const [before, after] = [one.byName.get(name), other.byName.get(name)];
    const path = at.folder + name;
    const files = { before: fileOf(before), after: fileOf(after) };
    if (files.before !== undefined || files.after !== undefined)
      at.changes.push({ path, ...files });
    const folders = { from: folderId(before), to: folderId(after) };
    return compare(trees, { ...folders, folder: `${path}/`, changes: at.changes });
  });
  return (await Promise.all(below)).every((known) => known);
}

/** Entry of a path in a tree; undefined when it has none, null when git must say. */
export async function entryAt(
  trees: Trees,
  root: string,
  path: string,
): Promise<TreeEntry | undefined | null> {
  let entry: TreeEntry | undefined = { name: '', mode: folderMode, id: root };
  for (const part of path.split('/')) {
    if (entry?.mode !== folderMode) return undefined;
    const tree: OpenTree | null = await trees.tree(entry.id);
    if (tree === null) return null;
    entry = tree.byName.get(part);
  }
  return entry;
}

/** Whether both are the same file or folder, or both nothing. */
export function isSame(one: TreeEntry | undefined, other: TreeEntry | undefined): boolean {
  return one?.id === other?.id && one?.mode === other?.mode;
}

const nothing: Pick<OpenTree, 'byName'> = { byName: new Map() };

function differingNames(
  one: Pick<OpenTree, 'byName'>,
  other: Pick<OpenTree, 'byName'>,
): readonly string[] {
  const names: string[] = [];
  for (const [name, entry] of one.byName)
    if (!isSame(entry, other.byName.get(name))) names.push(name);
  for (const name of other.byName.keys()) if (!one.byName.has(name)) names.push(name);
  return names;
}

function fileOf(entry: TreeEntry | undefined): TreeEntry | undefined {
  return entry?.mode === folderMode ? undefined : entry;
}

function folderId(entry: TreeEntry | undefined): string | null {
  return entry?.mode === folderMode ? entry.id : null;
}
