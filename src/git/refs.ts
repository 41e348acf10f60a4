/**
 * Refs of the mirror: their names, and reading, listing and moving them by compare-and-swap.
 *
 * Owns the layout of `refs/czar/`: no worker id can make two of these names collide, since ids hold no slash.
 */
import type { ChangedPath } from '../core/events.ts';
import { inMirror } from './context.ts';
import type { GitContext } from './context.ts';
import { fields, git, gitFailure, output } from './git.ts';
import type { GitCall } from './git.ts';
import { refInFiles, refsInFiles } from './mirror/ref-files.ts';

/** Tip of a run's merged work. */
export function integrationRef(run: string): string {
  return `refs/czar/integration/${run}`;
}

/** The merge of a worker that its gates judge. */
export function candidateRef(run: string, worker: string): string {
  return `refs/czar/candidate/${run}/${worker}`;
}

/** The commit that a run's landing puts on its target. */
export function landingRef(run: string): string {
  return `refs/czar/landing/${run}`;
}

/** Where everything that an attempt's repository held is kept: the prefix of its refs, without a slash at the end. */
export function workRef(run: string, worker: string, attempt: number): string {
  return `refs/czar/work/${run}/${worker}/${attempt}`;
}

/** Where a branch of the user's stood when a worker on it started first: what every later start goes on from. */
export function continuedRef(run: string, worker: string): string {
  return `refs/czar/continued/${run}/${worker}`;
}

/** The uncommitted changes of the user's checkout that a run started from. */
export function snapshotRef(run: string): string {
  return `refs/czar/snapshot/${run}`;
}

/** Prefix of the refs that hold what a worker left uncommitted, without a slash at the end. */
export function keptPrefix(run: string, worker: string): string {
  return `refs/czar/kept/${run}/${worker}`;
}

