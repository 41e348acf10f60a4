/**
 * Shows a run in the user's repository: refs below `refs/czar/`, which are ours, and the run's branches, which move only
 * from where czar last put them.
 *
 * Invariant S13: no other ref, no HEAD, index, file, config or hook changes. Where czar last put a branch stands beside
 * it, in `refs/czar/published/`, and both move in one transaction.
 */
import { checkouts } from './checkouts.ts';
import { inUserRepository, reach } from './context.ts';
import type { GitContext } from './context.ts';
import { deliver, quietly } from './deliver.ts';
import { moveDropped } from './collecting/dropped.ts';
import { failing, git } from './git.ts';
import type { Failed } from './git.ts';
import { freeRefs } from './stale-locks.ts';
import { isAncestor } from './history.ts';
import {
  integrationRef,
  isBranchName,
  isObjectId,
  listRefs,
  listRefsIn,
  moveRefIn,
  readRef,
  readRefIn,
  snapshotRef,
  zero,
} from './refs.ts';

export interface Published {
  readonly kind: 'published';
  /** Refs that stand where they should now. */
  readonly refs: Readonly<Record<string, string>>;
  /** Refs that were left alone, each with the reason. */
  readonly diverged: Readonly<Record<string, string>>;
}

/** Brings refs of the user's repository (full names) to commits of the mirror. */
export async function publish(
  context: GitContext,
  options: { readonly run: string; readonly refs: Readonly<Record<string, string>> },
): Promise<Published | Failed> {
  return failing(async () => {
    await reach(context, 'publish:before-fetch');
    await fetchObjects(context, options);
    await reach(context, 'publish:after-fetch');
    await moveDropped(context, options.refs);
    const refs: Record<string, string> = {};
    const diverged: Record<string, string> = {};
    const taken = await checkouts(context);
    const branches = Object.keys(options.refs).filter(isBranchRef);
    const stand = await standsOf(context, branches);
    for (const [ref, commit] of Object.entries(options.refs)) {
      if (ref.startsWith('refs/czar/')) {
        refs[ref] = commit;
        continue;
      }
      const out = taken.filter((checkout) => checkout.ref === ref);
      const why = await showBranch(context, {
        ref,
        commit,
        found: stand.get(ref) ?? null,
        last: stand.get(publishedRef(ref)) ?? null,
        out: out.length > 0,
        rebasing: out.some((checkout) => checkout.rebasing),
        own: out.some((checkout) => checkout.own),
      });
      if (why === null) refs[ref] = commit;
      else diverged[ref] = why;
    }
    await reach(context, 'publish:after-refs');
    return { kind: 'published', refs, diverged };
  });
}

/** Everything that the refs need, under names of ours: from then on nothing of it can be pruned. */
async function fetchObjects(
  context: GitContext,
  options: { readonly run: string; readonly refs: Readonly<Record<string, string>> },
): Promise<void> {
  const wanted: { commit: string; ref: string }[] = [];
  const ofRun = await listRefs(context, integrationRef(options.run), snapshotRef(options.run));
  for (const [ref, commit] of Object.entries(options.refs)) {
    if (!isObjectId(commit)) continue;
    // The mirror is ahead of the log while a merge is on its way there, and may have been shown so already.
    if (ref.startsWith('refs/czar/')) wanted.push({ commit: ofRun.get(ref) ?? commit, ref });
    else if (ref.startsWith('refs/heads/')) wanted.push({ commit, ref: incoming(ref) });
  }
  for (const [ref, commit] of ofRun) if (!(ref in options.refs)) wanted.push({ commit, ref });
  await deliver(context, ...wanted);
}

/** Where branches stand in the user's repository, and where czar last put them; locks that nobody holds are gone then. */
async function standsOf(
  context: GitContext,
  branches: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const refs = branches.flatMap((ref) => [ref, publishedRef(ref)]);
  if (refs.length === 0) return new Map();
  await freeRefs(context, refs);
  return listRefsIn(inUserRepository(context), ...refs);
}

/** Moves a branch from where czar put it; gives the reason when it was left alone. */
async function showBranch(
  context: GitContext,
  options: {
    readonly ref: string;
    readonly commit: string;
    /** Where it stands, and where czar last put it. */
    readonly found: string | null;
    readonly last: string | null;
    readonly out: boolean;
    readonly rebasing: boolean;
    /** Whether its worker's tree stands on it: then it moves there. */
    readonly own: boolean;
  },
): Promise<string | null> {
  const { ref, commit, found, last } = options;
  if (!isBranchRef(ref)) return 'it is not a branch';
  const place = inUserRepository(context);
  if (found === commit && last === commit) return null;
  if (options.own && found !== null) {
    await moveRefIn(place, { ref: publishedRef(ref), from: last, to: found });
    return null;
  }
  if (options.rebasing) return 'it is being rebased in a checkout';
  if (options.out && found !== commit) return 'it is checked out';
  const from = await mayMoveFrom(context, { found, last, commit });
  if (from.kind === 'no') return from.why;
  const old = from.old ?? zero(commit);
  const input = [
    ...(found === commit ? [] : [`update ${ref}\0${commit}\0${old}\0`]),
    `update ${publishedRef(ref)}\0${commit}\0\0`,
  ].join('');
  await reach(context, 'publish:before-branch');
  const args = [...quietly, 'update-ref', '--no-deref', '--stdin', '-z'];
  const done = await git(args, { ...place, input });
  await reach(context, 'publish:after-branch');
  if (done.code === 0) return null;
  const now = await readRefIn(place, ref);
  if (now !== found) return 'it moved while czar was about to';
  return `git could not move it: ${done.stderr || done.trouble || 'no reason given'}`;
}

/** Whether the branch is where czar left it, or was there before and leads to what czar has. */
async function mayMoveFrom(
  context: GitContext,
  at: { readonly found: string | null; readonly last: string | null; readonly commit: string },
): Promise<
  | { readonly kind: 'yes'; readonly old: string | null }
  | { readonly kind: 'no'; readonly why: string }
> {
  const { found, last, commit } = at;
  if (found === commit || found === last) return { kind: 'yes', old: found };
  if (found === null) return { kind: 'no', why: 'it was deleted' };
  if (last !== null) return { kind: 'no', why: 'it was moved by someone else' };
  // A branch that was there before the run and that the worker went on from.
  const known = (await readRef(context, `${found}^{commit}`)) !== null;
  if (known && (await isAncestor(context, found, commit))) return { kind: 'yes', old: found };
  return { kind: 'no', why: 'it existed before and holds other commits' };
}

/** Where it stands where czar last put a branch (full name). */
export function publishedRef(ref: string): string {
  return `refs/czar/published/${flat(ref)}`;
}

function isBranchRef(ref: string): boolean {
  return ref.startsWith('refs/heads/') && isBranchName(ref.slice('refs/heads/'.length));
}

function incoming(ref: string): string {
  return `refs/czar/incoming/${flat(ref)}`;
}

/** One level, so that a branch `x` and a later `x/y` do not stand in each other's way. */
function flat(ref: string): string {
  return encodeURIComponent(ref.slice('refs/heads/'.length))
    .replace(/\./g, '%2E')
    .replace(/[~*]/g, '_');
}
