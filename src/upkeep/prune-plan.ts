/**
 * What `prune` would delete. A branch or ref goes only when its commit is landed, or reachable without any of the refs
 * that could go with it; kept work goes only when the configuration gives it a time or a person dropped it; a run that
 * lives loses nothing.
 */
import { join } from 'node:path';
import { isPrunable } from '../core/decide/prune.ts';
import type { PrunedRef } from '../core/events.ts';
import type { RepositoryState, RunState } from '../core/state.ts';
import { checkouts } from '../git/checkouts.ts';
import { inMirror, inUserRepository, type GitContext } from '../git/context.ts';
import { failing, type Failed } from '../git/git.ts';
import { publishedRef } from '../git/publish.ts';
import { isThere } from '../git/trees/discard.ts';
import type { Retention } from '../plan/config-file.ts';
import { folderBytes } from './folder-bytes.ts';
import { reachableFrom, refsOf } from './reachable.ts';

export interface PrunePlan {
  /** Runs that may lose something. */
  readonly runs: readonly string[];
  readonly outputs: readonly PrunedFolder[];
  readonly aside: readonly PrunedFolder[];
  readonly refs: readonly PrunedRef[];
  /** Refs of old runs that stay, and why. */
  readonly left: readonly { readonly ref: string; readonly why: string }[];
}

/** A folder of one run that goes. */
export interface PrunedFolder {
  readonly run: string;
  readonly path: string;
  readonly bytes: number;
}

/** Looks at what there is to delete. */
export async function planPrune(
  git: GitContext,
  options: {
    readonly state: RepositoryState;
    readonly retention: Retention;
    /** Milliseconds since 1970. */
    readonly now: number;
  },
): Promise<({ readonly kind: 'plan' } & PrunePlan) | Failed> {
  return failing(async () => {
    const { state, retention, now } = options;
    const ended = [...state.runs.values()].filter(isPrunable);
    const past = (ms: number | null): readonly RunState[] =>
      ms === null ? [] : ended.filter(({ endedAt }) => endedAt !== null && endedAt + ms <= now);
    const named = [...state.runs.values()].toSorted((a, b) => b.startedAt - a.startedAt);
    const recent = new Set(named.slice(0, retention.runs).map(({ id }) => id));
    const old = ended.filter(({ id }) => !recent.has(id));
    const keptOf = past(retention.keptMs);
    const printed = past(retention.outputsMs);
    const runs = new Set([...old, ...keptOf, ...printed].map(({ id }) => id));
    const there = await isThere(git.mirror);
    const kept = there ? await refsOfRuns(git, 'kept', keptOf) : [];
    const dropped = there ? await refsOfRuns(git, 'dropped', ended) : [];
    const { refs, left } = there
      ? await oldRefs(git, { old, kept: [...kept, ...dropped] })
      : { refs: [], left: [] };
    return {
      kind: 'plan',
      runs: [...new Set([...runs, ...runsOf(dropped)])],
      outputs: await foldersOf(printed, (run) => join(git.home, 'runs', run)),
      aside: await foldersOf(keptOf, (run) => join(git.state, 'aside', run)),
      refs: [...refs, ...kept, ...dropped],
      left,
    };
  });
}

/** Whether there is nothing to delete. */
export function isEmpty({ outputs, aside, refs }: PrunePlan): boolean {
  return outputs.length === 0 && aside.length === 0 && refs.length === 0;
}

async function foldersOf(
  runs: readonly RunState[],
  folder: (run: string) => string,
): Promise<readonly PrunedFolder[]> {
  const found: PrunedFolder[] = [];
  for (const { id } of runs) {
    const path = folder(id);
    if (await isThere(path)) found.push({ run: id, path, bytes: await folderBytes(path) });
  }
  return found;
}

/** Refs of runs, in both repositories, for what was kept, or was and a person dropped it. */
async function refsOfRuns(
  git: GitContext,
  kind: 'kept' | 'dropped',
  runs: readonly RunState[],
): Promise<readonly PrunedRef[]> {
  if (runs.length === 0) return [];
  const prefixes = runs.map(({ id }) => `refs/czar/${kind}/${id}/`);
  return [
    ...listed('mirror', await refsOf(inMirror(git), ...prefixes)),
    ...listed('repository', await refsOf(inUserRepository(git), ...prefixes)),
  ];
}

/** Runs that refs of what was dropped are of. */
function runsOf(refs: readonly PrunedRef[]): readonly string[] {
  return refs.map(({ ref }) => ref.split('/')[3] ?? '');
}

