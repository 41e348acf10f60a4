/**
 * Brings the work of an attempt home: its commits, and what it left uncommitted. Run again after a crash it finds what
 * it did and says the same.
 *
 * Invariants: every commit seen is held by a ref of the mirror (S7); no file that counts as work is in the tree alone
 * when this is done; git never runs in the agent's repository.
 */
import { lstat, readFile } from 'node:fs/promises';
import type { KeptWork, Work } from '../../core/events.ts';
import { capture } from './capture.ts';
import type { Captured, CaptureRules } from './capture.ts';
import { readGitFile, removeGitFiles } from '../trees/clone-files.ts';
import { makeCommit, withTrailers } from '../commit.ts';
import { reach } from '../context.ts';
import type { GitContext, Identity } from '../context.ts';
import { failing, failure } from '../git.ts';
import type { Failed } from '../git.ts';
import { holdCommits, unreadCommits } from './hold.ts';
import type { Held } from './hold.ts';
import type { TreeRepository } from '../trees/isolation.ts';
import { indexFile, storeKept } from './keep.ts';
import { patchOf } from './patch.ts';
import { changes, commitsBeyond, isAncestor, mergeBases, parentsOf, treeOf } from '../history.ts';
import { changedPath, emptyTree, isObjectId, readRef, setRefs, workRef } from '../refs.ts';
import { unfinishedIn } from '../trees/tree-facts.ts';
import type { WorkLimits } from './work-size.ts';

