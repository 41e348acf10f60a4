/**
 * Brings every commit of a worker's repository into the mirror and holds each by a ref (S7): branches, HEAD, stash,
 * tags, and what only a reflog or an unfinished merge names, also when the agent rewrote history since.
 *
 * Git never opens the worker's repository. Its refs are read as text, and a repository of ours, made for this one
 * fetch, borrows its objects: so no config, hook, hidden ref or FIFO of the agent's takes part. Objects are checked on
 * the way in.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CloneRefs } from '../trees/clone-files.ts';
import { inMirror, reach } from '../context.ts';
import type { GitContext } from '../context.ts';
import { git, gitFailure, output } from '../git.ts';
import type { GitCall, GitResult } from '../git.ts';
import type { TreeRepository } from '../trees/isolation.ts';
import { isAncestor } from '../history.ts';
import {
  deleteRefs,
  integrationRef,
  isBranchName,
  listRefs,
  readRef,
  setRefs,
  workRef,
} from '../refs.ts';
import { assertWorkSize } from './work-size.ts';

const fetchTimeoutMs = 30 * 60_000;

export type Held =
  | {
      readonly kind: 'held';
      /** Branch that HEAD is on, without `refs/heads/`; null when it is detached. */
      readonly branch: string | null;
      /** Commit of HEAD; null when its branch has none yet. */
      readonly head: string | null;
      /** Commit of the worker's branch; null when it is not there. */
      readonly tip: string | null;
      /** Refs whose commits are missing or damaged. */
      readonly broken: readonly string[];
    }
  /** Its repository cannot be read; one sentence why. `mayHold`: commits may be in it all the same. */
  | { readonly kind: 'unreadable'; readonly why: string; readonly mayHold: boolean };

/** Holds all commits of a tree's repository. For use inside `failing`. */
export async function holdCommits(
  context: GitContext,
  options: {
    readonly run: string;
    readonly worker: string;
    readonly attempt: number;
    readonly repository: TreeRepository;
    readonly branch: string;
    readonly base: string;
    /** Bytes of new objects that are brought home at most; whatever it takes when left out. */
    readonly mostBytes?: number;
    /** What the repository that borrows the objects is called: calls of one name exclude each other. */
    readonly view?: string;
  },
): Promise<Held> {
  const state = await options.repository.state();
  if (state.kind === 'gone') return unreadable('its .git is gone', false);
  if (state.kind === 'unsafe') return unreadable(state.why, true);
  const found = await options.repository.refs(options.branch);
  if (found.head === null && found.refs.size === 0 && found.mentioned.size === 0) {
    return unreadable('its repository is empty', false);
  }

  await reach(context, 'collect:before-hold');
  const view = await makeView(context, options);
  try {
    const broken = await bringHome(context, { ...options, view, found });
    await reach(context, 'collect:after-hold');
    const branchRef = `refs/heads/${options.branch}`;
    const headRef = found.branch === null ? 'HEAD' : `refs/heads/${found.branch}`;
    for (const ref of [branchRef, headRef]) {
      if (broken.has(ref)) return unreadable(`${ref} is damaged`, true);
    }
    return {
      kind: 'held',
      branch: found.branch,
      head: found.head,
      tip: found.refs.get(branchRef) ?? null,
      broken: [...broken],
    };
  } finally {
    await rm(view, { recursive: true, force: true });
  }
}

/** Why there may be commits that are not held; null when all are. */
export function unreadCommits(held: Held): string | null {
  return held.kind === 'unreadable' && held.mayHold ? held.why : null;
}

function unreadable(why: string, mayHold: boolean): Held {
  return { kind: 'unreadable', why, mayHold };
}

