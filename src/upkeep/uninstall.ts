/**
 * Removing czar from a repository: what no branch of the user's holds is brought into the mirror, from there into a
 * bundle that is verified, and only then exactly what czar made is removed, the log last. Killed at any point it can be
 * called again and goes on: what is removed first can be made out again from what is removed last.
 */
import { existsSync } from 'node:fs';
import { readdir, rename, rm, rmdir } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { dirname, join, relative, resolve } from 'node:path';
import { definitionOf, type RepositoryState } from '../core/state.ts';
import { crashPoint } from '../daemon/crash-point.ts';
import { holdLog, type HeldLog } from '../daemon/hold-log.ts';
import { diedHolder, isThere } from '../daemon/holder.ts';
import type { Place } from '../daemon/place.ts';
import { captureRules } from '../daemon/perform/work.ts';
import { isolationOf, socketPath } from '../daemon/workplace.ts';
import { checkRoot } from '../gates/check-environment.ts';
import { checkouts } from '../git/checkouts.ts';
import { inUserRepository, reach, type GitContext } from '../git/context.ts';
import { quietly } from '../git/deliver.ts';
import { allDeleted } from '../git/trees/discard.ts';
import { failing, failure, output, type Failed } from '../git/git.ts';
import { keepFiles, keepTree } from '../git/collecting/keep.ts';
import { ensureMirror } from '../git/mirror.ts';
import { publishedRef } from '../git/publish.ts';
import { fallbackIdentity, inspectRepository } from '../git/repository.ts';
import { removeFolder } from '../git/trees/remove-folder.ts';
import type { Owner } from '../journal/lock.ts';
import { appendAlone } from './append-alone.ts';
import { holdsAll, unmergedIn, writeBundle, type Unmerged } from './bundle.ts';
import { checkLeavings } from './check-trees.ts';
import { refsOf } from './reachable.ts';
import { homesOf, liveRuns, livingAgents, standingTrees, type StandingTree } from './survey.ts';

/** What is about to be removed, for the person who decides. */
export interface Removal {
  readonly liveRuns: readonly string[];
  readonly unmerged: readonly Unmerged[];
  readonly trees: readonly string[];
  readonly branches: readonly string[];
}

export type Uninstalled =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'held'; readonly owner: Owner | null }
  | {
      readonly kind: 'refused';
      readonly what: string;
      readonly where: string | null;
      readonly next: string | null;
    }
  | { readonly kind: 'declined'; readonly removal: Removal }
  | {
      readonly kind: 'done';
      readonly removal: Removal;
      /** Null when everything is merged. */
      readonly bundle: string | null;
      /** Folder of files that lay aside; null when there were none. */
      readonly aside: string | null;
      /** What stays, each with why. */
      readonly left: readonly string[];
    }
  | Failed;

interface Order {
  readonly place: Place;
  readonly env: NodeJS.ProcessEnv;
  readonly now: number;
  /** Where the bundle goes, absolute; null for a name in the repository's root. */
  readonly out: string | null;
  /** Asked once before anything is removed. */
  readonly agree: (removal: Removal) => Promise<boolean>;
}

/** Name that the state gets before it is deleted, so that it is there whole or not at all. */
const removedName = 'czar.removed';

/** Removes it, when `agree` says so. */
export async function uninstall(order: Order): Promise<Uninstalled> {
  const { place, env } = order;
  const removed = join(place.commonDir, removedName);
  const guardian = diedHolder(place)?.daemon?.guardian ?? null;
  if (guardian !== null && isThere(guardian))
    return {
      kind: 'refused',
      what: 'the daemon of this repository has died, and its guardian is about to start it again',
      where: `pid ${guardian.pid}`,
      next: 'czar daemon stop when it is there again, in some seconds',
    };
  const held = holdLog(place);
  if (held === null) {
    if (existsSync(join(place.state, 'mirror.git')))
      return {
        kind: 'refused',
        what: 'the log is gone, so that nobody can tell what is in the mirror beside it',
        where: place.state,
        next: 'restore czar.db there, or delete that folder; what was merged or kept stands under refs/czar',
      };
    // Killed after the last step but one, or never begun.
    const half = existsSync(removed) || existsSync(place.state);
    await removeFolder(removed);
    await removeFolder(place.state);
    const removal = { liveRuns: [], unmerged: [], trees: [], branches: [] };
    return half
      ? { kind: 'done', removal, bundle: null, aside: null, left: [] }
      : { kind: 'nothing' };
  }
  if ('owner' in held) return { kind: 'held', owner: held.owner };
  using _held = held;
  const context = { ...held.git, point: crashPoint(env) };
  return await failing(() => remove(order, { held, context, removed }));
}

