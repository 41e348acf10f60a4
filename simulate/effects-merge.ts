/** Merging, publishing and landing: objects first, then one ref by compare-and-swap. */
import type { Outcome } from '../src/core/commands.ts';
import type { MergedWorker } from '../src/core/event-values.ts';
import type { EffectOf } from './effect-context.ts';
import type { World } from './world.ts';

export async function buildMerge({
  world,
  intent,
  place,
}: EffectOf<'build-merge'>): Promise<Outcome> {
  const { run, worker, base, tip } = intent;
  const merged = world.git.merge(base, tip);
  if (merged.kind === 'conflict') {
    await place('offer');
    const tree = world.treeOf(run, worker);
    if (tree !== undefined) tree.offered = base;
    const { files } = merged;
    return { kind: 'merge-conflict', run, worker, base, tip, files, messages: ['both changed it'] };
  }
  const commit = world.git.commit(merged.tree, [base, tip], `merge ${worker} ${intent.date}`);
  await place('before-candidate');
  world.git.move('mirror', `refs/czar/candidate/${run}/${worker}`, commit);
  await place('after-candidate');
  return { kind: 'merge-built', run, worker, base, tip, commit, tree: merged.tree };
}

export async function commitMerge({
  world,
  intent,
  place,
}: EffectOf<'commit-merge'>): Promise<Outcome> {
  const { run, worker, base, commit, ahead } = intent;
  const ref = `refs/czar/integration/${run}`;
  await place('before-cas');
  const found = world.git.mirror.get(ref) ?? null;
  const done = found !== null && world.git.isAncestor(commit, found);
  // A prune may have taken it: then it is made again.
  const from = found === null ? null : base;
  if (!done && !world.git.move('mirror', ref, commit, from)) {
    // Integration moves by events alone: what moved it without one is held, and it is put back.
    world.git.move('mirror', `refs/czar/stray/${run}/${found}`, found ?? '');
    world.git.move('mirror', ref, base);
    throw new Error('injected: integration was put back');
  }
  await place('after-cas');
  const merged = [...ahead, intent].map((one) => entered(world, one));
  return { kind: 'merge-committed', run, worker, commit, merged };
}

function entered(
  { git }: World,
  {
    worker,
    tip,
    commit,
  }: { readonly worker: string; readonly tip: string; readonly commit: string },
): MergedWorker {
  const { tree, parents } = git.look(commit);
  const base = parents[0] ?? '';
  const behind = git.ancestors(base);
  return {
    worker,
    commit,
    tree,
    files: { created: 0, modified: git.changes(base, commit).length, deleted: 0 },
    commits: [...git.ancestors(tip)].filter((id) => !behind.has(id)).length,
  };
}

export async function publish({ world, intent, place }: EffectOf<'publish'>): Promise<Outcome> {
  const refs: Record<string, string> = {};
  const diverged: Record<string, string> = {};
  await place('fetched');
  for (const [ref, commit] of Object.entries(intent.refs)) {
    if (ref.startsWith('refs/czar/dropped/')) {
      const kept = ref.replace('/dropped/', '/kept/');
      world.git.move('mirror', ref, commit);
      world.git.move('user', ref, commit);
      await place('dropped');
      world.git.remove('mirror', kept, commit);
      world.git.remove('user', kept, commit);
      refs[ref] = commit;
      continue;
    }
    if (ref.startsWith('refs/czar/')) {
      const shown = world.git.user.get(ref);
      // What is merged and shown already stays shown.
      const isAhead =
        ref === `refs/czar/integration/${intent.run}` &&
        shown !== undefined &&
        world.git.isAncestor(commit, shown);
      if (!isAhead) world.git.move('user', ref, commit);
      refs[ref] = commit;
      continue;
    }
    const mark = `refs/czar/published/${ref}`;
    const last = world.git.user.get(mark) ?? null;
    const found = world.git.user.get(ref) ?? null;
    if (found !== last && found !== commit) {
      diverged[ref] = 'the user moved it';
      continue;
    }
    world.git.move('user', ref, commit);
    world.git.move('user', mark, commit);
    refs[ref] = commit;
  }
  await place('moved');
  return { kind: 'published', run: intent.run, refs, diverged };
}

