/**
 * Landing: the integration tip enters a branch of the user's. Built in the mirror like a merge, then moved in the
 * user's repository by compare-and-swap; a clean checkout of that branch goes along.
 *
 * Invariants: a refusal leaves everything as it was; the branch moves only from `onto` to exactly the built commit; a
 * crash leaves refs, and a note beside them, from which the same call carries the landing through.
 */
import { makeCommit, withTrailers } from '../commit.ts';
import { checkouts } from '../checkouts.ts';
import { checkoutProblem, recoverCheckout, updateCheckout } from './checkout-update.ts';
import type { CheckoutMove } from './checkout-update.ts';
import { inMirror, inUserRepository, reach } from '../context.ts';
import type { GitContext, Identity } from '../context.ts';
import { deliver } from '../deliver.ts';
import { failing, output } from '../git.ts';
import { fetchUser } from '../fetch-user.ts';
import type { Failed } from '../git.ts';
import { mergeTrees } from '../merging/merge.ts';
import type { Built } from '../merging/merge.ts';
import { isAncestor, treeOf } from '../history.ts';
import {
  isBranchName,
  landingRef,
  moveRefIn,
  readRef,
  readRefIn,
  setRefs,
  snapshotRef,
} from '../refs.ts';
import { closedFolder, mayNotWrite } from '../writable.ts';

export interface LandingRefused {
  readonly kind: 'refused';
  /** One sentence. */
  readonly reason: string;
  readonly files: readonly string[];
}

/** Builds the commit that lands. `target` is a branch without `refs/heads/`, `onto` the commit it stands at. */
export async function buildLanding(
  context: GitContext,
  options: {
    readonly run: string;
    readonly target: string;
    readonly onto: string;
    readonly tip: string;
    readonly mode: 'merge' | 'squash' | 'ff';
    /** Milliseconds since 1970. */
    readonly date: number;
    readonly message: string;
    readonly identity: Identity;
  },
): Promise<Built | LandingRefused | Failed> {
  return failing(async () => {
    const { run, target, onto, tip, mode } = options;
    if (!isBranchName(target)) return refused(`${JSON.stringify(target)} is not a branch name`);
    const now = await readRefIn(inUserRepository(context), `refs/heads/${target}`);
    if (now === null) return refused(`there is no branch ${target}`);
    if (now !== onto) return refused(`${target} has moved meanwhile`);
    await bring(context, { run, target });
    if (await isAncestor(context, tip, onto))
      return refused(`${target} has everything of this run already`);

    if (mode === 'ff') {
      if (!(await isAncestor(context, onto, tip))) {
        return refused(
          `${target} has commits of its own, so it cannot be moved forward to the run's`,
        );
      }
      await setRefs(context, new Map([[landingRef(run), tip]]));
      return { kind: 'built', commit: tip, tree: await treeOf(context, tip) };
    }
    const merged = await mergeTrees(context, { base: onto, tip });
    if (merged.kind === 'conflict') {
      return { kind: 'refused', reason: `the run conflicts with ${target}`, files: merged.files };
    }
    const commit = await makeCommit(context, {
      ...options,
      tree: merged.tree,
      parents: mode === 'squash' ? [onto] : [onto, tip],
      message: withTrailers(options.message, { run, worker: null }),
    });
    await setRefs(context, new Map([[landingRef(run), commit]]));
    return { kind: 'built', commit, tree: merged.tree };
  });
}

/** Moves the target of the user's repository to a built landing, or finds that it was moved. */
export async function commitLanding(
  context: GitContext,
  options: {
    readonly run: string;
    readonly target: string;
    readonly onto: string;
    readonly commit: string;
  },
): Promise<Landed | LandingRefused | Failed> {
  return failing(async () => {
    const { run, target, commit } = options;
    const place = inUserRepository(context);
    const late = await recoverCheckout(context);
    const found = await readRefIn(place, `refs/heads/${target}`);
    if (found === null) return refused(`there is no branch ${target}`);
    // Where the target surely has not moved: git would fail half way, now and whenever it is tried again.
    const closed = found === options.onto ? await closedFolder(context, target) : null;
    if (closed !== null) return refused(mayNotWrite(closed));
    const before = await readRefIn(place, landingRef(run));
    await reach(context, 'land:before-fetch');
    await deliver(context, { commit, ref: landingRef(run) });
    await reach(context, 'land:after-fetch');
    const result = await advance(context, { ...options, found }).catch((error: unknown) => {
      const lock = lockIn(error);
      if (lock === null) throw error;
      return refused(
        `${target} is locked by ${lock}: if no git is at work there, remove it, then land again`,
      );
    });
    if (result.kind === 'refused')
      await moveRefIn(place, { ref: landingRef(run), from: commit, to: before });
    else if (late.length > 0) return { ...result, notUpdated: late };
    return result;
  });
}

/** The lock at which git stopped, with nothing moved; null for any other failure. */
function lockIn(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  return /Unable to create '([^']+\.lock)': File exists/.exec(error.message)?.[1] ?? null;
}

