/**
 * What is true of the user's repository when a run starts, and the states in which czar does not start. Reads only:
 * nothing here takes a lock or refreshes an index.
 */
import { readdir, realpath, stat, statfs } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Identity } from './context.ts';
import { failing, fields, git, output } from './git.ts';
import type { Failed } from './git.ts';

export interface RepositoryFacts {
  /** Top folder of the checkout, absolute, links resolved. */
  readonly root: string;
  /** Git directory of this checkout: differs from `commonDir` in a linked worktree. */
  readonly gitDir: string;
  readonly commonDir: string;
  /** Branch that is checked out, without `refs/heads/`; null when HEAD is detached. */
  readonly branch: string | null;
  /** Commit of HEAD. */
  readonly head: string;
  readonly shallow: boolean;
  readonly objectFormat: 'sha1' | 'sha256';
  /** Changed and untracked files of the checkout, ignored ones not counted. */
  readonly dirty: readonly string[];
  /** The user's own name and address, or czar's when there is none. */
  readonly identity: Identity;
  /** URL of `origin`, absolute when it is a path; null without one. */
  readonly origin: string | null;
}

export type Inspection =
  | { readonly kind: 'repository'; readonly facts: RepositoryFacts }
  /** Not a state that czar works with. `passing`: it is one that passes by itself or by the user's hand. */
  | { readonly kind: 'refused'; readonly reason: string; readonly passing: boolean };

/** Name and address of commits when the user has none. */
export const fallbackIdentity: Identity = { name: 'czar', email: 'czar@localhost' };

/** How long git is given to finish a linked worktree that it is making, milliseconds. */
const makingMs = 2_000;

const networkFileSystems: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0xfe534d42, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0x517b, 'SMB'],
  [0x01021997, '9p'],
  [0x5346414f, 'AFS'],
  [0x00c36400, 'Ceph'],
]);

