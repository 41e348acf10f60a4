/** Working trees: made, continued, and what they hold brought home before anything of it goes. */
import type { Outcome } from '../src/core/commands.ts';
import type { KeptWork, Work } from '../src/core/events.ts';
import { setupOf } from '../src/core/schedule/grant.ts';
import type { Performed } from '../src/daemon/loop.ts';
import { folderOf } from './attempts.ts';
import type { Effect, EffectOf } from './effect-context.ts';
import { endTree, readOn } from './effects-attempt.ts';
import { isEmpty, type World, type Worktree } from './world.ts';

export async function prepareTree(effect: EffectOf<'prepare-tree'>): Promise<Performed> {
  const turn = effect.owner.making.then(() => prepare(effect));
  effect.owner.making = turn.catch(() => {});
  const prepared = await turn;
  const { run, worker, attempt } = effect.intent;
  if (setupOf(effect.context.run, worker).length > 0) return prepared;
  return [prepared, { kind: 'setup-passed', run, worker, attempt }];
}

async function prepare({
  world,
  intent,
  context,
  place,
}: EffectOf<'prepare-tree'>): Promise<Outcome> {
  const { run, worker, attempt } = intent;
  const key = `${run}/${worker}`;
  const old = world.trees.get(key);
  const done = (tree: Worktree): Outcome => ({
    kind: 'tree-prepared',
    run,
    worker,
    attempt,
    branch: intent.branch,
    worktree: `worktrees/${worker}`,
    base: tree.head,
    kept: tree.keptWhenMade?.attempt === attempt ? tree.keptWhenMade.kept : [],
  });
  if (old !== undefined && (old.attempt === attempt || intent.continues)) {
    await place('continue');
    if (attempt < old.attempt) throw new Error('the tree belongs to a later attempt');
    old.attempt = attempt;
    return done(old);
  }
  const kept: KeptWork[] = [];
  if (old !== undefined) {
    hold(world, old);
    await place('held');
    if (isDirty(world, old)) kept.push(keep(world, old, 'the tree was made anew'));
    await place('before-discard');
    world.onReplace(old);
    if (intent.attempt < old.attempt) throw new Error('the tree belongs to a later attempt');
  }
  const tree: Worktree = {
    run,
    worker,
    attempt,
    head: intent.commit,
    files: new Map(world.git.files(world.git.look(intent.commit).tree)),
    offered: null,
    made: new Set(old?.made),
    keptWhenMade: { attempt, kept },
  };
  if (isEmpty(context.run, worker)) tree.files = new Map();
  // A folder is never put over another: that of a loop which came meanwhile stays.
  if (world.trees.get(key) !== old)
    throw new Error('another loop has made the tree of this or a later attempt');
  world.trees.set(key, tree);
  await place('made');
  return done(tree);
}

/** The tree that a person asked for, or is to be rid of: what it holds is stored first. */
export async function tendTree(effect: EffectOf<'tend-tree'>): Promise<Outcome> {
  const { world, intent, place } = effect;
  const { run, worker, attempt, branch, commit } = intent;
  const old = world.trees.get(`${run}/${worker}`);
  if (intent.want === 'made') {
    const order = { ...intent, kind: 'prepare-tree', continues: true } as const;
    if (old === undefined) await prepare({ ...effect, intent: order });
    await place('tended');
    const base = world.treeOf(run, worker)?.head ?? commit;
    const made = { branch, worktree: `worktrees/${worker}`, base, kept: [] };
    return { kind: 'tree-made', run, worker, ...made };
  }
  const kept: KeptWork[] = [];
  if (old !== undefined && old.attempt <= attempt) {
    hold(world, old);
    if (isDirty(world, old)) kept.push(keep(world, old, 'the tree was removed'));
    await place('before-removal');
    world.onReplace(old);
    if (world.trees.get(`${run}/${worker}`) === old) world.trees.delete(`${run}/${worker}`);
  }
  return { kind: 'tree-removed', run, worker, branch: false, kept };
}

