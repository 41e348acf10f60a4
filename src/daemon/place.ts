/** Where a repository's files are, found by reading plain files: no git is started, since every command begins here. */
import { readFileSync, realpathSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { findHome, findRoot, type Home } from '../plan/home.ts';

/** Bytes; SQLite opens no file whose path has more than 512, and its files lie below. */
const longestPath = 480;

export interface Place {
  /** Top of the checkout, absolute. */
  readonly root: string;
  /** Git directory that all linked worktrees share, absolute. */
  readonly commonDir: string;
  /** `<commonDir>/czar`: log, mirror, lock. */
  readonly state: string;
  /** The checkout among those of the repository: '' for the main one, else `worktrees/<name>`. */
  readonly checkout: string;
  readonly home: Home;
}

/** The repository around `from` (absolute), or what is wrong in one sentence. */
export function locate(options: {
  readonly from: string;
  readonly czarDir: string | null;
  readonly cwd: string;
}): Place | { readonly error: string; readonly next?: string } {
  const root = findRoot(options.from);
  const dirs = root === null ? null : gitDirsOf(root);
  const wrong = unworkable(root ?? options.from, dirs?.commonDir ?? '');
  if (wrong !== null) return wrong;
  if (root === null) return { error: `${options.from} is not in a git repository` };
  if (dirs === null) return { error: `${join(root, '.git')} does not lead to a git directory` };
  const home = findHome({ root, czarDir: options.czarDir, cwd: options.cwd });
  if ('error' in home) return home;
  const { commonDir, checkout } = dirs;
  return { root, commonDir, checkout, state: join(commonDir, 'czar'), home };
}

/** What a path has that keeps czar from working there; null when nothing does. */
function unworkable(
  path: string,
  commonDir: string,
): { readonly error: string; readonly next: string } | null {
  const next = 'rename the folder';
  // Git gives paths in lines.
  if (path.includes('\n'))
    return {
      error: `${JSON.stringify(path)} has a line feed in its path, and czar works in none such`,
      next,
    };
  if (path.includes('\ufffd'))
    return {
      error: `the path of this folder is not UTF-8, and czar works in none such: ${path}`,
      next,
    };
  if (Buffer.byteLength(commonDir) > longestPath)
    return {
      error: `the path of ${path} is too long: its git directory may have ${longestPath} bytes, or the log below it cannot be opened`,
      next: 'move the repository to a shorter path',
    };
  return null;
}

function gitDirsOf(root: string): { readonly commonDir: string; readonly checkout: string } | null {
  try {
    const dot = join(root, '.git');
    const gitDir = statSync(dot).isDirectory() ? dot : gitFileTarget(dot, root);
    const common = readOr(join(gitDir, 'commondir'));
    const commonDir = realpathSync(common === null ? gitDir : resolve(gitDir, common.trim()));
    return { commonDir, checkout: relative(commonDir, realpathSync(gitDir)) };
  } catch {
    return null;
  }
}

function gitFileTarget(file: string, root: string): string {
  const match = /^gitdir: (.+)\n?$/.exec(readFileSync(file, 'utf8'));
  return resolve(root, match?.[1]?.trim() ?? '');
}

function readOr(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}