const inProgress: readonly (readonly [string, string])[] = [
  ['MERGE_HEAD', 'a merge is in progress'],
  ['rebase-merge', 'a rebase is in progress'],
  ['rebase-apply', 'a rebase or an `am` is in progress'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick is in progress'],
  ['REVERT_HEAD', 'a revert is in progress'],
];

/** Looks at the repository around a folder. */
export async function inspectRepository(options: {
  readonly directory: string;
  readonly signal?: AbortSignal;
}): Promise<Inspection | Failed> {
  return failing(() => inspect(options.directory, options.signal));
}

async function inspect(directory: string, signal: AbortSignal | undefined): Promise<Inspection> {
  const call = { cwd: directory, config: 'user', signal } as const;
  // The top last: where there is none, git says the rest before it fails.
  const asked = [
    '--is-bare-repository',
    '--is-inside-work-tree',
    '--is-shallow-repository',
    '--show-object-format',
    '--path-format=absolute',
    '--git-dir',
    '--git-common-dir',
    '--show-toplevel',
  ];
  const [tooOld, found] = await Promise.all([
    versionProblem(directory),
    git(['rev-parse', ...asked], call),
  ]);
  if (tooOld !== null) return refused(tooOld, false);
  const [bare, inside, shallow, objectFormat, gitDir = '', commonDir = '', root = ''] = found.stdout
    .toString('utf8')
    .split('\n');
  if (bare === 'true')
    return refused('this repository is bare: czar needs one with a checkout', false);
  if (inside === 'false')
    return refused('this folder is inside a git directory, not in a checkout', false);
  if (found.code !== 0) {
    const owner = /dubious ownership/.test(found.stderr);
    if (owner)
      return refused(
        'this repository belongs to another user, so git refuses to work in it: git config --global --add safe.directory with its path allows that',
        false,
      );
    return refused('this folder is not in a git repository', false);
  }
  const place = {
    root: await realpath(root),
    gitDir: await realpath(gitDir),
    commonDir: await realpath(commonDir),
  };

  const network = networkFileSystems.get((await statfs(place.commonDir)).type >>> 0);
  if (network !== undefined) {
    return refused(
      `this repository lies on a network file system (${network}), where locks cannot be trusted`,
      false,
    );
  }
  for (const [name, what] of inProgress) {
    if (await exists(join(place.gitDir, name)))
      return refused(`${what} in this checkout: finish it first`, true);
  }
  const half = await unfinishedWorktree(place.commonDir);
  if (half !== null) {
    return refused(
      `the linked worktree ${half} was never finished, and git fails because of it: remove ${join(place.commonDir, 'worktrees', half)}`,
      true,
    );
  }
  const near = { ...call, cwd: place.root };
  const [head, branch, set] = await Promise.all([
    git(['rev-parse', '--verify', '--quiet', 'HEAD^{commit}'], near),
    git(['symbolic-ref', '--quiet', 'HEAD'], near),
    settings(near),
  ]);
  if (head.code !== 0)
    return refused('this repository has no commit yet: make the first one', true);
  if ([...set.keys()].some(isPartial)) {
    return refused(
      'this is a partial clone, which lacks files that agents need: fetch them with `git fetch --refetch --no-filter` and unset its promisor',
      false,
    );
  }
  const name = branch.code === 0 ? branch.stdout.toString('utf8').trim() : null;
  return {
    kind: 'repository',
    facts: {
      ...place,
      branch: name?.replace(/^refs\/heads\//, '') ?? null,
      head: head.stdout.toString('utf8').trim(),
      shallow: shallow === 'true',
      objectFormat: objectFormat === 'sha256' ? 'sha256' : 'sha1',
      dirty: await dirtyPaths(near),
      identity: {
        name: process.env['GIT_AUTHOR_NAME'] || set.get('user.name') || fallbackIdentity.name,
        email: process.env['GIT_AUTHOR_EMAIL'] || set.get('user.email') || fallbackIdentity.email,
      },
      origin: originOf(set.get('remote.origin.url') ?? null, place.root),
    },
  };
}

type Call = {
  readonly cwd: string;
  readonly config: 'user';
  readonly signal: AbortSignal | undefined;
};

/** Paths that differ from HEAD, and those that git does not know. */
async function dirtyPaths(call: Call): Promise<readonly string[]> {
  const shape = ['--porcelain=v1', '-z', '--untracked-files=all', '--no-renames'];
  const listed = await output(['status', ...shape, '--ignore-submodules=none'], call);
  return fields(listed).map((each) => each.slice(3));
}

function originOf(url: string | null, root: string): string | null {
  if (url === null || url === '') return null;
  const remote = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) || /^[^/]+:/.test(url);
  if (remote) return url;
  return isAbsolute(url) ? url : resolve(root, url);
}

/** What counts here of the settings as the user's git sees them, by name; git writes sections and last parts in small letters. */
async function settings(call: Call): Promise<ReadonlyMap<string, string>> {
  const names =
    'extensions\\.partialclone|remote\\..*\\.promisor|user\\.(name|email)|remote\\.origin\\.url';
  const found = await git(['config', '-z', '--get-regexp', `^(${names})$`], call);
  const set = new Map<string, string>();
  // The last one counts.
  for (const each of fields(found.stdout)) {
    const end = each.indexOf('\n');
    set.set(end < 0 ? each : each.slice(0, end), end < 0 ? '' : each.slice(end + 1).trim());
  }
  return set;
}

function isPartial(setting: string): boolean {
  return setting === 'extensions.partialclone' || setting.endsWith('.promisor');
}

/** Why this git will not do, or null: merging off to the side needs 2.38. */
async function versionProblem(cwd: string): Promise<string | null> {
  const said = await git(['version'], { cwd });
  if (said.trouble === 'not started') return said.stderr;
  if (said.code !== 0)
    return `git cannot be run: ${said.stderr || said.trouble || 'unknown reason'}`;
  const version = said.stdout.toString('utf8');
  const [, major, minor] = /(\d+)\.(\d+)/.exec(version) ?? [];
  if (Number(major) > 2 || (Number(major) === 2 && Number(minor) >= 38)) return null;
  return `czar needs git 2.38 or newer; this is ${version.trim()}`;
}

/**
 * A linked worktree in whose making git stopped before it said where the repository is: much of git dies of it. While
 * one is being made that passes, so it is looked at for a moment.
 */
async function unfinishedWorktree(commonDir: string): Promise<string | null> {
  const deadline = Date.now() + makingMs;
  for (;;) {
    const found = await findUnfinished(join(commonDir, 'worktrees'));
    if (found === null || Date.now() > deadline) return found;
    await sleep(50);
  }
}

async function findUnfinished(folder: string): Promise<string | null> {
  for (const name of await readdir(folder).catch(() => [])) {
    const commondir = await stat(join(folder, name, 'commondir')).catch(() => null);
    if (commondir?.size === 0) return name;
  }
  return null;
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function refused(reason: string, passing: boolean): Inspection {
  return { kind: 'refused', reason, passing };
}
