/**
 * Scratch repositories for tests: a folder of their own, a git that sees no configuration of the machine, and a
 * fingerprint of everything in a user's checkout that czar must leave alone (S13).
 *
 * Importing it isolates the git of this process: its configuration variables point nowhere.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';

for (const name of Object.keys(process.env)) if (name.startsWith('GIT_')) delete process.env[name];
process.env['GIT_CONFIG_NOSYSTEM'] = '1';
process.env['GIT_CONFIG_GLOBAL'] = '/dev/null';

export interface Scratch {
  /** Folder that holds everything; deleted at the end. */
  readonly dir: string;
  /** The user's checkout. */
  readonly root: string;
  /** Its git directory. */
  readonly commonDir: string;
  /** A HOME for this test alone. */
  readonly home: string;
  /** Environment for programs that the test starts. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs git in the checkout and gives its output without the line end; throws when it fails. */
  git(...args: string[]): string;
  /** Runs git in any folder. */
  gitIn(folder: string, ...args: string[]): string;
  /** Runs git in any folder and gives exit code and both outputs. */
  tryGit(
    folder: string,
    ...args: string[]
  ): { code: number | null; stdout: string; stderr: string };
  /** Runs git in the checkout with something on its standard input, and gives its output. */
  feed(input: string, ...args: string[]): string;
  /** Writes files of the checkout, by path. */
  write(files: Readonly<Record<string, string>>): void;
  /** Writes files and commits everything; gives the commit. */
  commit(message: string, files?: Readonly<Record<string, string>>): string;
  [Symbol.dispose](): void;
}

/** A repository on branch `main` with one commit that holds `README.md`, or the files given. */
export function scratchRepository(
  options: {
    readonly files?: Readonly<Record<string, string>>;
    readonly objectFormat?: 'sha1' | 'sha256';
  } = {},
): Scratch {
  const key = JSON.stringify(options);
  let template = templates.get(key);
  if (template === undefined) {
    template = newFolder();
    templates.set(key, template);
    const made = scratchIn(template);
    const { root } = made;
    mkdirSync(root);
    const format = `--object-format=${options.objectFormat ?? 'sha1'}`;
    made.gitIn(root, 'init', '-q', '--template=', '-b', 'main', format);
    made.gitIn(root, 'config', 'user.name', 'Test User');
    made.gitIn(root, 'config', 'user.email', 'user@example.org');
    mkdirSync(join(root, '.git/hooks'));
    mkdirSync(join(root, '.git/info'));
    made.commit('First', options.files ?? { 'README.md': '# Scratch\n' });
  }
  return copyOf(template);
}

/** A copy of a scratch folder: much cheaper than the commands that made it. */
export function copyOf(folder: string): Scratch {
  const dir = newFolder();
  cpSync(folder, dir, { recursive: true, preserveTimestamps: true, verbatimSymlinks: true });
  return scratchIn(dir);
}

/** Folders that copies are made of, by what is in them; deleted with the process. */
const templates = new Map<string, string>();
process.on('exit', () => {
  for (const folder of templates.values()) rmSync(folder, { recursive: true, force: true });
});

/** Lets a folder be deleted with the process. */
export function keepTemplate(key: string, folder: string): void {
  templates.set(key, folder);
}

function newFolder(): string {
  return realpathSync(mkdtempSync(join(tmpdir(), 'czar-git-')));
}

function scratchIn(dir: string): Scratch {
  const root = join(dir, 'repository');
  const home = join(dir, 'home');
  mkdirSync(home, { recursive: true });
  const env = hermeticEnvironment(home);
  const tryGit: Scratch['tryGit'] = (folder, ...args) => {
    const limits = { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 } as const;
    const done = spawnSync('git', args, { cwd: folder, env, ...limits });
    return { code: done.status, stdout: done.stdout, stderr: done.stderr };
  };
  const gitIn: Scratch['gitIn'] = (folder, ...args) => {
    const { code, stdout, stderr } = tryGit(folder, ...args);
    if (code !== 0)
      throw new Error(`git ${args.join(' ')} in ${folder}: ${code}\n${stdout}${stderr}`);
    return stdout.replace(/\n$/, '');
  };
  return {
    dir,
    root,
    commonDir: join(root, '.git'),
    home,
    env,
    git: (...args) => gitIn(root, ...args),
    gitIn,
    tryGit,
    feed(input, ...args) {
      const done = spawnSync('git', args, { cwd: root, env, input, encoding: 'latin1' });
      if (done.status !== 0)
        throw new Error(`git ${args.join(' ')}: ${done.status}\n${done.stderr}`);
      return done.stdout;
    },
    write: (files) => writeFiles(root, files),
    commit(message, files = {}) {
      writeFiles(root, files);
      gitIn(root, 'add', '-A');
      gitIn(root, 'commit', '-q', '--allow-empty', '-m', message);
      return gitIn(root, 'rev-parse', 'HEAD');
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** An environment in which git and programs see nothing of this machine's settings. */
export function hermeticEnvironment(home: string): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    HOME: home,
    XDG_CONFIG_HOME: join(home, '.config'),
    LC_ALL: 'C',
    TZ: 'UTC',
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: join(home, '.gitconfig'),
    GIT_TERMINAL_PROMPT: '0',
  };
}

/** Writes files below a folder; a name that ends with `*` makes an executable (without the `*`). */
export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, content] of Object.entries(files)) {
    const path = join(folder, name.replace(/\*$/, ''));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
    if (name.endsWith('*')) chmodSync(path, 0o755);
  }
}

