/** Where the repository and its home folder are. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve, sep } from 'node:path';

export interface Home {
  /** Absolute path of the folder. */
  readonly path: string;
  /** Relative to the repository root, with `/`, such as `.czar`. */
  readonly name: string;
  readonly exists: boolean;
  /** Whether it is a Czarina folder with a `config.json`. */
  readonly czarina: boolean;
}

/** File in the git directory of a worker's tree that says whose it is. */
const treeMark = 'czar-tree';

/**
 * The top of the repository that `from` (absolute) lies in: the nearest folder with a `.git`, or null. Trees of workers
 * are passed over, so that a command given inside one means the run that it belongs to.
 */
export function findRoot(from: string): string | null {
  let folder = from;
  try {
    folder = realpathSync(from);
  } catch {
    return null;
  }
  for (;;) {
    const dot = join(folder, '.git');
    if (existsSync(dot) && !existsSync(join(gitDirOf(dot), treeMark))) return folder;
    const parent = dirname(folder);
    if (parent === folder) return null;
    folder = parent;
  }
}

/** The git directory that a `.git` is, or that it names when it is a file. */
function gitDirOf(dot: string): string {
  if (!statSync(dot).isFile()) return dot;
  const [, named = ''] = /^gitdir: (.+)\n?$/.exec(readFileSync(dot, 'utf8')) ?? [];
  return resolve(dirname(dot), named);
}

/**
 * The home of a repository: the folder given (relative to `cwd`), else `.czar`, else `.czarina` when only that is
 * there, else `.czar`, which does not exist yet. A folder outside the repository is an error in a sentence.
 */
export function findHome(options: {
  readonly root: string;
  readonly czarDir: string | null;
  readonly cwd: string;
}): Home | { readonly error: string } {
  const { root, czarDir, cwd } = options;
  if (czarDir !== null) {
    const path = resolve(cwd, czarDir);
    const real = existsSync(path) ? realpathSync(path) : path;
    const base = realpathSync(root);
    if (!real.startsWith(base + sep))
      return { error: `the home ${czarDir} is not inside the repository ${root}` };
    return homeAt(base, real);
  }
  const own = homeAt(root, join(root, '.czar'));
  const czarina = homeAt(root, join(root, '.czarina'));
  const home = !own.exists && czarina.exists ? czarina : own;
  const leads = home.exists && !realpathSync(home.path).startsWith(realpathSync(root) + sep);
  return leads
    ? { error: `the home ${home.name} is a link that leads out of the repository` }
    : home;
}

function homeAt(root: string, path: string): Home {
  const exists = statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
  const name = relative(root, path).split(sep).join('/');
  return { path, name, exists, czarina: exists && existsSync(join(path, 'config.json')) };
}