async function oldRefs(
  git: GitContext,
  of: { readonly old: readonly RunState[]; readonly kept: readonly PrunedRef[] },
): Promise<Pick<PrunePlan, 'refs' | 'left'>> {
  const { old } = of;
  if (old.length === 0) return { refs: [], left: [] };
  const inUser = await refsOf(inUserRepository(git), ...old.flatMap(userPrefixes));
  const inOwn = await refsOf(inMirror(git), ...old.flatMap(mirrorPrefixes));
  const candidates = [...listed('repository', inUser), ...listed('mirror', inOwn)];
  const commits = candidates.map(({ commit }) => commit);
  // Whatever could go with them counts as gone already.
  const going = new Set([...inUser.keys(), ...of.kept.map(({ ref }) => ref)]);
  const users = await refsOf(inUserRepository(git), 'refs/heads/', 'refs/tags/');
  const survivors = [...users].flatMap(([ref, commit]) => (going.has(ref) ? [] : [commit]));
  const byUser = await reachableFrom(inUserRepository(git), { commits, survivors });
  const landed = await landedTips(git, { old, survivors });
  const own = [...(await refsOf(inMirror(git), 'refs/czar/'))].flatMap(([ref, commit]) =>
    inOwn.has(ref) || going.has(ref) ? [] : [commit],
  );
  // What was squashed is landed, but the mirror holds the commits themselves.
  const byOwn = await reachableFrom(inMirror(git), { commits, survivors: own });
  const byLanding = await reachableFrom(inMirror(git), { commits, survivors: landed });
  const out = new Set((await checkouts(git)).map(({ ref }) => ref));
  const refs: PrunedRef[] = [];
  const left: { ref: string; why: string }[] = [];
  const stays = (one: PrunedRef, why: string): void => void left.push({ ref: one.ref, why });
  for (const one of candidates) {
    const { ref, commit } = one;
    const isBranch = ref.startsWith('refs/heads/');
    const written = isBranch ? inUser.get(publishedRef(ref)) : undefined;
    if (isBranch && out.has(ref)) stays(one, 'it is checked out');
    else if (isBranch && written !== commit) stays(one, 'it was moved by someone else');
    else if (byUser.has(commit) || byOwn.has(commit)) refs.push(one);
    else if (one.in === 'repository' && byLanding.has(commit)) refs.push(one);
    else stays(one, 'what it holds is neither landed nor reachable otherwise');
  }
  // Where czar last put a branch is known as long as the branch is there.
  const staying = new Set(left.map(({ ref }) => ref));
  return {
    refs: refs.filter(({ ref }) => {
      const [, name] = /^refs\/czar\/(?:published|incoming)\/(.+)$/.exec(ref) ?? [];
      return name === undefined || !staying.has(`refs/heads/${decodeURIComponent(name)}`);
    }),
    left,
  };
}

/** Tips of integration whose landing is on a branch or tag, also when it was squashed. */
async function landedTips(
  git: GitContext,
  of: { readonly old: readonly RunState[]; readonly survivors: readonly string[] },
): Promise<readonly string[]> {
  const landings = of.old.flatMap(({ landed }) => (landed === null ? [] : [landed]));
  const { survivors } = of;
  const commits = landings.map(({ commit }) => commit);
  const there = await reachableFrom(inUserRepository(git), { commits, survivors });
  return landings.filter(({ commit }) => there.has(commit)).map(({ tip }) => tip);
}

/** Refs of a run in the user's repository that czar made; branches that the plan names are the user's. */
function userPrefixes({ id }: RunState): readonly string[] {
  return [
    `refs/heads/czar/${id}/`,
    `refs/heads/czar/${id}-integration`,
    `refs/czar/integration/${id}`,
    `refs/czar/snapshot/${id}`,
    `refs/czar/landing/${id}`,
    ...['incoming', 'published'].flatMap((kind) => [
      `refs/czar/${kind}/czar%2F${id}-integration`,
      `refs/czar/${kind}/czar%2F${id}%2F*`,
    ]),
  ];
}

function mirrorPrefixes({ id }: RunState): readonly string[] {
  return [
    `refs/czar/integration/${id}`,
    `refs/czar/candidate/${id}/`,
    `refs/czar/landing/${id}`,
    `refs/czar/work/${id}/`,
    `refs/czar/continued/${id}/`,
    `refs/czar/snapshot/${id}`,
    `refs/user/base/${id}`,
    `refs/user/landing/${id}`,
    // As the next run would do, which brings the user's refs up to date.
    `refs/user/heads/czar/${id}/`,
    `refs/user/heads/czar/${id}-integration`,
  ];
}

function listed(place: PrunedRef['in'], refs: ReadonlyMap<string, string>): readonly PrunedRef[] {
  return [...refs].map(([ref, commit]) => ({ in: place, ref, commit }));
}