/** Branches of the remote, forward alone; others push there too. */
export async function push({ world, intent, place }: EffectOf<'push'>): Promise<Outcome> {
  const { run, refs } = intent;
  const { remote, git } = world;
  await place('look');
  if (remote === null) return { kind: 'pushed', run, remote: null, refs, left: {} };
  const left: Record<string, string> = {};
  if (!world.calm && world.delay.chance(0.1)) strangers(world, Object.keys(refs));
  for (const [ref, commit] of Object.entries(refs)) {
    const from = remote.get(ref) ?? null;
    if (from === commit) continue;
    if (from !== null && !git.isAncestor(from, commit)) {
      left[ref] = 'non-fast-forward';
      continue;
    }
    remote.set(ref, commit);
    world.pushes.push({ ref, from, to: commit });
    await place('pushed-one');
  }
  return { kind: 'pushed', run, remote: 'origin', refs, left };
}

/** Somebody else pushes to one of the branches, or makes it. */
function strangers({ remote, git, delay }: World, refs: readonly string[]): void {
  const ref = delay.pick(refs);
  const commit = remote?.get(ref) ?? git.user.get('refs/heads/main') ?? '';
  const files = new Map(git.files(git.look(commit).tree)).set('strange.txt', 'b-strange');
  remote?.set(ref, git.commit(git.tree(files), [commit], `a stranger ${ref}`));
}

export async function buildLanding({
  world,
  intent,
  place,
}: EffectOf<'build-landing'>): Promise<Outcome> {
  const { run, target, onto, tip, mode } = intent;
  const refused = (reason: string, files: readonly string[] = []): Outcome => ({
    kind: 'landing-refused',
    run,
    reason,
    files,
  });
  await place('look');
  const now = world.git.user.get(`refs/heads/${target}`);
  if (intent.sync === true) {
    if (now === undefined || !world.git.isAncestor(tip, now))
      return refused(`${target} has moved meanwhile`);
    if (world.git.isAncestor(tip, onto)) return refused('the run has everything already');
    const merged = world.git.merge(onto, tip);
    if (merged.kind === 'conflict') return refused('it conflicts', merged.files);
    const commit = world.git.commit(merged.tree, [onto, tip], `sync ${run} ${intent.date}`);
    await place('before-candidate');
    world.git.move('mirror', `refs/czar/candidate/${run}/sync@`, commit);
    return built(commit);
  }
  if (now !== onto) return refused(`${target} has moved meanwhile`);
  if (world.git.isAncestor(tip, onto)) return refused(`${target} has everything already`);
  if (mode === 'ff') {
    if (!world.git.isAncestor(onto, tip)) return refused(`${target} has commits of its own`);
    return built(tip);
  }
  const merged = world.git.merge(onto, tip);
  if (merged.kind === 'conflict') return refused('it conflicts', merged.files);
  const parents = mode === 'squash' ? [onto] : [onto, tip];
  const commit = world.git.commit(merged.tree, parents, `land ${run} ${intent.date}`);
  await place('before-ref');
  world.git.move('mirror', `refs/czar/landing/${run}`, commit);
  return built(commit);

  function built(commit: string): Outcome {
    return {
      kind: 'landing-built',
      run,
      date: intent.date,
      commit,
      tree: world.git.look(commit).tree,
    };
  }
}

export async function commitLanding({
  world,
  intent,
  place,
}: EffectOf<'commit-landing'>): Promise<Outcome> {
  const { run, target, onto, commit } = intent;
  if (intent.sync === true) return commitSync(world, intent, place);
  const ref = `refs/heads/${target}`;
  await place('before-cas');
  const found = world.git.user.get(ref) ?? '';
  const mark = `refs/czar/landed/${run}`;
  const carried = world.git.user.get(mark) === commit && world.git.isAncestor(commit, found);
  if (found !== commit && !carried) {
    if (found !== onto)
      return { kind: 'landing-refused', run, reason: `${target} has moved meanwhile`, files: [] };
    world.git.move('user', ref, commit, onto);
    world.git.move('user', mark, commit);
  }
  await place('after-cas');
  return { kind: 'landed', run, commit };
}

/** Integration moves from exactly what the merge was built on. */
async function commitSync(
  { git }: World,
  { run, onto, commit }: { readonly run: string; readonly onto: string; readonly commit: string },
  place: (name: string) => Promise<void>,
): Promise<Outcome> {
  const ref = `refs/czar/integration/${run}`;
  await place('before-cas');
  const found = git.mirror.get(ref) ?? null;
  const done = found !== null && git.isAncestor(commit, found);
  if (!done && !git.move('mirror', ref, commit, found === null ? null : onto))
    return { kind: 'landing-refused', run, reason: 'integration has moved meanwhile', files: [] };
  await place('after-cas');
  return { kind: 'landed', run, commit };
}