async function bringHome(
  context: GitContext,
  options: {
    readonly run: string;
    readonly worker: string;
    readonly attempt: number;
    readonly base: string;
    readonly repository: TreeRepository;
    readonly mostBytes?: number;
    readonly view: string;
    readonly found: CloneRefs;
  },
): Promise<ReadonlySet<string>> {
  const prefix = workRef(options.run, options.worker, options.attempt);
  const tagged = [...options.found.refs.keys()].some((name) => name.startsWith('refs/tags/'));
  const userTags = tagged ? await listRefs(context, 'refs/user/tags/') : new Map<string, string>();
  const wanted = new Map<string, { ref: string; id: string }>();
  for (const [name, id] of options.found.refs) {
    if (name.startsWith('refs/remotes/') || name.startsWith('refs/czar/')) continue;
    if (
      name.startsWith('refs/tags/') &&
      userTags.get(name.replace('refs/tags/', 'refs/user/tags/')) === id
    )
      continue;
    wanted.set(name, { ref: `${prefix}/${homeName(name, id)}`, id });
  }
  if (options.found.head !== null)
    wanted.set('HEAD', { ref: `${prefix}/HEAD`, id: options.found.head });

  const call: GitCall = { ...inMirror(context), cwd: options.view, gitDir: options.view };
  const asked = [...[...wanted.values()].map((each) => each.id), ...options.found.mentioned];
  const types = await typesOf([...asked, options.base], call);
  const broken = new Set<string>();
  for (const [name, { id }] of wanted) {
    if (types.has(id)) continue;
    broken.add(name);
    wanted.delete(name);
  }
  const held = new Set([...[...wanted.values()].map((each) => each.id), options.base]);
  const isCommit = (id: string): boolean => types.get(id) === 'commit';
  const named = [...options.found.mentioned].filter((id) => isCommit(id) && !held.has(id));
  for (const id of await lonely(named, [...held].filter(isCommit), call)) {
    wanted.set(id, { ref: `${prefix}/seen/${id}`, id });
  }
  if (options.mostBytes !== undefined) {
    const ids = [...wanted.values()].map((each) => each.id);
    // An attempt that went on in its tree may have begun at a commit that was too much already.
    const names = [integrationRef(options.run), `${options.base}^{commit}`];
    const known = await Promise.all(names.map((name) => readRef(context, name)));
    const { repository, mostBytes: most } = options;
    await assertWorkSize(call, {
      repository,
      ids,
      known: known.filter((id) => id !== null),
      most,
    });
  }
  const superseded = await holdSuperseded(context, prefix, wanted);
  for (const name of await fetchInto(context, options.view, wanted)) broken.add(name);
  await deleteRefs(context, await nowReachable(context, superseded));
  return broken;
}

/** Commits among the named that no held one leads to: the newest of each line. */
async function lonely(
  named: readonly string[],
  held: readonly string[],
  call: GitCall,
): Promise<readonly string[]> {
  if (named.length === 0) return [];
  // Older gits take no `--not` here.
  const input = [...named, ...held.map((id) => `^${id}`), ''].join('\n');
  const walked = await git(['rev-list', '--parents', '--stdin'], { ...call, input });
  if (walked.trouble !== null) throw gitFailure(['rev-list'], walked);
  // A broken history: each is tried by itself.
  if (walked.code !== 0) return named;
  const parents = new Set<string>();
  const commits: string[] = [];
  for (const each of walked.stdout.toString('utf8').split('\n')) {
    const [commit = '', ...above] = each.split(' ');
    if (commit === '') continue;
    commits.push(commit);
    for (const parent of above) parents.add(parent);
  }
  return commits.filter((commit) => !parents.has(commit));
}

/** Types of those ids that are there. */
async function typesOf(
  ids: readonly string[],
  call: GitCall,
): Promise<ReadonlyMap<string, string>> {
  const input = `${[...new Set(ids)].join('\n')}\n`;
  const found = (await output(['cat-file', '--batch-check'], { ...call, input })).toString('utf8');
  const types = new Map<string, string>();
  for (const each of found.split('\n')) {
    const [id = '', type = 'missing'] = each.split(' ');
    if (type !== 'missing') types.set(id, type);
  }
  return types;
}

/** Commits that earlier collecting held under a name that now stands elsewhere get a ref of their own first. */
async function holdSuperseded(
  context: GitContext,
  prefix: string,
  wanted: ReadonlyMap<string, { readonly ref: string; readonly id: string }>,
): Promise<{ ref: string; old: string; now: string }[]> {
  const before = await listRefs(context, `${prefix}/`);
  const superseded: { ref: string; old: string; now: string }[] = [];
  for (const { ref, id } of wanted.values()) {
    const old = before.get(ref);
    if (old !== undefined && old !== id)
      superseded.push({ ref: `${prefix}/seen/${old}`, old, now: id });
  }
  const firsts = new Set<string>();
  const fresh = superseded.filter((each) => {
    if (before.has(each.ref) || firsts.has(each.ref)) return false;
    firsts.add(each.ref);
    return true;
  });
  await setRefs(context, new Map(fresh.map((each) => [each.ref, each.old])));
  return fresh;
}