async function remove(
  { place, env, now, out, agree }: Order,
  { held, context, removed }: { held: HeldLog; context: GitContext; removed: string },
): Promise<Uninstalled> {
  const state = held.journal.load();
  const agents = livingAgents(state);
  if (agents.length > 0)
    return {
      kind: 'refused',
      what: 'agents are still at work',
      where: agents.join(', '),
      next: 'czar cancel ends them with their work kept; czar run waits for them',
    };
  const { known, strange } = await standingTrees(place, state);
  const [stranger] = strange;
  if (stranger !== undefined)
    return {
      kind: 'refused',
      what: 'a working tree says that it is of a run that the log does not know, and nobody can tell what is in it',
      where: stranger.path,
      next: 'look for work in it, then move it away or delete it',
    };
  succeed(await ensureMirror(context));
  await keepStanding(context, { known, now });
  // What was kept just now, and branches as they are.
  const { unmerged, survivors } = await unmergedIn(context);
  const branches = await ownBranches(context, state);
  const removal: Removal = {
    liveRuns: liveRuns(state).map(({ id }) => id),
    unmerged,
    trees: known.map(({ path }) => path),
    branches: branches.map(({ ref }) => ref.slice('refs/heads/'.length)),
  };
  if (!(await agree(removal))) return { kind: 'declined', removal };
  const bundle = await bundled({ place, now, out }, { held, context, unmerged, survivors });
  const left = await deleteRefs(context, branches);
  await reach(context, 'uninstall:after-refs');
  for (const tree of known) await release(context, tree);
  await allDeleted();
  await reach(context, 'uninstall:after-trees');
  for (const home of homesOf(place, state)) left.push(...(await clearHome(place.root, home)));
  for (const path of await checkLeavings(context, checkRoot(env))) await removeFolder(path);
  await reach(context, 'uninstall:after-home');
  const aside = await moveAside(context, bundle?.file ?? bundleName(place, now, out));
  const socket = socketPath(env, place.state, (text) =>
    createHash('sha256').update(text).digest('hex'),
  );
  await rm(socket, { force: true });
  await reach(context, 'uninstall:before-state');
  await removeFolder(removed);
  await rename(context.state, removed);
  await reach(context, 'uninstall:after-rename');
  await removeFolder(removed);
  return { kind: 'done', removal, bundle: bundle?.file ?? null, aside, left };
}

/** Brings into the mirror what trees hold that is nowhere else. */
async function keepStanding(
  context: GitContext,
  { known, now }: { readonly known: readonly StandingTree[]; readonly now: number },
): Promise<void> {
  const found = await inspectRepository({ directory: context.root });
  const identity = found.kind === 'repository' ? found.facts.identity : fallbackIdentity;
  for (const { path, run, worker } of known) {
    const rules = captureRules({ git: context }, run, {
      worker: worker.id,
      attempt: worker.attempts,
    });
    const of = { run: run.id, worker: worker.id, identity, now, rules };
    const why = `what the tree of ${worker.id} held when czar was removed`;
    if (definitionOf(run, worker.id).workspace === 'empty')
      succeed(await keepFiles(context, { ...of, why, dir: path }));
    else {
      const repository = isolationOf(run).repository(context, path);
      const base = worker.attempt?.base ?? run.base.commit;
      await keepTree(context, {
        ...of,
        why,
        attempt: worker.attempts,
        tree: path,
        repository,
        base,
      });
    }
    await reach(context, 'uninstall:after-keep');
  }
}

/** Makes the bundle unless an earlier call did, and says in the log what happens now. */
async function bundled(
  { place, now, out }: Pick<Order, 'place' | 'now' | 'out'>,
  of: {
    readonly held: HeldLog;
    readonly context: GitContext;
    readonly unmerged: readonly Unmerged[];
    readonly survivors: readonly string[];
  },
): Promise<{ readonly file: string } | null> {
  const { held, context, unmerged, survivors } = of;
  const [last] = held.journal.read({ newestFirst: true, limit: 1 });
  const before = last?.type === 'uninstall.started' ? last.data.bundle : null;
  if (before !== null) {
    const file = resolve(place.root, before);
    if (existsSync(file) && (await holdsAll(context, file, unmerged))) return { file };
  }
  const file = unmerged.length === 0 ? null : bundleName(place, now, out);
  if (file !== null) await writeBundle(context, { file, unmerged, survivors });
  await reach(context, 'uninstall:before-event');
  const bundle = file === null ? null : relative(place.root, file);
  appendAlone(held, { type: 'uninstall.started', data: { by: 'user', bundle } }, now);
  await reach(context, 'uninstall:after-event');
  return file === null ? null : { file };
}

