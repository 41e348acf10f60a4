/**
 * Stores the files of a folder as a tree in the mirror without running git in the folder's own repository: a private
 * index, the mirror as git directory, and a list of paths that is ours. Nothing that an agent configured is read;
 * `.gitignore` and the line-end rules of `.gitattributes` count, as they should.
 *
 * Not stored, but named and copied aside: what is too large, looks like a secret, was carried in, is no plain file, or
 * cannot be read. One such file never keeps the others from being stored.
 */
import { constants } from 'node:fs';
import type { Stats } from 'node:fs';
import { access, lstat, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { LeftOut } from '../../core/events.ts';
import { inMirror } from '../context.ts';
import { copyAside } from './aside.ts';
import type { AsideRules } from './aside.ts';
import { authorIn } from './czar-files.ts';
import { unlessHeldUp } from './held-up.ts';
import { isMissing, isThere } from '../trees/discard.ts';
import type { GitContext } from '../context.ts';
import { fields, git, gitFailure, line, output } from '../git.ts';
import type { GitCall, GitResult } from '../git.ts';
import { changes, treeOf } from '../history.ts';
import { emptyTree, zero } from '../refs.ts';

/** Names of files that are never committed on an agent's behalf, unless the base has them. `*` is any run of signs. */
export const defaultSecretPatterns: readonly string[] = [
  '.env',
  '.env.*',
  '*.pem',
  '*.p12',
  '*.pfx',
  'id_rsa*',
  'id_dsa*',
  'id_ecdsa*',
  'id_ed25519*',
  '.netrc',
  '.git-credentials',
];
const notSecret = /\.(?:example|sample|template|dist|pub)$/i;
const timeoutMs = 10 * 60_000;
const ownRepository = 'a repository of its own: its files are stored, its history is kept aside';
const linkedRepository =
  'another repository, of which the commit has only a link: all of it is kept aside';

export interface CaptureRules extends AsideRules {
  /** Paths that were copied or linked into the tree, relative to it; folders with all that is in them. */
  readonly carried: readonly string[];
  readonly secretPatterns: readonly string[];
  /** Folder into which left-out files are copied; null copies nothing. */
  readonly asideDir: string | null;
}

export interface Captured {
  readonly tree: string;
  /** Paths in which it differs from `against`. */
  readonly files: readonly string[];
  readonly leftOut: readonly LeftOut[];
  /** Left-out files that the agent made, without those that were carried in. */
  readonly leftOutByAgent: boolean;
}

interface Capture {
  readonly dir: string;
  readonly against: string | null;
  readonly index: string;
  readonly rules: CaptureRules;
  /** Why the commits of its own repository could not be read; that is left out as a whole then. */
  readonly unread?: string | null;
}

/**
 * Stores a folder. `against` is the commit that it is compared with (null: nothing), `index` the private index file,
 * which is made when missing and afterwards holds exactly the stored tree. For use inside `failing`.
 */
export async function capture(context: GitContext, options: Capture): Promise<Captured> {
  const { dir, against, rules, unread = null } = options;
  await mkdir(dirname(options.index), { recursive: true });
  await rm(`${options.index}.lock`, { force: true });
  const call: GitCall = {
    ...inMirror(context),
    cwd: dir,
    workTree: dir,
    timeoutMs,
    env: { GIT_INDEX_FILE: options.index },
  };
  // What git looks at is whatever an agent left.
  const sorted = await unlessHeldUp({ dir, signal: context.signal }, (signal) =>
    take({ ...call, signal }, options),
  );
  const leftOut = [...sorted.leftOut];
  if (unread !== null)
    leftOut.push({ name: '.git', why: `its commits cannot be read: ${unread}`, carried: false });
  const { asideDir } = rules;
  // What was carried in lies where it came from.
  const own = asideDir === null ? [] : leftOut.filter(({ carried }) => !carried);
  const copies = await copyAside(
    own.map(({ name }) => ({
      name,
      from: place(dir, name),
      to: join(asideDir ?? '', shown(name)),
      via: `${asideDir}.new`,
    })),
    rules,
    context.signal,
  );
  const untouched = against !== null && sorted.add.length + sorted.remove.length === 0;
  const tree = untouched ? await treeOf(context, against) : await line(['write-tree'], call);
  const from = against ?? emptyTree(zero(tree));
  return {
    tree,
    files: untouched ? [] : (await changes(context, from, tree)).map((change) => change.path),
    leftOut: leftOut.map(({ name, why, carried }) => {
      const copy = copies.get(name);
      const one = { path: shown(name), why };
      if (carried) return one;
      return { ...one, aside: copy === undefined ? null : relative(context.root, copy) };
    }),
    leftOutByAgent: leftOut.some((each) => !each.carried),
  };
}

/** Brings the index to what is in the folder; gives what it added and removed, and what is not to be stored. */
async function take(call: GitCall, { dir, against, index, rules }: Capture): Promise<Sorted> {
  await readInto(index, against, call);
  const links = against === null ? [] : await linkedFolders(call);
  const changed = names(await output(['ls-files', '-z', '-m', '-d'], call));
  const tracked = changed.filter((name) => !links.includes(name));
  const untracked = await untrackedFiles(dir, '', index, call);
  const sorted = await sort(dir, { tracked, untracked: untracked.files, rules });
  await remove(sorted.remove, call);
  const refused = await add(sorted.add, call);
  const unstored = refused.map((name) => ({ name, why: 'git could not store it', carried: false }));
  const linked = await behindLinks(dir, links);
  return { ...sorted, leftOut: [...sorted.leftOut, ...untracked.nested, ...linked, ...unstored] };
}

/** Folders of which the commit holds the name of another repository's commit, and no file. */
async function linkedFolders(call: GitCall): Promise<string[]> {
  const staged = names(await output(['ls-files', '-z', '-s'], call));
  return staged
    .filter((entry) => entry.startsWith('160000 '))
    .map((entry) => entry.slice(entry.indexOf('\t') + 1));
}

/** Such folders with anything in them, and the histories that submodules have in the tree's own repository. */
async function behindLinks(dir: string, links: readonly string[]): Promise<Left[]> {
  const filled: string[] = [];
  for (const name of links) {
    // Only what is surely not there holds nothing: a folder that may not be read is named.
    const inside = await readdir(place(dir, name)).catch((error: unknown) => isMissing(error));
    if (inside !== true && (inside === false || inside.length > 0)) filled.push(name);
  }
  // All of them: a submodule's history lies by its name there, which need not be its path.
  const histories = '.git/modules';
  if (filled.length > 0 && (await isThere(join(dir, histories)))) filled.push(histories);
  return filled.map((name) => ({ name, why: linkedRepository, carried: false }));
}

/** Whether a path looks like it holds a secret. */
export function isSecret(path: string, patterns: readonly string[]): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  if (notSecret.test(name)) return false;
  return patterns.some((pattern) => wildcard(pattern).test(pattern.includes('/') ? path : name));
}