export interface CollectOrder {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
  /** The working tree, and its git side. */
  readonly tree: string;
  readonly repository: TreeRepository;
  /** The worker's branch, without `refs/heads/`. */
  readonly branch: string;
  /** Commit that the attempt started from. */
  readonly base: string;
  /** Tip of integration that the work is compared with. */
  readonly integration: string;
  /** Commit what is uncommitted on the agent's behalf; else keep it under a kept ref. */
  readonly commitUncommitted: boolean;
  /** Message of that commit, without trailers. */
  readonly message: string;
  /** Why work is kept, in one sentence. */
  readonly why: string;
  readonly identity: Identity;
  readonly rules: CaptureRules;
  /** What is more than this is not brought home: collecting fails, and everything stays in the tree. */
  readonly most: WorkLimits;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export type Collected =
  | {
      readonly kind: 'collected';
      readonly work: Work;
      /** What a person should know: each one sentence. */
      readonly notes: readonly string[];
    }
  /** There is no tree: what was collected before is all there is. */
  | { readonly kind: 'lost'; readonly reason: string };

/** Collects a tree whose agent has ended. */
export async function collect(
  context: GitContext,
  order: CollectOrder,
): Promise<Collected | Failed> {
  return failing(async () => {
    const there = await lstat(order.tree).catch(() => null);
    if (there === null || !there.isDirectory())
      return { kind: 'lost', reason: 'the working tree is gone' };
    const held = await holdCommits(context, { ...order, mostBytes: order.most.bytes });
    const place = await placeOf(context, order, held);
    const index = indexFile(context, order);
    const captured = await capture(context, {
      dir: order.tree,
      against: place.files,
      index,
      rules: order.rules,
      unread: unreadCommits(held),
    });

    const notes = [...place.notes, ...(await order.repository.shared())];
    const committed = await commitFor(context, { order, held, place, captured, notes });
    const tip = committed?.commit ?? place.tip;
    const kept = await keepRest(context, {
      order,
      place,
      captured,
      committed: committed !== null,
      tip,
      notes,
    });
    await setRefs(
      context,
      new Map([[`${workRef(order.run, order.worker, order.attempt)}/tip`, tip]]),
    );
    if (committed !== null) await moveOn(context, { order, commit: tip, index });
    await reach(context, 'collect:done');
    return {
      kind: 'collected',
      work: await workOf(context, { order, tip, committed, kept }),
      notes,
    };
  });
}

interface Place {
  /** Commit that the work stands at. */
  readonly tip: string;
  /** Commit that the files of the tree belong to. */
  readonly files: string;
  readonly notes: readonly string[];
}

/** Which commit is the work: the worker's branch, or HEAD when the agent went on from there elsewhere. */
async function placeOf(context: GitContext, order: CollectOrder, held: Held): Promise<Place> {
  const ref = `${workRef(order.run, order.worker, order.attempt)}/tip`;
  const last = async (): Promise<string> => (await readRef(context, ref)) ?? order.base;
  if (held.kind === 'unreadable') {
    const tip = await last();
    return {
      tip,
      files: tip,
      notes: [`commits could not be read from the tree: ${held.why}; its files are kept`],
    };
  }
  const notes = held.broken.map(
    (ref) => `${ref} is damaged in the tree: its commits could not be read`,
  );
  const branch = held.tip;
  const head = held.head;
  if (branch === null && head === null) {
    const tip = await last();
    return {
      tip,
      files: tip,
      notes: [...notes, 'the branch has no commit any more; the last one seen stands'],
    };
  }
  if (branch === null || head === null || branch === head) {
    const tip = branch ?? head ?? order.base;
    if (branch === null)
      notes.push(`the branch ${order.branch} is gone; the work was taken from HEAD`);
    if (!(await isAncestor(context, order.base, tip)))
      notes.push('the agent rewrote the history that it started from');
    return { tip, files: head ?? tip, notes };
  }
  const where = held.branch === null ? 'a detached HEAD' : `the branch ${held.branch}`;
  if (await isAncestor(context, branch, head)) {
    return {
      tip: head,
      files: head,
      notes: [...notes, `the agent committed on ${where}; its work was taken from there`],
    };
  }
  const behind = await isAncestor(context, head, branch);
  if (!behind)
    notes.push(
      `the agent left ${where} beside its branch; those commits are held but are not its work`,
    );
  return { tip: branch, files: head, notes };
}

interface Committed {
  readonly commit: string;
  readonly files: readonly string[];
}

/** The commit of what the agent left, made or found again; null when there is none. */
async function commitFor(
  context: GitContext,
  options: {
    readonly order: CollectOrder;
    readonly held: Held;
    readonly place: Place;
    readonly captured: Captured;
    readonly notes: string[];
  },
): Promise<Committed | null> {
  const { order, place, captured, notes } = options;
  if (!order.commitUncommitted || options.held.kind !== 'held') return null;
  const ref = `${workRef(order.run, order.worker, order.attempt)}/committed`;
  const before = await readRef(context, ref);
  const mergeHead = await mergedCommit(context, order.repository);
  if (captured.files.length === 0 && mergeHead === null) {
    if (before === null || before !== place.tip) return null;
    const parent = (await parentsOf(context, before))[0];
    if (parent === undefined) return null;
    return {
      commit: before,
      files: (await changes(context, parent, before)).map((change) => change.path),
    };
  }
  if (place.files !== place.tip) {
    notes.push('uncommitted files do not belong to the branch; they are kept instead of committed');
    return null;
  }
  const unfinished = await unfinishedIn(context, order);
  if (unfinished !== null && (mergeHead === null || unfinished.includes('markers'))) {
    notes.push(`${unfinished}; uncommitted files are kept instead of committed`);
    return null;
  }
  const parents = mergeHead === null ? [place.tip] : [place.tip, mergeHead];
  const known =
    before !== null && (await treeOf(context, before)) === captured.tree ? before : null;
  const same = known !== null && (await parentsOf(context, known)).join() === parents.join();
  const commit = same
    ? known
    : await makeCommit(context, {
        tree: captured.tree,
        parents,
        message: withTrailers(order.message, order),
        identity: order.identity,
        date: order.now,
      });
  await reach(context, 'collect:before-commit-ref');
  await setRefs(context, new Map([[ref, commit]]));
  await reach(context, 'collect:after-commit-ref');
  return { commit, files: captured.files };
}

/** Commit that a merge in the tree brings in, when it is one of the mirror's. */
async function mergedCommit(
  context: GitContext,
  { gitDir }: TreeRepository,
): Promise<string | null> {
  const id = ((await readGitFile(gitDir, 'MERGE_HEAD')) ?? '').trim();
  if (!isObjectId(id)) return null;
  return readRef(context, `${id}^{commit}`);
}

async function keepRest(
  context: GitContext,
  options: {
    readonly order: CollectOrder;
    readonly place: Place;
    readonly captured: Captured;
    readonly committed: boolean;
    readonly tip: string;
    readonly notes: readonly string[];
  },
): Promise<KeptWork[]> {
  const { order, captured } = options;
  const rest = options.committed ? { ...captured, files: [] } : captured;
  const parent = options.committed ? options.tip : options.place.files;
  // Commits beside the branch are no part of the work, and so are kept with the files that belong to them.
  const beside = !(await isAncestor(context, options.place.files, options.tip));
  const since = order.commitUncommitted && !beside ? null : order.base;
  const trouble = order.commitUncommitted ? options.notes.at(-1) : undefined;
  const why = options.committed
    ? 'these files are not committed on an agent’s behalf'
    : (trouble ?? order.why);
  const stored = await storeKept(context, { ...order, why, parent, since, captured: rest });
  return stored === null ? [] : [stored];
}

/**
 * Lets the tree's own repository stand at the commit that was made for it, so that an attempt that goes on there sees
 * it: ref, HEAD and index are set without running git there. A failure here loses nothing and is not one of collecting.
 */
async function moveOn(
  context: GitContext,
  options: { readonly order: CollectOrder; readonly commit: string; readonly index: string },
): Promise<void> {
  const { repository, branch } = options.order;
  await reach(context, 'collect:before-move-on');
  await repository.mend(branch);
  const index = await readFile(options.index);
  if (await repository.standAt({ branch, commit: options.commit, index })) {
    const merge = ['MERGE_HEAD', 'MERGE_MODE', 'MERGE_MSG', 'AUTO_MERGE'];
    await removeGitFiles(repository.gitDir, merge);
  }
  await reach(context, 'collect:after-move-on');
}

async function workOf(
  context: GitContext,
  options: {
    readonly order: CollectOrder;
    readonly tip: string;
    readonly committed: Committed | null;
    readonly kept: readonly KeptWork[];
  },
): Promise<Work> {
  const { order, tip } = options;
  const [from = emptyTree(tip)] = await mergeBases(context, order.integration, tip);
  const changed = await changes(context, from, tip);
  if (changed.length > order.most.paths) {
    throw failure(
      `its work changes ${changed.length} files, and ${order.most.paths} are allowed: it stays in its tree`,
    );
  }
  return {
    tip,
    base: order.base,
    tree: await treeOf(context, tip),
    patch: changed.length === 0 ? '' : await patchOf(context, { from, to: tip }),
    commits: await commitsBeyond(context, order.integration, tip),
    changed: changed.map(changedPath),
    committedFor: options.committed,
    kept: options.kept,
  };
}
