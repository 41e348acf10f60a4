/**
 * How commits of the mirror are related, and what they are made of: from the mirror that is held open where it can say,
 * else from git. For use inside `failing`.
 */
import { relate } from './ancestry.ts';
import type { Relation } from './ancestry.ts';
import { inMirror } from './context.ts';
import type { GitContext } from './context.ts';
import { git, gitFailure, line, output } from './git.ts';
import { isObjectId } from './refs.ts';

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

/** What the open mirror can tell of two commits, given by their ids. */
async function relation(
  { open }: GitContext,
  one: string,
  other: string,
): Promise<Relation | null> {
  if (open === undefined || !isObjectId(one) || !isObjectId(other) || !open.isWhole()) return null;
  return relate((id) => open.commit(id), one, other, nearCommits);
}
