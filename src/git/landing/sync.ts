/**
 * Syncing: a branch of the user's that has moved enters integration. Built in the mirror like a merge, then the
 * integration ref moves from exactly the commit that it was built on; the user's branch is only read.
 */
import { makeCommit, withTrailers } from '../commit.ts';
import { reach } from '../context.ts';
import type { GitContext, Identity } from '../context.ts';
import { failing } from '../git.ts';
import type { Failed } from '../git.ts';
import { bring, type LandingRefused } from './land.ts';
import { mergeTrees } from '../merging/merge.ts';
import type { Built } from '../merging/merge.ts';
import { isAncestor } from '../history.ts';
import { candidateRef, integrationRef, moveRef, readRef, setRefs } from '../refs.ts';

/** Builds the merge of the target, which stood at `tip`, into integration, which stands at `onto`. */
export async function buildSync(
  context: GitContext,
  options: {
    readonly run: string;
    readonly target: string;
    readonly onto: string;
    readonly tip: string;
    /** Milliseconds since 1970. */
    readonly date: number;
    readonly message: string;
    readonly identity: Identity;
  },
): Promise<Built | LandingRefused | Failed> {
  return failing(async () => {
    const { run, target, onto, tip } = options;
    await bring(context, { run, target });
    const now = await readRef(context, `refs/user/landing/${run}`);
    if (now === null || !(await isAncestor(context, tip, now)))
      return refused(`${target} has moved meanwhile`);
    if (await isAncestor(context, tip, onto))
      return refused(`the run has everything of ${target} already`);
    const merged = await mergeTrees(context, { base: onto, tip });
    if (merged.kind === 'conflict')
      return { ...refused(`${target} conflicts with the run`), files: merged.files };
    const commit = await makeCommit(context, {
      ...options,
      tree: merged.tree,
      parents: [onto, tip],
      message: withTrailers(options.message, { run, worker: null }),
    });
    await reach(context, 'sync:before-candidate');
    await setRefs(context, new Map([[heldAs(run), commit]]));
    return { kind: 'built', commit, tree: merged.tree };
  });
}

/** Moves integration from `onto` to what was built on it, or finds that it was moved. */
export async function commitSync(
  context: GitContext,
  options: { readonly run: string; readonly onto: string; readonly commit: string },
): Promise<{ readonly kind: 'landed'; readonly commit: string } | LandingRefused | Failed> {
  return failing(async () => {
    const { run, onto, commit } = options;
    const ref = integrationRef(run);
    const found = await readRef(context, ref);
    const done = found !== null && found !== onto && (await isAncestor(context, commit, found));
    if (!done) {
      await reach(context, 'sync:before-cas');
      const moved = await moveRef(context, { ref, from: onto, to: commit });
      if (moved.kind === 'lost') return refused('integration has moved meanwhile');
      await reach(context, 'sync:after-cas');
    }
    return { kind: 'landed', commit };
  });
}

/** Where the built merge is held: no worker has such an id. */
function heldAs(run: string): string {
  return candidateRef(run, 'sync@');
}

function refused(reason: string): LandingRefused {
  return { kind: 'refused', reason, files: [] };
}