interface Landed {
  readonly kind: 'landed';
  readonly commit: string;
  /** Files of the target's checkout that could not follow its branch; absent when there are none. */
  readonly notUpdated?: readonly string[];
}

/** Moves the target, which stands at `found`, with its checkout if it has one. */
async function advance(
  context: GitContext,
  options: {
    readonly run: string;
    readonly target: string;
    readonly onto: string;
    readonly commit: string;
    readonly found: string;
  },
): Promise<Landed | LandingRefused> {
  const { run, target, onto, commit, found } = options;
  const ref = `refs/heads/${target}`;
  const landed = { kind: 'landed', commit } as const;
  if (found === commit) return landed;
  if (found !== onto && (await holds(context, { run, target, commit }))) return landed;
  if (found !== onto) return refused(`${target} has moved meanwhile`);

  const where = await checkoutOf(context, { run, target, onto, commit });
  if (where === null) {
    return (await move(context, { ref, onto, commit, run }))
      ? landed
      : refused(`${target} has moved meanwhile`);
  }
  if ('kind' in where) return where;
  const problem = await checkoutProblem(context, where);
  if (problem !== null) return { kind: 'refused', ...problem };
  const result = await updateCheckout(context, where, () =>
    move(context, { ref, onto, commit, run }),
  );
  if (result.kind === 'refused') return { ...result };
  if (!result.moved) return refused(`${target} has moved meanwhile`);
  return result.notUpdated.length === 0 ? landed : { ...landed, notUpdated: result.notUpdated };
}

interface LandingMove {
  readonly run: string;
  readonly target: string;
  readonly onto: string;
  readonly commit: string;
}

/** Why a landing that was built in the mirror could not move its target now, or null. Changes nothing. */
export async function landingProblem(
  context: GitContext,
  options: LandingMove,
): Promise<{ readonly kind: 'free' } | LandingRefused | Failed> {
  return failing(async () => {
    const closed = await closedFolder(context, options.target);
    if (closed !== null) return refused(mayNotWrite(closed));
    const where = await checkoutOf(context, options);
    if (where === null) return { kind: 'free' };
    if ('kind' in where) return where;
    const problem = await checkoutProblem(context, where);
    return problem === null ? { kind: 'free' } : { kind: 'refused', ...problem };
  });
}

/** The one checkout that goes along with the target; null when there is none. */
async function checkoutOf(
  context: GitContext,
  options: LandingMove,
): Promise<CheckoutMove | LandingRefused | null> {
  const { target, onto, commit } = options;
  const ref = `refs/heads/${target}`;
  const out = (await checkouts(context)).filter((checkout) => checkout.ref === ref);
  if (out.some((checkout) => checkout.rebasing))
    return refused(`${target} is being rebased in a checkout`);
  if (out.some((checkout) => checkout.hidden === true))
    return refused(
      `${target} is checked out in the main checkout of this repository, and nothing here says where that is: land from there`,
    );
  const live = out.filter((checkout) => checkout.path !== null);
  if (live.length > 1) return refused(`${target} is checked out in more than one place`);
  const [checkout] = live;
  if (checkout === undefined || checkout.path === null) return null;
  const snapshot = await readRef(context, snapshotRef(options.run));
  return { ref, worktree: checkout.path, gitDir: checkout.gitDir, onto, commit, snapshot };
}

async function move(
  context: GitContext,
  options: {
    readonly ref: string;
    readonly onto: string;
    readonly commit: string;
    readonly run: string;
  },
): Promise<boolean> {
  await reach(context, 'land:before-cas');
  const moved = await moveRefIn(
    { ...inUserRepository(context), reason: `czar land ${options.run}` },
    { ref: options.ref, from: options.onto, to: options.commit },
  );
  await reach(context, 'land:after-cas');
  return moved.kind !== 'lost';
}

/** A branch of the user's as it is now, in the mirror. */
export async function bring(
  context: GitContext,
  options: { readonly run: string; readonly target: string },
): Promise<void> {
  const refspec = `+refs/heads/${options.target}:refs/user/landing/${options.run}`;
  await output(fetchUser(context.root, [refspec]), inMirror(context));
}

/** Whether the target went on from the landed commit. */
async function holds(
  context: GitContext,
  options: { readonly run: string; readonly target: string; readonly commit: string },
): Promise<boolean> {
  await bring(context, options);
  const now = await readRef(context, `refs/user/landing/${options.run}`);
  return now !== null && (await isAncestor(context, options.commit, now));
}

function refused(reason: string): LandingRefused {
  return { kind: 'refused', reason, files: [] };
}

/** Carries an interrupted landing of a checkout through, or takes it back. For the start of a loop. */
export async function recoverLanding(
  context: GitContext,
): Promise<{ readonly kind: 'recovered'; readonly notUpdated: readonly string[] } | Failed> {
  return failing(async () => {
    const notUpdated = await recoverCheckout(context);
    return { kind: 'recovered', notUpdated };
  });
}
