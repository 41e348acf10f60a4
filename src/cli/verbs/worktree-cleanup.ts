/**
 * `czar worktree cleanup`: takes away the trees of workers that are done, with the branches that czar made for them. What
 * is neither merged nor kept stays, or is kept first when it is forced.
 */
import type { Rejection } from '../../core/commands.ts';
import type { RepositoryState, RunState, WorkerState } from '../../core/state.ts';
import { isFinal } from '../../core/lifecycle.ts';
import { tendKey } from '../../core/tended-trees.ts';
import { triesAllowed } from '../../core/trouble.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import type { Place } from '../../daemon/place.ts';
import { placeOfRun } from '../../daemon/place-of-run.ts';
import { workerAt, worktreesOf } from '../../daemon/views/worktrees.ts';
import { parseDuration } from '../../plan/duration.ts';
import type { CleanupDocument } from '../../report/branches-schema.ts';
import { askAndWait } from '../ask-and-wait.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { chosenRun } from '../reading.ts';
import { insideAttempt, refuse } from '../steering.ts';
import type { CliContext } from '../verb.ts';

export interface CleanupOptions {
  readonly stale?: string;
  readonly force?: boolean;
}

interface Tree {
  readonly run: RunState;
  readonly worker: WorkerState;
}

/** Cleans up what is named, or every tree of a worker that is done. */
export async function cleanup(
  context: CliContext,
  names: readonly string[],
  options: CleanupOptions,
): Promise<void> {
  if (await insideAttempt(context, 'worktree cleanup')) return;
  const stale = options.stale === undefined ? 0 : parseDuration(options.stale);
  if (stale === null) {
    return context.fail({
      exit: exits.wrong,
      what: `${JSON.stringify(options.stale)} is no span of time`,
      next: '--stale 24h',
    });
  }
  const place = findPlace(context);
  if (place === null) return;
  const state = openLogState(place);
  if (state === null)
    return context.fail({ exit: exits.nothing, what: 'there is no run in this repository' });
  const trees =
    names.length > 0 ? named(context, { place, state, names }) : all(context, place, state);
  if (trees === null) return;
  const left: CleanupDocument['left'][number][] = [];
  const wanted = trees.filter((tree) => {
    const why = names.length > 0 ? null : whyNot(tree, context.now() - stale);
    if (why !== null) left.push({ ...nameOf(tree), why });
    return why === null;
  });
  const force = options.force === true;
  const removed: CleanupDocument['removed'][number][] = [];
  let first: Rejection | null = null;
  // Each checkout has trees of its own, and only its own loop finds them.
  for (const [checkout, group] of Map.groupBy(wanted, ({ run }) => run.checkout)) {
    const at = placeOfRun(place, { checkout });
    if (at === null) {
      left.push(...group.map((tree) => ({ ...nameOf(tree), why: 'its checkout is gone' })));
      continue;
    }
    const done = await remove(context, at, { wanted: group, force, left });
    if (done === null) return;
    removed.push(...done.removed);
    first ??= done.first;
  }
  if (names.length === 0 || first === null) return show(context, { v: 1, removed, left });
  if (!context.options.json) show(context, { v: 1, removed, left: [] }, false);
  refuse(context, first);
}

async function remove(
  context: CliContext,
  place: Place,
  of: {
    readonly wanted: readonly Tree[];
    readonly force: boolean;
    readonly left: CleanupDocument['left'][number][];
  },
): Promise<{
  readonly removed: CleanupDocument['removed'];
  readonly first: Rejection | null;
} | null> {
  const { wanted, force, left } = of;
  if (wanted.length === 0) return { removed: [], first: null };
  const runs = new Set(wanted.map(({ run }) => run.id));
  const done = await askAndWait(context, place, {
    asked: () =>
      wanted.map(({ run, worker }) => {
        const { run: id, worker: name } = nameOf({ run, worker });
        return { kind: 'remove-tree', run: id, worker: name, force };
      }),
    only: ({ run, kind }) => runs.has(run) && (kind === 'tend-tree' || kind === 'publish'),
    settled: (now, asked) => {
      const tree = wanted.find(
        (one) => 'worker' in asked && one.run.id === asked.run && one.worker.id === asked.worker,
      );
      return tree === undefined || !isTending(now, tree) || troubleOf(now, tree) !== null;
    },
  });
  if (done === null) return null;
  let first: Rejection | null = null;
  const removed: CleanupDocument['removed'][number][] = [];
  for (const [index, tree] of wanted.entries()) {
    // What was asked for before, and not done, this loop has carried through as it began.
    const before = tree.run.tending.some((one) => one.worker === tree.worker.id);
    const carried = before && worktreeOf(done.state, tree) === null;
    const rejection = carried ? null : (done.asked[index]?.rejection ?? null);
    const why = rejection?.what.replace(/\.$/, '') ?? troubleOf(done.state, tree);
    if (why === null) removed.push({ ...nameOf(tree), ...goneOf(done.state, tree) });
    else left.push({ ...nameOf(tree), why });
    first ??= rejection;
  }
  return { removed, first };
}

