/**
 * Deleting what old runs hold, in steps between which anything may happen. Written from what `prune` promises: a ref goes
 * only when something else leads to its commit, kept work only when its time is over or a person dropped it.
 */
import { isPrunable } from '../src/core/decide/prune.ts';
import type { PrunedRef } from '../src/core/events.ts';
import type { RunState } from '../src/core/state.ts';
import type { Retention } from '../src/plan/config-file.ts';
import type { Deleting } from '../src/upkeep/pruning.ts';
import { placesOf } from './effect-context.ts';
import type { SimGit } from './git.ts';
import type { Random } from './random.ts';
import type { Owner, World } from './world.ts';

/** What a person may have configured. */
export function retentionOf(random: Random): Retention {
  return {
    runs: random.below(2),
    outputsMs: random.pick([null, 0, 60_000]),
    keptMs: random.pick([null, null, 0, 600_000]),
  };
}

/** The deletion of one owner. */
export function deleter(world: World, owner: Owner): Deleting {
  return async ({ state, retention, signal, say }) => {
    const place = placesOf(world, owner, 'prune', { signal });
    const ended = [...state.runs.values()].filter(isPrunable);
    const past = (ms: number | null): readonly RunState[] =>
      ms === null ? [] : ended.filter((run) => (run.endedAt ?? Infinity) + ms <= world.wall);
    const newest = [...state.runs.values()].toSorted((a, b) => b.startedAt - a.startedAt);
    const recent = new Set(newest.slice(0, retention.runs));
    const old = ended.filter((run) => !recent.has(run));
    const outputs = past(retention.outputsMs).map(({ id }) => id);
    const { refs, left } = refsOf(world.git, { ended, old, kept: past(retention.keptMs) });
    const plan = {
      runs: ended.map(({ id }) => id),
      outputs: outputs.map((run) => ({ run, path: run, bytes: 0 })),
      aside: [],
      refs,
      left,
    };
    const done = { kind: 'done', plan, bytes: 0, problems: [] } as const;
    if (refs.length === 0 && outputs.length === 0) return done;
    await place('before-event');
    const runs = plan.runs;
    const begun = await say({ kind: 'prune', by: 'user', runs, outputs, refs, aside: [] });
    if (!begun.ok) return { kind: 'refused', rejection: begun.rejection };
    for (const one of refs) {
      await place('before-ref');
      world.git.remove(one.in === 'mirror' ? 'mirror' : 'user', one.ref, one.commit);
    }
    for (const run of outputs) {
      await place('before-folder');
      for (const folder of world.attempts.values()) if (folder.run === run) folder.pruned = true;
    }
    await place('before-done');
    const ends = await say({
      kind: 'pruned',
      outputs: outputs.length,
      refs: refs.length,
      bytes: 0,
    });
    return ends.ok ? done : { kind: 'failed', error: ends.rejection.what };
  };
}

function refsOf(
  git: SimGit,
  of: {
    readonly ended: readonly RunState[];
    readonly old: readonly RunState[];
    readonly kept: readonly RunState[];
  },
): { readonly refs: readonly PrunedRef[]; readonly left: { ref: string; why: string }[] } {
  const all = [
    ...[...git.user].map(([ref, commit]) => ({ in: 'repository', ref, commit }) as const),
    ...[...git.mirror].map(([ref, commit]) => ({ in: 'mirror', ref, commit }) as const),
  ];
  const under = (runs: readonly RunState[], kind: string): readonly PrunedRef[] =>
    all.filter(({ ref }) => runs.some(({ id }) => ref.startsWith(`refs/czar/${kind}/${id}/`)));
  const discarded = [...under(of.kept, 'kept'), ...under(of.ended, 'dropped')];
  const candidates = all.filter((one) => of.old.some((run) => isMade(git, run.id, one)));
  const going = new Set([...discarded, ...candidates]);
  const survivors = all.filter((one) => !going.has(one));
  const goes = ({ commit }: PrunedRef): boolean =>
    survivors.some((one) => git.isAncestor(commit, one.commit));
  return {
    refs: [...candidates.filter(goes), ...discarded],
    left: candidates.filter((one) => !goes(one)).map(({ ref }) => ({ ref, why: 'not landed' })),
  };
}

/** Whether czar made the ref for the run, and it stands where czar last put it. */
function isMade(git: SimGit, run: string, { in: place, ref, commit }: PrunedRef): boolean {
  if (place === 'mirror')
    return ['integration', 'candidate', 'landing', 'work'].some((kind) =>
      `${ref}/`.startsWith(`refs/czar/${kind}/${run}/`),
    );
  const branch = ref.replace('refs/czar/published/', '');
  const mine =
    branch.startsWith(`refs/heads/czar/${run}/`) || branch === `refs/heads/czar/${run}-integration`;
  const published = git.user.get(`refs/czar/published/${branch}`);
  return mine && git.user.get(branch) === published && commit === published;
}