/** An id of a commit or tree. */
export function isObjectId(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

/** Whether git and every file system take the name for a branch; `HEAD` and names that look like options are not. */
export function isBranchName(name: string): boolean {
  if (
    name === '' ||
    name === 'HEAD' ||
    name.startsWith('-') ||
    name.endsWith('.') ||
    name.length > 200
  )
    return false;
  // eslint-disable-next-line no-control-regex
  if (/[\x00-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^\/|\/$/.test(name) || name === '@') return false;
  return name.split('/').every((part) => !part.startsWith('.') && !part.endsWith('.lock'));
}

/** Commit that a ref of the mirror stands at, or null. */
export async function readRef(context: GitContext, ref: string): Promise<string | null> {
  const seen = refInFiles(context.mirror, ref);
  if (seen !== undefined) return seen;
  return (await context.open?.resolve(ref)) ?? readRefIn(inMirror(context), ref);
}

/** The same in any repository. */
export async function readRefIn(
  place: { readonly gitDir: string; readonly signal?: AbortSignal | undefined },
  ref: string,
): Promise<string | null> {
  const args = ['rev-parse', '--verify', '--quiet', '--end-of-options', ref];
  const result = await git(args, { cwd: place.gitDir, ...place });
  if (result.trouble === null && result.code === 0) return result.stdout.toString('utf8').trim();
  if (result.trouble === null && result.code === 1) return null;
  throw gitFailure(args, result);
}

/** Refs of the mirror below prefixes, or of these names, by full name. */
export async function listRefs(
  context: GitContext,
  ...prefixes: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  return refsInFiles(context.mirror, ...prefixes) ?? listRefsIn(inMirror(context), ...prefixes);
}

/** The same in any repository. */
export async function listRefsIn(
  place: { readonly gitDir: string; readonly signal?: AbortSignal | undefined },
  ...prefixes: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', ...prefixes];
  const text = (await output(args, { cwd: place.gitDir, ...place })).toString('utf8');
  const refs = new Map<string, string>();
  for (const each of text.split('\n')) {
    const space = each.indexOf(' ');
    if (space > 0) refs.set(each.slice(space + 1), each.slice(0, space));
  }
  return refs;
}

export type Moved =
  | { readonly kind: 'moved' }
  /** It stands at the wanted commit already. */
  | { readonly kind: 'already' }
  /** It stands elsewhere than `from`: nothing was changed. */
  | { readonly kind: 'lost'; readonly found: string | null };

/**
 * Moves a ref of a repository from `from` (null: it does not exist) to `to` (null: delete it), or says where it is. For
 * use inside `failing`.
 */
export async function moveRefIn(
  place: {
    readonly gitDir: string;
    readonly signal?: AbortSignal | undefined;
    readonly reason?: string;
  },
  move: { readonly ref: string; readonly from: string | null; readonly to: string | null },
): Promise<Moved> {
  if (move.from === move.to) {
    const found = await readRefIn(place, move.ref);
    return found === move.to ? { kind: 'already' } : { kind: 'lost', found };
  }
  const from = move.from ?? zero(move.to ?? '');
  const args = [
    'update-ref',
    '--no-deref',
    ...(place.reason === undefined ? [] : ['-m', place.reason]),
  ];
  args.push(...(move.to === null ? ['-d', move.ref, from] : [move.ref, move.to, from]));
  const result = await git(args, { cwd: place.gitDir, gitDir: place.gitDir, signal: place.signal });
  if (result.code === 0) return { kind: 'moved' };
  const after = await readRefIn(place, move.ref);
  if (after === move.to) return { kind: 'already' };
  if (after !== move.from) return { kind: 'lost', found: after };
  throw gitFailure(args, result);
}

/** The same in the mirror. */
export async function moveRef(
  context: GitContext,
  move: { readonly ref: string; readonly from: string | null; readonly to: string },
): Promise<Moved> {
  const quick = move.from === move.to ? null : ((await context.open?.moveRef(move)) ?? null);
  // Lost or not known: git says where it stands.
  return quick === 'moved' ? { kind: 'moved' } : moveRefIn(inMirror(context), move);
}

/** Points refs of the mirror at commits, wherever they stood: only for refs that nobody else moves. All or none. */
export async function setRefs(
  context: GitContext,
  refs: ReadonlyMap<string, string>,
): Promise<void> {
  if (refs.size === 0) return;
  const [only, second] = [...refs].map(([ref, to]) => ({ ref, to }));
  if (only !== undefined && second === undefined) {
    if ((await context.open?.moveRef(only)) === 'moved') return;
  }
  const input = [...refs].map(([ref, to]) => `update ${ref}\0${to}\0\0`).join('');
  await output(['update-ref', '--no-deref', '--stdin', '-z'], { ...inMirror(context), input });
}

/** Deletes refs of the mirror, wherever they stand. */
export async function deleteRefs(context: GitContext, refs: readonly string[]): Promise<void> {
  if (refs.length === 0) return;
  const input = refs.map((ref) => `delete ${ref}\0\0`).join('');
  await output(['update-ref', '--no-deref', '--stdin', '-z'], { ...inMirror(context), input });
}

/** Id of the tree without files, in the object format of `like`. */
export function emptyTree(like: string): string {
  return like.length === 64
    ? '6ef19b41225c5369f1c104d45d8d85efa9b057b53b14b4b9b939dd74decc5321'
    : '4b825dc642cb6eb9a060e54bf8d69288fbee4904';
}

/** Id of nothing, in the object format of `like`. */
export function zero(like: string): string {
  return '0'.repeat(like.length === 64 ? 64 : 40);
}

/** Entries of `diff-tree --raw -z` without renames. */
export interface Change {
  readonly path: string;
  readonly status: 'A' | 'M' | 'D' | 'T';
  readonly from: { readonly mode: string; readonly id: string };
  readonly to: { readonly mode: string; readonly id: string };
}

/** What differs between two trees or commits of a repository, path by path, renames as delete and add. */
export async function changesIn(call: GitCall, from: string, to: string): Promise<Change[]> {
  const args = ['diff-tree', '-r', '-z', '--raw', '--no-abbrev', '--no-renames', from, to];
  const all = fields(await output(args, call));
  const found: Change[] = [];
  for (let i = 0; i + 1 < all.length; i += 2) {
    const [fromMode, toMode, fromId, toId, status] = (all[i] ?? '').replace(/^:/, '').split(' ');
    const path = all[i + 1] ?? '';
    if (
      fromMode === undefined ||
      toMode === undefined ||
      fromId === undefined ||
      toId === undefined
    )
      continue;
    found.push({
      path,
      status: status === 'A' || status === 'D' || status === 'T' ? status : 'M',
      from: { mode: fromMode, id: fromId },
      to: { mode: toMode, id: toId },
    });
  }
  return found;
}

/** A change as events carry it: blob ids, '' where there is no file. */
export function changedPath(change: Change): ChangedPath {
  const id = (of: { readonly id: string }): string => (/^0+$/.test(of.id) ? '' : of.id);
  return {
    path: change.path,
    status: change.status,
    before: id(change.from),
    after: id(change.to),
  };
}
