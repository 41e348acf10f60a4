/**
 * How commits of the mirror are related, and what they are made of: from the mirror that is held open where it can say,
 * else from git. For use inside `failing`.
 */
import { relate } from './merging/ancestry.ts';
import type { Relation } from './merging/ancestry.ts';
import { inMirror } from './context.ts';
import type { GitContext } from './context.ts';
import { git, gitFailure, line, output } from './git.ts';
import type { TreeEntry } from './mirror/object-format.ts';
import type { OpenMirror } from './mirror/open-mirror.ts';
import { changesIn, isObjectId, zero } from './refs.ts';
import type { Change } from './refs.ts';
import { treeChanges } from './merging/tree-merge.ts';
import type { PathChange } from './merging/tree-merge.ts';

/** Relatives that are further apart than this are left to git, which has indexes for them. */
const nearCommits = 500;

/** Whether everything of `ancestor` is in `descendant`. */
export async function isAncestor(
  context: GitContext,
  ancestor: string,
  descendant: string,
): Promise<boolean> {
  if (ancestor === descendant) return true;
  const near = await relation(context, ancestor, descendant);
  if (near !== null) return near.bases.includes(ancestor);
  const args = ['merge-base', '--is-ancestor', ancestor, descendant];
  const result = await git(args, inMirror(context));
  if (result.trouble === null && (result.code === 0 || result.code === 1)) return result.code === 0;
  throw gitFailure(args, result);
}

/** The best common ancestors of two commits; none when their histories are unrelated. */
export async function mergeBases(
  context: GitContext,
  one: string,
  other: string,
): Promise<readonly string[]> {
  if (one === other && isObjectId(one)) return [one];
  const near = await relation(context, one, other);
  // Which of several comes first is git's to say.
  if (near !== null && near.bases.length < 2) return near.bases;
  const args = ['merge-base', '--all', one, other];
  const result = await git(args, inMirror(context));
  if (result.trouble === null && result.code === 1) return [];
  if (result.trouble !== null || result.code !== 0) throw gitFailure(args, result);
  return result.stdout.toString('utf8').split('\n').filter(isObjectId);
}

/** How many commits `tip` has that `base` has not. */
export async function commitsBeyond(
  context: GitContext,
  base: string,
  tip: string,
): Promise<number> {
  const near = await relation(context, base, tip);
  if (near !== null) return near.beyond;
  return Number(await line(['rev-list', '--count', `${base}..${tip}`], inMirror(context)));
}

/** Tree of a commit. */
export async function treeOf(context: GitContext, commit: string): Promise<string> {
  const known = await context.open?.commit(commit);
  if (known != null) return known.tree;
  const args = ['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`];
  return (await output(args, inMirror(context))).toString('utf8').trim();
}

/** Parents of a commit, in order. */
export async function parentsOf(context: GitContext, commit: string): Promise<readonly string[]> {
  const known = context.open?.isWhole() === true ? await context.open.commit(commit) : null;
  if (known !== null) return known.parents;
  return (await line(['rev-list', '--parents', '-n', '1', commit], inMirror(context)))
    .split(' ')
    .slice(1);
}

/** What differs between two trees or commits, path by path in git's order, renames as delete and add. */
export async function changes(
  context: GitContext,
  from: string,
  to: string,
): Promise<readonly Change[]> {
  const { open } = context;
  const seen = open === undefined ? null : await changesSeen(open, from, to);
  return seen ?? changesIn(inMirror(context), from, to);
}

async function changesSeen(
  open: OpenMirror,
  from: string,
  to: string,
): Promise<readonly Change[] | null> {
  if (!isObjectId(from) || !isObjectId(to)) return null;
  const trees = [from, to].map(async (id) => (await open.commit(id))?.tree ?? id);
  const [before = from, after = to] = await Promise.all(trees);
  const found = await treeChanges(open, before, after);
  const order = found?.toSorted((one, other) => (one.path < other.path ? -1 : 1));
  return order?.map((change) => changeOf(change, to)) ?? null;
}

/** As `diff-tree --raw` tells it. */
function changeOf({ path, before, after }: PathChange, like: string): Change {
  const side = (entry: TreeEntry | undefined): Change['from'] =>
    entry === undefined ? { mode: '000000', id: zero(like) } : { mode: entry.mode, id: entry.id };
  const kept = before?.mode.slice(0, 3) === after?.mode.slice(0, 3);
  const changed = kept ? 'M' : 'T';
  const status = before === undefined ? 'A' : after === undefined ? 'D' : changed;
  // One char a byte.
  const name = Buffer.from(path, 'latin1').toString('utf8');
  return { path: name, status, from: side(before), to: side(after) };
}

/** What the open mirror can tell of two commits, given by their ids. */
async function relation(
  { open }: GitContext,
  one: string,
  other: string,
): Promise<Relation | null> {
  if (open === undefined || !isObjectId(one) || !isObjectId(other) || !open.isWhole()) return null;
  return relate((id) => open.commit(id), one, other, nearCommits);
}
