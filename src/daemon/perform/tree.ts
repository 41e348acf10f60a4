/** The working tree of an attempt, or the empty folder of a worker without a repository. */
import { lstat, mkdir, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { makeGeneratedFolder, makeWithinHome } from '../../process/generated-folder.ts';
import type { Outcome } from '../../core/commands.ts';
import type { KeptWork } from '../../core/events.ts';
import { setupOf } from '../../core/schedule/grant.ts';
import type { Intent } from '../../core/intents.ts';
import { definitionOf, type RunState } from '../../core/state.ts';
import { discard, isThere } from '../../git/trees/discard.ts';
import { failing } from '../../git/git.ts';
import { includedFiles } from '../../git/trees/included.ts';
import { keepFiles } from '../../git/collecting/keep.ts';
import { buildMerge } from '../../git/merging/merge.ts';
import { isAncestor } from '../../git/history.ts';
import { continuedRef, readRef, setRefs, workRef } from '../../git/refs.ts';
import { ownerOf } from '../../git/trees/tree-mark.ts';
import { prepareTree } from '../../git/trees/worktree.ts';
import { carry } from './carry.ts';
import { noteCarried } from './carried-list.ts';
import type { EffectContext, Performed } from '../loop.ts';
import { captureRules, stateOf } from './work.ts';
import { removeTree } from './remove-tree.ts';
import { succeed } from './succeed.ts';
import { isolationOf, treeOf, usualTree, type Workplace } from '../workplace.ts';

type Order = Extract<Intent, { kind: 'prepare-tree' }>;

/** Trees are made one at a time: git's own making of them is not safe side by side. */
let making: Promise<unknown> = Promise.resolve();

/** Makes the tree, or finds it made, and brings in what `copy` and `link` name. */
export async function prepareWorktree(
  place: Workplace,
  intent: Order,
  context: EffectContext,
): Promise<Performed> {
  const turn = making.then(() => prepare(place, intent, context));
  making = turn.catch(() => {});
  return turn;
}

/** Makes the tree that a person asked for, or takes it away. */
export async function tendTree(
  place: Workplace,
  intent: Extract<Intent, { kind: 'tend-tree' }>,
  { run }: EffectContext,
): Promise<Outcome> {
  const { run: id, worker } = intent;
  const turn = making.then(async (): Promise<Outcome> => {
    if (intent.want === 'removed') {
      const state = stateOf(run, worker);
      return { kind: 'tree-removed', run: id, worker, ...(await removeTree(place, run, state)) };
    }
    makeGeneratedFolder(join(place.git.home, 'worktrees'));
    const dir = await treePlace(place, run, worker);
    const order = { ...intent, kind: 'prepare-tree', continues: true } as const;
    const { problem, ...tree } = await branchTree(place, order, run, dir);
    if (problem !== null) throw new Error(problem);
    return { kind: 'tree-made', run: id, worker, ...tree };
  });
  making = turn.catch(() => {});
  return turn;
}

async function prepare(
  place: Workplace,
  intent: Order,
  { run }: EffectContext,
): Promise<Performed> {
  makeGeneratedFolder(join(place.git.home, 'worktrees'));
  const dir = await treePlace(place, run, intent.worker);
  if (definitionOf(run, intent.worker).workspace === 'empty')
    return withoutSetup(run, intent, await emptyFolder(place, run, intent, dir));
  const { problem, ...tree } = await branchTree(place, intent, run, dir);
  const prepared: Outcome = { kind: 'tree-prepared', ...of(intent), ...tree };
  if (problem === null) return withoutSetup(run, intent, prepared);
  return [prepared, { kind: 'setup-failed', ...of(intent), findings: [problem] }];
}

/** The tree on the worker's branch, with what is carried into it, and why something could not be. */
async function branchTree(
  place: Workplace,
  intent: Order,
  run: RunState,
  dir: string,
): Promise<
  Pick<Extract<Outcome, { kind: 'tree-made' }>, 'branch' | 'worktree' | 'base' | 'kept'> & {
    readonly problem: string | null;
  }
> {
  const tree = succeed(
    await prepareTree(place.git, {
      isolation: isolationOf(run),
      run: run.id,
      worker: intent.worker,
      attempt: intent.attempt,
      branch: intent.branch,
      commit: await startCommit(place, { run, intent, dir }),
      continues: intent.continues,
      dir,
      identity: place.identity,
      origin: place.origin,
      rules: captureRules(place, run, {
        worker: intent.worker,
        attempt: Math.max(1, intent.attempt - 1),
      }),
      now: stateOf(run, intent.worker).attempt?.startedAt ?? place.now(),
    }),
  );
  if (intent.continues && run.tip !== null) {
    const offered = { run: run.id, tree: tree.worktree, commit: run.tip };
    await isolationOf(run).offer(place.git, offered);
  }
  const listed = async () => ({ kind: 'listed', files: await includedFiles(place.git) }) as const;
  const { files: included } = succeed(await failing(listed));
  makeWithinHome(place.git.home, join(place.git.home, 'runs', run.id, intent.worker));
  noteCarried({ home: place.git.home, run: run.id, worker: intent.worker }, included);
  const { copy, link } = definitionOf(run, intent.worker);
  const carried = { copy: [...copy, ...included], link };
  const problem = await carry(place.git.root, carried, tree.worktree);
  const { branch, base, kept } = tree;
  return { branch, worktree: relative(place.git.root, tree.worktree), base, kept, problem };
}

/** A tree that no command prepares is ready at once. */
function withoutSetup(run: RunState, intent: Order, prepared: Outcome): Performed {
  if (setupOf(run, intent.worker).length > 0) return prepared;
  return [prepared, { kind: 'setup-passed', ...of(intent) }];
}

/**
 * Where a new tree starts: the integration tip, or a branch of the user's with this name that is ahead, which is
 * continued; what was collected last when the tree that should go on was taken away.
 */
async function startCommit(
  place: Workplace,
  { run, intent, dir }: { readonly run: RunState; readonly intent: Order; readonly dir: string },
): Promise<string> {
  const { commit } = intent;
  const goesOn = intent.continues && !(await isThere(dir));
  const found =
    (goesOn ? await lastCollected(place, run, intent) : null) ??
    (await continuedCommit(place, run, intent));
  if (found === null || (await isAncestor(place.git, found, commit))) return commit;
  if (await isAncestor(place.git, commit, found)) return found;
  const merged = succeed(
    await buildMerge(place.git, {
      run: run.id,
      worker: intent.worker,
      base: found,
      tip: commit,
      date: run.startedAt,
      message: `Bring ${intent.branch} up to date`,
      identity: place.identity,
    }),
  );
  if (merged.kind === 'built') return merged.commit;
  throw new Error(
    `its branch ${intent.branch} conflicts with what was merged before it: ${merged.files.join(', ')}`,
  );
}

async function lastCollected(
  place: Workplace,
  run: RunState,
  { worker, attempt }: Order,
): Promise<string | null> {
  // The tree of an attempt that is over may have been taken away since.
  for (let n = attempt; n > 0; n -= 1) {
    const tip = await readRef(place.git, `${workRef(run.id, worker, n)}/tip`);
    if (tip !== null) return tip;
  }
  return null;
}

/**
 * Commit of the user's branch that the worker goes on from, or null. It is what the first start found: later the branch
 * may stand where czar put it, at work of an attempt that is to be done anew.
 */
async function continuedCommit(
  place: Workplace,
  run: RunState,
  { worker, branch, commit }: Order,
): Promise<string | null> {
  const ref = continuedRef(run.id, worker);
  const recorded = await readRef(place.git, ref);
  if (recorded !== null || run.published[`refs/heads/${branch}`] !== undefined) return recorded;
  const found = await readRef(place.git, `refs/user/heads/${branch}`);
  if (found === null || (await isAncestor(place.git, found, commit))) return null;
  await setRefs(place.git, new Map([[ref, found]]));
  return found;
}

/** Where the tree stands: its usual place, unless something of another run or of somebody else is there. */
async function treePlace(place: Workplace, run: RunState, worker: string): Promise<string> {
  const known = treeOf(place, stateOf(run, worker));
  if (known !== null) return known;
  const usual = usualTree(place, worker);
  const there = await lstat(usual).catch(() => null);
  if (there === null) return usual;
  const { gitDir } = isolationOf(run).repository(place.git, usual);
  return (await ownerOf(gitDir))?.run === run.id ? usual : `${usual}@${run.id}`;
}

async function emptyFolder(
  place: Workplace,
  run: RunState,
  intent: Order,
  dir: string,
): Promise<Outcome> {
  const kept: KeptWork[] = [];
  const there = await lstat(dir).catch(() => null);
  if (there !== null && !intent.continues && intent.attempt > 1) {
    const stored = succeed(
      await keepFiles(place.git, {
        run: run.id,
        worker: intent.worker,
        dir,
        identity: place.identity,
        why: 'the folder was made anew',
        rules: captureRules(place, run, { worker: intent.worker, attempt: intent.attempt - 1 }),
        now: stateOf(run, intent.worker).attempt?.startedAt ?? place.now(),
      }),
    );
    if (stored.kept !== null) kept.push(stored.kept);
    await (
      await discard(dir)
    ).deleted;
  }
  await mkdir(dir, { recursive: true });
  return {
    kind: 'tree-prepared',
    ...of(intent),
    branch: '',
    worktree: relative(place.git.root, await realpath(dir)),
    base: intent.commit,
    kept,
  };
}

function of(intent: Order): {
  readonly run: string;
  readonly worker: string;
  readonly attempt: number;
} {
  return { run: intent.run, worker: intent.worker, attempt: intent.attempt };
}