/** `czar-work-<date>.bundle` in the repository's root, with a number where that is taken. */
function bundleName(place: Place, now: number, out: string | null): string {
  if (out !== null) return out;
  const date = new Date(now).toISOString().slice(0, 10);
  const name = (n: number): string =>
    join(place.root, `czar-work-${date}${n === 1 ? '' : `-${n}`}.bundle`);
  let n = 1;
  while (existsSync(name(n))) n += 1;
  return name(n);
}

interface OwnBranch {
  readonly ref: string;
  readonly commit: string;
  /** Why it stays; null when it goes. */
  readonly stays: string | null;
}

/** Branches below `czar/` that czar put where they are. */
async function ownBranches(
  context: GitContext,
  state: RepositoryState,
): Promise<readonly OwnBranch[]> {
  const call = inUserRepository(context);
  const branches = await refsOf(call, 'refs/heads/czar/');
  const published = await refsOf(call, 'refs/czar/published/');
  const taken = await checkouts(context);
  const own = (ref: string): boolean =>
    published.has(publishedRef(ref)) ||
    [...state.runs.keys()].some(
      (run) =>
        ref.startsWith(`refs/heads/czar/${run}/`) || ref === `refs/heads/czar/${run}-integration`,
    );
  return [...branches].flatMap(([ref, commit]): readonly OwnBranch[] => {
    if (!own(ref)) return [];
    const out = taken.some((one) => one.ref === ref && !one.own);
    const written = published.get(publishedRef(ref));
    const moved = written !== undefined && written !== commit;
    const stays = out ? 'it is checked out' : moved ? 'it was moved by someone else' : null;
    return [{ ref, commit, stays }];
  });
}

/** Deletes czar's refs and branches of the user's repository; gives those that stay. */
async function deleteRefs(context: GitContext, branches: readonly OwnBranch[]): Promise<string[]> {
  const call = inUserRepository(context);
  // A branch on which a tree of a worker stands goes with it: git asks no checkout here.
  const refs = [
    ...branches.filter(({ stays }) => stays === null).map(({ ref, commit }) => [ref, commit]),
    ...(await refsOf(call, 'refs/czar/')),
  ];
  const input = refs.map(([ref = '', commit = '']) => `delete ${ref}\0${commit}\0`).join('');
  const args = [...quietly, 'update-ref', '--no-deref', '--stdin', '-z'];
  if (refs.length > 0) await output(args, { ...call, input });
  return branches.flatMap(({ ref, stays }) => (stays === null ? [] : [`${ref}: ${stays}`]));
}

async function release(context: GitContext, { path, run }: StandingTree): Promise<void> {
  const isolation = isolationOf(run);
  await (
    await isolation.release(context, path)
  ).deleted;
  if (existsSync(path)) await removeFolder(path);
}

/** Removes what was generated in the home; gives what stays of those folders. */
async function clearHome(root: string, home: string): Promise<readonly string[]> {
  const made: Readonly<Record<string, RegExp>> = {
    worktrees: /^(?:\.gitignore|\.spare|\.trash|\.making-.*)$/,
    logs: /^(?:\.gitignore|events\.(?:log|jsonl)(?:\.position)?(?:\.new)?|daemon\.log(?:\.\d+|\.new)?)$/,
    runs: /^(?:\.gitignore|\d{8}-\d+)$/,
  };
  const left: string[] = [];
  for (const [name, own] of Object.entries(made)) {
    const folder = join(home, name);
    const names = await readdir(folder).catch(() => []);
    const others = names.filter((each) => !own.test(each));
    // What is not czar's goes on being ignored.
    const gone = names.filter(
      (each) => own.test(each) && (others.length === 0 || each !== '.gitignore'),
    );
    for (const each of gone) await removeFolder(join(folder, each));
    await rmdir(folder).catch(() => undefined);
    left.push(
      ...others.map((each) => `${relative(root, join(folder, each))}: czar did not make it`),
    );
  }
  return left;
}

/** Moves files that are in no commit beside the bundle; null when there are none. */
async function moveAside(context: GitContext, bundle: string): Promise<string | null> {
  const from = join(context.state, 'aside');
  if (!existsSync(from)) return null;
  const base = join(
    dirname(bundle),
    bundle.slice(dirname(bundle).length + 1).replace(/\.bundle$/, ''),
  );
  let to = `${base}-aside`;
  for (let n = 2; existsSync(to); n += 1) to = `${base}-aside-${n}`;
  await rename(from, to);
  return to;
}

function succeed<T extends { readonly kind: string }>(result: T | Failed): T {
  if (result.kind === 'failed' && 'error' in result) throw failure(result.error);
  return result as T;
}