/** Paths are bytes; as strings of one char a byte they survive and can be compared. */
interface Left {
  readonly name: string;
  readonly why: string;
  readonly carried: boolean;
}

/** Names of a folder by what becomes of them. */
interface Sorted {
  readonly add: string[];
  readonly remove: string[];
  readonly leftOut: Left[];
}

/** The private index at `against`. What it knows of unchanged files from before saves reading them again. */
async function readInto(index: string, against: string | null, call: GitCall): Promise<void> {
  if (against !== null) {
    const known = await isThere(index);
    if (known && (await git(['read-tree', '--reset', against], call)).code === 0) return;
    await rm(index, { force: true });
    await output(['read-tree', '--reset', against], call);
    await git(['update-index', '-q', '--refresh'], call);
    return;
  }
  await rm(index, { force: true });
  await output(['read-tree', '--empty'], call);
}

/** Files that are neither known nor ignored, also those of repositories inside the folder. */
async function untrackedFiles(
  dir: string,
  prefix: string,
  index: string,
  call: GitCall,
): Promise<{ files: string[]; nested: Left[] }> {
  const found = await output(['ls-files', '-z', '-o', '--exclude-per-directory=.gitignore'], call);
  const files: string[] = [];
  const nested: Left[] = [];
  for (const name of names(found)) {
    if (!name.endsWith('/')) {
      files.push(prefix + name);
      continue;
    }
    const folder = name.slice(0, -1);
    if (place('', folder).compare(Buffer.from(`/${shown(folder)}`)) !== 0) {
      nested.push({ name: prefix + folder, why: 'git could not store it', carried: false });
      continue;
    }
    nested.push({ name: `${prefix}${name}.git`, why: ownRepository, carried: false });
    const inner = `${dir}/${shown(folder)}`;
    const env = { GIT_INDEX_FILE: `${index}.none` };
    const below = await untrackedFiles(inner, prefix + name, index, {
      ...call,
      cwd: inner,
      workTree: inner,
      env,
    });
    files.push(...below.files);
    nested.push(...below.nested);
  }
  return { files, nested };
}

