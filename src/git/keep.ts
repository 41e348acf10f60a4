/**
 * Keeps what no branch holds: files of a tree or folder as a commit under `refs/czar/kept/<run>/<worker>/<n>`. The same
 * files on the same commit are kept once, so repeating it after a crash adds nothing.
 */
import { join } from 'node:path';
import type { KeptWork } from '../core/events.ts';
import { capture } from './capture.ts';
import type { Captured, CaptureRules } from './capture.ts';
import { makeCommit, withTrailers } from './commit.ts';
import { inMirror, reach } from './context.ts';
import type { GitContext, Identity } from './context.ts';
import { isThere } from './discard.ts';
import { failing, failure, line } from './git.ts';
import type { Failed } from './git.ts';
import { holdCommits } from './hold.ts';
import { keptPrefix, listRefs, moveRefIn, readRef, treeOf, workRef } from './refs.ts';

/** The private index of a worker's tree. */
export function indexFile(
  context: GitContext,
  of: { readonly run: string; readonly worker: string },
): string {
  return join(context.state, 'index', `${of.run}.${of.worker}`);
}

interface Keeping {
  readonly run: string;
  readonly worker: string;
  readonly identity: Identity;
  /** One sentence: why it was kept. */
  readonly why: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Keeps a captured tree on top of a commit (null: of nothing); null when there is nothing to keep. */
export async function storeKept(
  context: GitContext,
  options: Keeping & { readonly parent: string | null; readonly captured: Captured },
): Promise<{ readonly kept: KeptWork; readonly fresh: boolean } | null> {
  const { parent, captured } = options;
  if (captured.files.length === 0 && !captured.leftOutByAgent) return null;
  const prefix = keptPrefix(options.run, options.worker);
  const work = (ref: string, commit: string): KeptWork => ({
    ref,
    commit,
    files: captured.files,
    leftOut: captured.leftOut,
    why: options.why,
  });
  const existing = await listRefs(context, `${prefix}/`);
  for (const [ref, commit] of existing) {
    if (
      await isSame(context, commit, {
        parent,
        tree: captured.tree,
        changed: captured.files.length > 0,
      })
    ) {
      return { kept: work(ref, commit), fresh: false };
    }
  }
  const commit =
    captured.files.length === 0 && parent !== null
      ? parent
      : await makeCommit(context, {
          tree: captured.tree,
          parents: parent === null ? [] : [parent],
          message: withTrailers(`Kept: ${options.why}`, options),
          identity: options.identity,
          date: options.now,
        });
  const numbers = [...existing.keys()].map((ref) => Number(ref.slice(prefix.length + 1)));
  const ref = `${prefix}/${Math.max(0, ...numbers.filter(Number.isInteger)) + 1}`;
  await reach(context, 'keep:before-ref');
  const moved = await moveRefIn(inMirror(context), { ref, from: null, to: commit });
  if (moved.kind === 'lost') throw failure(`${ref} was taken while work was being kept`);
  await reach(context, 'keep:after-ref');
  return { kept: work(ref, commit), fresh: true };
}

/** Keeps everything that a tree holds, commits and files, before it goes. Gives what was not kept before. */
export async function keepTree(
  context: GitContext,
  options: Keeping & {
    readonly attempt: number;
    readonly tree: string;
    readonly base: string;
    readonly rules: CaptureRules;
  },
): Promise<readonly KeptWork[]> {
  const held = await holdCommits(context, { ...options, branch: '' });
  const last = await readRef(
    context,
    `${workRef(options.run, options.worker, options.attempt)}/tip`,
  );
  const parent = (held.kind === 'held' ? held.head : null) ?? last ?? options.base;
  const index = indexFile(context, options);
  const captured = await capture(context, {
    dir: options.tree,
    against: parent,
    index,
    rules: options.rules,
  });
  const stored = await storeKept(context, { ...options, parent, captured });
  return stored !== null && stored.fresh ? [stored.kept] : [];
}

/** Keeps the files of a plain folder, as a commit without a parent. `kept` is null when there are none. */
export async function keepFiles(
  context: GitContext,
  options: Keeping & { readonly dir: string; readonly rules: CaptureRules },
): Promise<{ readonly kind: 'kept'; readonly kept: KeptWork | null } | Failed> {
  return failing(async () => {
    if (!(await isThere(options.dir))) return { kind: 'kept', kept: null };
    const index = `${indexFile(context, options)}.folder`;
    const captured = await capture(context, {
      dir: options.dir,
      against: null,
      index,
      rules: options.rules,
    });
    const stored = await storeKept(context, { ...options, parent: null, captured });
    return { kind: 'kept', kept: stored?.kept ?? null };
  });
}

async function isSame(
  context: GitContext,
  commit: string,
  wanted: { readonly parent: string | null; readonly tree: string; readonly changed: boolean },
): Promise<boolean> {
  if (!wanted.changed) return commit === wanted.parent;
  if ((await treeOf(context, commit)) !== wanted.tree) return false;
  const parents = (await line(['rev-list', '--parents', '-n', '1', commit], inMirror(context)))
    .split(' ')
    .slice(1);
  return (parents[0] ?? null) === wanted.parent;
}