/** What czar may change in the user's repository: refs by full name or prefix (ending with a slash), and files. */
export interface Allowed {
  readonly refs?: readonly string[];
  /** Paths of the checkout or prefixes that end with a slash. */
  readonly files?: readonly string[];
}

/** Files of a git directory that belong to one checkout. */
const ofCheckout = [
  'HEAD',
  'index',
  'ORIG_HEAD',
  'FETCH_HEAD',
  'config.worktree',
  'info/sparse-checkout',
  'logs/HEAD',
];
/** Files that all checkouts of a repository share. */
const ofRepository = ['config', 'info/exclude', 'info/attributes', 'shallow'];

/**
 * HEAD, index, config, hooks, refs, reflogs and files of a checkout, one entry each, for `assert.deepEqual` of before
 * and after; of other checkouts of the same repository HEAD and index too. Refs below `refs/czar/`, the generated folders
 * of the home and checkouts that czar made are never part of it.
 */
export function fingerprint(root: string, allowed: Allowed = {}): Readonly<Record<string, string>> {
  const gitDir = commonDirOf(root);
  const prints: Record<string, string> = {};
  for (const name of [...ofRepository, ...ofCheckout]) prints[name] = hashOf(join(gitDir, name));
  for (const checkout of foldersOf(join(gitDir, 'worktrees'))) {
    if (checkout.startsWith('czar-')) continue;
    for (const name of ofCheckout)
      prints[`${checkout} ${name}`] = hashOf(join(gitDir, 'worktrees', checkout, name));
  }
  for (const file of filesBelow(join(gitDir, 'hooks')))
    prints[`hook ${file}`] = hashOf(join(gitDir, 'hooks', file));
  const free = (name: string, list: readonly string[]): boolean =>
    list.some((each) => (each.endsWith('/') ? name.startsWith(each) : name === each));
  const freeRefs = ['refs/czar/', ...(allowed.refs ?? [])];
  for (const [ref, id] of refsOf(root)) if (!free(ref, freeRefs)) prints[`ref ${ref}`] = id;
  for (const file of filesBelow(join(gitDir, 'logs'))) {
    if (file !== 'HEAD' && !free(file, freeRefs))
      prints[`log ${file}`] = hashOf(join(gitDir, 'logs', file));
  }
  const generated = [
    '.git/',
    ...['.czar', '.czarina'].flatMap((home) =>
      ['worktrees', 'logs', 'runs'].map((each) => `${home}/${each}/`),
    ),
  ];
  const freeFiles = [...generated, ...(allowed.files ?? [])];
  for (const file of filesBelow(root, freeFiles))
    if (!free(file, freeFiles)) prints[`file ${file}`] = hashOf(join(root, file));
  return prints;
}

/** The git directory that all checkouts of a repository share, read from files. */
export function commonDirOf(root: string): string {
  const dot = join(root, '.git');
  if (lstatSync(dot).isDirectory()) return dot;
  const gitDir = resolve(root, readFileSync(dot, 'utf8').replace(/^gitdir: |\n$/g, ''));
  const common = join(gitDir, 'commondir');
  return existsSync(common) ? resolve(gitDir, readFileSync(common, 'utf8').trim()) : gitDir;
}

function foldersOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Names and values of all refs, read from files as far as they are files: a process of git takes longer. */
function refsOf(root: string): [string, string][] {
  const gitDir = join(root, '.git');
  if (!lstatSync(gitDir).isDirectory() || existsSync(join(gitDir, 'reftable')))
    return refsAsGitSays(root);
  const refs = new Map<string, string>();
  // Loose refs first: one that is packed meanwhile is then found there.
  for (const file of filesBelow(join(gitDir, 'refs'))) {
    const value = file.endsWith('.lock') ? null : contentOf(join(gitDir, 'refs', file));
    if (value !== null) refs.set(`refs/${file}`, value.trim());
  }
  for (const line of (contentOf(join(gitDir, 'packed-refs')) ?? '').split('\n')) {
    const [, id, ref] = /^([0-9a-f]{40,}) (refs\/.*)$/.exec(line) ?? [];
    if (id !== undefined && ref !== undefined && !refs.has(ref)) refs.set(ref, id);
  }
  return [...refs].sort(([one], [other]) => (one < other ? -1 : 1));
}

function contentOf(file: string): string | null {
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}

function refsAsGitSays(root: string): [string, string][] {
  const env = hermeticEnvironment('/nonexistent');
  const done = spawnSync('git', ['for-each-ref', '--format=%(refname) %(objectname)'], {
    cwd: root,
    env,
    encoding: 'utf8',
  });
  const lines = done.stdout.split('\n').filter((line) => line !== '');
  return lines.map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]);
}

function hashOf(path: string): string {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return 'none';
  if (stat.isSymbolicLink()) return `link ${readlinkSync(path)}`;
  if (!stat.isFile()) return 'special';
  return `${(stat.mode & 0o777).toString(8)} ${createHash('sha256').update(readFileSync(path)).digest('hex')}`;
}

function filesBelow(root: string, skip: readonly string[] = []): string[] {
  const found: string[] = [];
  const visit = (folder: string): void => {
    const entries =
      lstatSync(folder, { throwIfNoEntry: false })?.isDirectory() === true
        ? readdirSync(folder, { withFileTypes: true })
        : [];
    for (const entry of entries) {
      const path = join(folder, entry.name);
      const name = relative(root, path);
      if (skip.includes(`${name}/`)) continue;
      if (entry.isDirectory()) visit(path);
      else found.push(name);
    }
  };
  visit(root);
  return found.sort();
}