export async function collect(effect: EffectOf<'collect'>): Promise<Outcome> {
  const { world, intent, context, place } = effect;
  const { run, worker, attempt } = intent;
  const folder = folderOf(world, intent);
  const state = context.run.workers.get(worker);
  const from = {
    said: state?.attempt?.reportOffset ?? 0,
    printed: state?.attempt?.outputOffset ?? 0,
  };
  await endTree(effect, folder);
  await readOn(folder, intent, from, context.report);
  const tree = world.treeOf(run, worker);
  if (tree === undefined || isEmpty(context.run, worker))
    return { kind: 'collected', run, worker, attempt, work: null, kept: [] };
  await place('hold');
  hold(world, tree);
  const stamp = state?.submitted === true ? state.since : (state?.attempt?.endedAt ?? 0);
  const committedFor = await commitFor(effect, tree, stamp);
  const kept = committedFor === null && isDirty(world, tree) ? [keep(world, tree, 'left')] : [];
  world.git.move('mirror', `refs/czar/work/${run}/${worker}/${attempt}/tip`, tree.head);
  await place('held');
  const work = workOf(world, { tree, base: state?.attempt?.base ?? tree.head, ...intent });
  return {
    kind: 'collected',
    run,
    worker,
    attempt,
    work: { ...work, committedFor, kept },
    kept: [],
  };
}

async function commitFor(
  { world, intent, place }: EffectOf<'collect'>,
  tree: Worktree,
  stamp: number,
): Promise<Work['committedFor']> {
  const ref = `refs/czar/work/${intent.run}/${intent.worker}/${intent.attempt}/committed`;
  if (intent.commit === 'none') return null;
  if (!isDirty(world, tree)) {
    return world.git.mirror.get(ref) === tree.head ? { commit: tree.head, files: [] } : null;
  }
  const files = world.git.tree(tree.files);
  const commit = world.git.commit(files, [tree.head], `for ${intent.worker} ${stamp}`);
  await place('before-commit-ref');
  world.git.move('mirror', ref, commit);
  await place('after-commit-ref');
  tree.made.add(commit);
  tree.head = commit;
  return { commit, files: [] };
}

/** Brings every commit of the tree into the mirror. */
function hold(world: World, tree: Worktree): void {
  const prefix = `refs/czar/work/${tree.run}/${tree.worker}/${tree.attempt}`;
  for (const commit of tree.made) {
    if (!world.git.isHeld(commit)) world.git.move('mirror', `${prefix}/held/${commit}`, commit);
  }
}

export function isDirty(world: World, tree: Worktree): boolean {
  return world.git.look(tree.head).tree !== world.git.tree(tree.files);
}

/** Stores the uncommitted files under a kept ref, or finds them stored. */
function keep(world: World, tree: Worktree, why: string): KeptWork {
  const files = world.git.tree(tree.files);
  const prefix = `refs/czar/kept/${tree.run}/${tree.worker}/`;
  const dropped = prefix.replace('/kept/', '/dropped/');
  const numbers = [0];
  for (const [ref, commit] of world.git.mirror) {
    if (ref.startsWith(dropped)) numbers.push(Number(ref.slice(dropped.length)));
    if (!ref.startsWith(prefix)) continue;
    numbers.push(Number(ref.slice(prefix.length)));
    const known = world.git.look(commit);
    if (known.tree === files && known.parents[0] === tree.head)
      return { ref, commit, files: [], leftOut: [], why };
  }
  const commit = world.git.commit(files, [tree.head], `kept of ${tree.worker}`);
  const ref = `${prefix}${Math.max(...numbers) + 1}`;
  world.git.move('mirror', ref, commit);
  return { ref, commit, files: [], leftOut: [], why };
}

function workOf(
  world: World,
  of: { readonly tree: Worktree; readonly base: string; readonly integration: string },
): Work {
  const { git } = world;
  const tip = of.tree.head;
  const changes = git.changes(git.mergeBase(of.integration, tip), tip);
  const behind = git.ancestors(of.integration);
  return {
    tip,
    base: of.base,
    tree: git.look(tip).tree,
    patch: changes.map((one) => `${one.path}:${one.before}..${one.after}`).join(';'),
    commits: [...git.ancestors(tip)].filter((id) => !behind.has(id)).length,
    changed: changes.map((one) => ({
      ...one,
      status: one.before === '' ? 'A' : one.after === '' ? 'D' : 'M',
    })),
    committedFor: null,
    kept: [],
  };
}

export type { Effect };