/** The trees that are named, each by worker or path; null when one is none, which has been said. */
function named(
  context: CliContext,
  at: {
    readonly place: Place;
    readonly state: RepositoryState;
    readonly names: readonly string[];
  },
): readonly Tree[] | null {
  const { place, state, names } = at;
  const trees: Tree[] = [];
  const run = chosenRun(context, state);
  if (run === null) return null;
  for (const name of names) {
    const runs = [run, ...(context.options.run === null ? state.runs.values() : [])];
    const found = runs.flatMap((one) => {
      const worker = workerAt(place, { run: one, name, cwd: context.cwd });
      return worker === null || (one !== run && worker.id === name) ? [] : [{ run: one, worker }];
    });
    const [tree] = found;
    if (tree === undefined) {
      context.fail({
        exit: exits.nothing,
        what: `run ${run.id} has no worker ${JSON.stringify(name)}, and there is no tree of that path`,
        next: 'czar worktree list',
      });
      return null;
    }
    trees.push(tree);
  }
  return trees;
}

function all(context: CliContext, place: Place, state: RepositoryState): readonly Tree[] | null {
  const run = context.options.run === null ? null : chosenRun(context, state);
  if (run === null && context.options.run !== null) return null;
  const runs = run === null ? [...state.runs.values()] : [run];
  return worktreesOf(place, runs).worktrees.flatMap((one) => {
    const of = state.runs.get(one.run);
    const worker = of?.workers.get(one.worker);
    return one.there && of !== undefined && worker !== undefined ? [{ run: of, worker }] : [];
  });
}

/** Why a tree that nobody named stays; null when it may go. */
function whyNot({ worker }: Tree, before: number): string | null {
  if (!isFinal(worker.state)) return `${worker.id} is ${worker.state}`;
  return worker.since > before ? `${worker.id} has not been ${worker.state} for so long` : null;
}

function nameOf({ run, worker }: Tree): { run: string; worker: string; path: string } {
  return { run: run.id, worker: worker.id, path: worker.worktree ?? '' };
}

function goneOf(
  state: RepositoryState,
  tree: Tree,
): Pick<CleanupDocument['removed'][number], 'kept'> {
  const now = state.runs.get(tree.run.id)?.workers.get(tree.worker.id);
  const before = new Set(tree.worker.kept.map(({ ref }) => ref));
  return { kept: (now?.kept ?? []).flatMap(({ ref }) => (before.has(ref) ? [] : [ref])) };
}

function worktreeOf(state: RepositoryState, { run, worker }: Tree): string | null {
  return state.runs.get(run.id)?.workers.get(worker.id)?.worktree ?? null;
}

function isTending(state: RepositoryState, { run, worker }: Tree): boolean {
  return state.runs.get(run.id)?.tending.some((one) => one.worker === worker.id) === true;
}

function troubleOf(state: RepositoryState, tree: Tree): string | null {
  const run = state.runs.get(tree.run.id);
  const worker = run?.workers.get(tree.worker.id);
  if (run === undefined || worker === undefined || !isTending(state, tree)) return null;
  const trouble = run.troubles[tendKey(run, worker, 'removed')];
  return trouble !== undefined && trouble.tries >= triesAllowed ? trouble.error : null;
}

function show(context: CliContext, document: CleanupDocument, whole = true): void {
  const { out, options } = context;
  if (options.json) return out.json(document);
  for (const { path, kept } of document.removed)
    out.line(
      kept.length === 0 ? `${path} is removed.` : `${path} is removed; kept: ${kept.join(', ')}`,
    );
  for (const { path, why } of document.left) out.line(`${path} stays: ${why}`);
  if (whole && document.removed.length + document.left.length === 0)
    out.line('There are no working trees.');
}