async function nowReachable(
  context: GitContext,
  superseded: readonly { readonly ref: string; readonly old: string; readonly now: string }[],
): Promise<string[]> {
  const done: string[] = [];
  for (const { ref, old, now } of superseded) {
    const reachable = await isAncestor(context, old, now).catch(() => false);
    if (reachable) done.push(ref);
  }
  return done;
}

/**
 * Fetches all at once, or one by one when a damaged one spoils it; gives the names that could not be had. A fetch that
 * was ended before it could say so is no damage: it throws.
 */
async function fetchInto(
  context: GitContext,
  view: string,
  wanted: ReadonlyMap<string, { readonly ref: string; readonly id: string }>,
): Promise<string[]> {
  if (wanted.size === 0) return [];
  const packed = [...wanted.values()].map(({ ref, id }) => `${id} ${ref}`).sort(byRef);
  await writeFile(
    join(view, 'packed-refs'),
    ['# pack-refs with: sorted ', ...packed, ''].join('\n'),
  );
  const checked = ['-c', 'fetch.fsckObjects=true', '-c', 'transfer.fsckObjects=true'];
  const quiet = [
    '-q',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--update-shallow',
  ];
  const fetch = (refspecs: readonly string[]): Promise<GitResult> =>
    git([...checked, 'fetch', ...quiet, view, ...refspecs], {
      ...inMirror(context),
      timeoutMs: fetchTimeoutMs,
    });
  const refs = [...wanted];
  const all = await fetch(refs.map(([, { ref }]) => `+${ref}:${ref}`));
  if (all.trouble !== null) throw gitFailure(['fetch'], all);
  if (all.code === 0) return [];
  if (refs.length === 1) return refs.map(([name]) => name);
  const failed: string[] = [];
  for (const [name, { ref }] of refs) {
    const one = await fetch([`+${ref}:${ref}`]);
    if (one.trouble !== null) throw gitFailure(['fetch'], one);
    if (one.code !== 0) failed.push(name);
  }
  return failed;
}

/** An empty repository that borrows the objects of the tree and of the mirror. */
async function makeView(
  context: GitContext,
  options: {
    readonly run: string;
    readonly worker: string;
    readonly repository: TreeRepository;
    readonly base: string;
    readonly view?: string;
  },
): Promise<string> {
  const { run, worker, view: name = worker } = options;
  const view = join(context.state, 'views', `${run}.${name}.git`);
  await rm(view, { recursive: true, force: true });
  for (const folder of ['objects/info', 'refs'])
    await mkdir(join(view, folder), { recursive: true });
  const sha256 = options.base.length === 64;
  const format = sha256 ? '[extensions]\n\tobjectformat = sha256\n' : '';
  const version = sha256 ? 1 : 0;
  await writeFile(
    join(view, 'config'),
    `[core]\n\trepositoryformatversion = ${version}\n\tbare = true\n${format}`,
  );
  await writeFile(join(view, 'HEAD'), 'ref: refs/heads/none\n');
  const objects = [...options.repository.objects, join(context.mirror, 'objects')];
  await writeFile(join(view, 'objects/info/alternates'), `${objects.map(alternate).join('\n')}\n`);
  return view;
}

function alternate(path: string): string {
  return /^["#]|[\n\\]/.test(path) ? JSON.stringify(path) : path;
}

/** Flat, so that a branch `x` and a later `x/y` never stand in each other's way. */
function homeName(name: string, id: string): string {
  const [, kind = '', rest = ''] = /^refs\/([^/]+)\/?(.*)$/.exec(name) ?? [];
  if (name === 'refs/stash') return 'stash';
  const plain = encodeURIComponent(rest === '' ? kind : rest).replace(/[!'()*~]/g, '_');
  const folder = kind === 'heads' || kind === 'tags' ? kind : `other/${encodeURIComponent(kind)}`;
  const home = `${folder}/${plain}`;
  return isBranchName(home) ? home : `seen/${id}`;
}

function byRef(one: string, other: string): number {
  const name = (text: string): string => text.slice(text.indexOf(' ') + 1);
  return Buffer.compare(Buffer.from(name(one)), Buffer.from(name(other)));
}
