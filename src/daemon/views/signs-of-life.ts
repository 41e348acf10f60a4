/** When an attempt last printed, reported, committed or was answered: by the times of files alone, no git and no reading. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { whatIsAt } from '../../process/plain-file.ts';

/** Milliseconds since 1970; null for what it has not done. */
export interface SignsOfLife {
  readonly output: number | null;
  readonly report: number | null;
  readonly commit: number | null;
  /** When an answer was last put where it looks, or it took a number for a question. */
  readonly answer: number | null;
}

/** What the attempt with this folder shows; `tree` is its working tree, null when it has none. */
export function signsOfLife(attemptDir: string, tree: string | null): SignsOfLife {
  const printed = ['output', 'errors'].flatMap((name) => changedAt(join(attemptDir, name)) ?? []);
  return {
    output: printed.length === 0 ? null : Math.max(...printed),
    report: changedAt(join(attemptDir, 'report')),
    // Every commit moves HEAD, and is noted there.
    commit: tree === null ? null : changedAt(join(gitFolder(tree), 'logs/HEAD')),
    answer: touchedAt(join(attemptDir, 'answers')),
  };
}

/** When the file was last written to; null when it is missing or empty. */
export function changedAt(path: string): number | null {
  const stat = whatIsAt(path);
  return stat === null || stat.size === 0 ? null : Math.floor(stat.mtimeMs);
}

/** When something of the folder was made or went; null when it is missing. */
function touchedAt(folder: string): number | null {
  const stat = whatIsAt(folder);
  return stat === null ? null : Math.floor(stat.mtimeMs);
}

/** `.git` of a repository, or what the file of that name in a linked worktree leads to. */
function gitFolder(tree: string): string {
  const dot = join(tree, '.git');
  try {
    return resolve(tree, /^gitdir: (.+)\n?$/.exec(readFileSync(dot, 'utf8'))?.[1] ?? dot);
  } catch {
    return dot;
  }
}
