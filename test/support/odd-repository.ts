/** Repositories that are not the plain one, as rows of a table, and what rows are made with. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { plain, Scratch } from './scratch.ts';

/** A repository that is not the plain one. */
export interface OddRepository {
  /** The repository, as the title of its test says it. */
  readonly name: string;
  /** Where it is, in the scratch folder. */
  readonly folder?: string;
  /** Makes it; the plain one when left out. */
  readonly repository?: (scratch: Scratch) => void;
  /** What the user does once the plan is committed. */
  readonly arrange?: (scratch: Scratch) => void;
  readonly config?: string;
  /** What its agent does before its work. */
  readonly act?: string;
  readonly worker?: string;
  /** Arguments of `czar run`. */
  readonly run?: readonly string[];
  /** Arguments of `czar land`; null when this row does not land. */
  readonly land?: readonly string[] | null;
  /** Looks at more than every row does, after the run and before the landing. */
  readonly look?: (scratch: Scratch, run: string) => void;
}

/** The row's repository with a plan of one worker whose agent writes `out/done.txt`. */
export async function arranged(row: OddRepository): Promise<Scratch> {
  const { folder = 'repo', repository = plain } = row;
  const scratch = await Scratch.make({ folder, repository });
  try {
    scratch.scripted(
      `${row.act ?? ''}\nmkdir -p out && echo "$CZAR_WORKER" > out/done.txt && git add -A && git commit -qm done`,
      row.config,
    );
    scratch.worker('a', row.worker);
    if (scratch.git('for-each-ref') !== '') scratch.commitAll();
    row.arrange?.(scratch);
    return scratch;
  } catch (error) {
    await scratch[Symbol.asyncDispose]();
    throw error;
  }
}

/** Files of a commit, with mode and content, by path. */
export function filesOf(scratch: Scratch, commit: string): Map<string, string> {
  const listed = scratch
    .git('--no-replace-objects', 'ls-tree', '-rz', '--full-tree', commit)
    .split('\0');
  const entries = listed.filter((entry) => entry !== '').map((entry) => entry.split('\t'));
  return new Map(entries.map(([what = '', path = '']) => [path, what]));
}

/** The working tree of the worker. */
export function treeOf(scratch: Scratch): string {
  return join(scratch.repo, '.czar/worktrees/a');
}

/** Another repository, to clone from: two commits. */
export function upstream(scratch: Scratch): string {
  const folder = join(scratch.base, 'upstream');
  scratch.gitIn(scratch.base, 'init', '-q', '-b', 'main', folder);
  identify(scratch, folder);
  for (const name of ['one', 'two']) {
    writeFileSync(join(folder, name), `${name}\n`);
    scratch.gitIn(folder, 'add', name);
    scratch.gitIn(folder, 'commit', '-q', '-m', name);
  }
  return folder;
}

/** What git leaves when it is killed while it makes a linked worktree, at the worst moment; gives its folder. */
export function halfMade(scratch: Scratch): string {
  const folder = join(scratch.repo, '.git/worktrees/half');
  scratch.acting(() => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'commondir'), '');
    writeFileSync(join(folder, 'locked'), 'initializing');
    writeFileSync(join(folder, 'gitdir'), `${join(scratch.base, 'half/.git')}\n`);
  });
  return folder;
}

/** Runs a command of the user's in the repository again and again. */
export function loopOf(scratch: Scratch, command: string): Disposable {
  const child = spawn('sh', ['-c', `while :; do ${command}; done`], {
    cwd: scratch.repo,
    env: scratch.env,
    stdio: 'ignore',
    detached: true,
  });
  return { [Symbol.dispose]: () => process.kill(-(child.pid ?? 0), 'SIGKILL') };
}

/** Clones into the place of the row's repository. */
export function cloneOf(scratch: Scratch, ...args: readonly string[]): void {
  scratch.gitIn(scratch.base, 'clone', '-q', ...args, scratch.repo);
  identify(scratch);
}

/** Says who commits in a repository. */
export function identify(scratch: Scratch, folder = scratch.repo): void {
  scratch.gitIn(folder, 'config', 'user.name', 'Test User');
  scratch.gitIn(folder, 'config', 'user.email', 'user@example.org');
}

/** Writes a program. */
export function executable(path: string, content: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  chmodSync(path, 0o755);
}