async function sort(
  dir: string,
  options: {
    readonly tracked: string[];
    readonly untracked: string[];
    readonly rules: CaptureRules;
  },
): Promise<Sorted> {
  const add: string[] = [];
  const remove: string[] = [];
  const leftOut: Left[] = [];
  const known = new Set(options.tracked);
  for (const name of new Set([...options.tracked, ...options.untracked])) {
    const path = shown(name);
    const author = authorIn(dir, path);
    if (author === 'czar') continue;
    if (author === 'czar and others') {
      leftOut.push({ name, why: 'czar wrote it, and it was changed since', carried: false });
      continue;
    }
    const file = place(dir, name);
    const stat = await lookAt(file);
    if (stat === 'unreadable') {
      leftOut.push({ name, why: unreadable, carried: false });
      continue;
    }
    if (stat === 'gone' || stat.isDirectory()) {
      if (known.has(name)) remove.push(name);
      continue;
    }
    const why = await whyNot({ file, stat, path, known: known.has(name), rules: options.rules });
    if (why === null) add.push(name);
    else leftOut.push({ name, why, carried: why === carriedIn });
  }
  return { add, remove, leftOut };
}

/** Only what is surely not there counts as deleted: a folder that nobody may look into still has its files. */
async function lookAt(file: Buffer): Promise<Stats | 'gone' | 'unreadable'> {
  try {
    return await lstat(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'gone' : 'unreadable';
  }
}

const carriedIn = 'it was carried into the tree';
const unreadable = 'it cannot be read';

/** Why a file is not stored on somebody's behalf, or null when it is; `known` ones are in the base already. */
export async function whyNot(of: {
  readonly file: Buffer;
  readonly stat: { isFile(): boolean; isSymbolicLink(): boolean; readonly size: number };
  readonly path: string;
  readonly known: boolean;
  readonly rules: Omit<CaptureRules, 'asideDir'>;
}): Promise<string | null> {
  const { rules, path, stat } = of;
  if (rules.carried.some((own) => path === own || path.startsWith(`${own.replace(/\/$/, '')}/`)))
    return carriedIn;
  if (stat.isSymbolicLink()) return null;
  if (!stat.isFile()) return 'it is not a plain file';
  if (stat.size > rules.maxFileBytes) return `it is larger than ${rules.maxFileBytes} bytes`;
  if (!of.known && isSecret(path, rules.secretPatterns)) return 'its name looks like a secret';
  const readable = await access(of.file, constants.R_OK).then(
    () => true,
    () => false,
  );
  return readable ? null : unreadable;
}

async function remove(paths: readonly string[], call: GitCall): Promise<void> {
  if (paths.length === 0) return;
  await output(['update-index', '--force-remove', '-z', '--stdin'], {
    ...call,
    input: list(paths),
  });
}

/** Adds paths to the index; gives those that git refused. */
async function add(paths: readonly string[], call: GitCall): Promise<string[]> {
  if (paths.length === 0) return [];
  const args = ['update-index', '--add', '--replace', '-z', '--stdin'];
  const all = await git(args, { ...call, input: list(paths) });
  // A name that some file system takes for .git is passed over, with a word and exit code 0.
  if (all.code === 0 && !all.stderr.includes('Ignoring path')) return [];
  if (all.code === 0) {
    const stored = new Set(names(await output(['ls-files', '-z'], call)));
    return paths.filter((path) => !stored.has(path));
  }
  const refused: string[] = [];
  for (const path of paths) {
    const one = await git(args, { ...call, input: list([path]) });
    if (one.code !== 0 && isOfMachine(one)) throw gitFailure(args, one);
    if (one.code !== 0 || one.stderr.includes('Ignoring path')) refused.push(path);
  }
  return refused;
}

/** Whether the disk, the machine or the call failed, and not the file: then it is not left out, but tried again. */
function isOfMachine({ trouble, stderr }: GitResult): boolean {
  return trouble !== null || machineErrors.test(stderr);
}

const machineErrors =
  /No space left on device|Disk quota exceeded|Input\/output error|I\/O error|Read-only file system|unable to write new index|Cannot allocate memory|Too many open files/i;

function names(found: Buffer): string[] {
  return fields(Buffer.from(found.toString('latin1'), 'utf8'));
}

function bytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}

function shown(name: string): string {
  return bytes(name).toString('utf8');
}

function place(dir: string, name: string): Buffer {
  return Buffer.concat([Buffer.from(`${dir}/`), bytes(name)]);
}

function list(paths: readonly string[]): Buffer {
  return Buffer.from(paths.map((path) => `${path}\0`).join(''), 'latin1');
}

function wildcard(pattern: string): RegExp {
  const escaped = pattern.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${escaped.join('.*')}$`, 'i');
}
