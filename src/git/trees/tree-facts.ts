/**
 * What can be said of a worker's tree by reading files alone: whether it is there, and whether its git is in the middle
 * of something. Git reads a copy of its index at most, with the mirror as repository.
 */
import { constants } from 'node:fs';
import { lstat, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TreeFacts } from '../../core/commands.ts';
import { inMirror } from '../context.ts';
import type { GitContext } from '../context.ts';
import { fields, git } from '../git.ts';
import type { TreeRepository } from './isolation.ts';

const states: readonly (readonly [string, string])[] = [
  ['MERGE_HEAD', 'a merge is not committed yet'],
  ['rebase-merge', 'a rebase is under way'],
  ['rebase-apply', 'a rebase is under way'],
  ['CHERRY_PICK_HEAD', 'a cherry-pick is under way'],
  ['REVERT_HEAD', 'a revert is under way'],
];
const maxIndexBytes = 256 * 1024 * 1024;
const maxTextBytes = 4 * 1024 * 1024;

interface TreeQuestion {
  readonly tree: string;
  readonly repository: TreeRepository;
  readonly files?: readonly string[];
}

/**
 * Facts about a tree. `files` are paths that were in conflict: one of them that still holds conflict markers makes the
 * tree unfinished, even when it is committed.
 */
export async function treeFacts(context: GitContext, options: TreeQuestion): Promise<TreeFacts> {
  const there = await lstat(options.tree).catch(() => null);
  if (there === null || !there.isDirectory()) return { exists: false, unfinished: null };
  return { exists: true, unfinished: await unfinishedIn(context, options) };
}

/** What git in the tree is in the middle of, in words, or null. */
export async function unfinishedIn(
  context: GitContext,
  options: TreeQuestion,
): Promise<string | null> {
  const unmerged = await unmergedPaths(context, options.repository);
  const marked = await withMarkers(options.tree, [...unmerged, ...(options.files ?? [])]);
  if (marked !== null) return `${marked} still has conflict markers`;
  for (const [name, what] of states) {
    const found = await lstat(join(options.repository.gitDir, name)).catch(() => null);
    if (found !== null) return what;
  }
  return unmerged.length === 0 ? null : `${unmerged[0]} is still marked as in conflict`;
}

/** Paths that the tree's own index calls unmerged; none when it cannot be read. */
async function unmergedPaths(context: GitContext, { gitDir }: TreeRepository): Promise<string[]> {
  const bytes = await readPlain(join(gitDir, 'index'), maxIndexBytes);
  if (bytes === null) return [];
  const folder = join(context.state, 'index');
  const copy = join(folder, `copy-${process.pid}-${process.hrtime.bigint()}`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(copy, bytes, { mode: 0o600 });
    const call = {
      ...inMirror(context),
      cwd: context.state,
      workTree: context.state,
      env: { GIT_INDEX_FILE: copy },
      timeoutMs: 30_000,
    };
    const listed = await git(['ls-files', '-z', '-u'], call);
    if (listed.code !== 0) return [];
    return [...new Set(fields(listed.stdout).map((entry) => entry.slice(entry.indexOf('\t') + 1)))];
  } finally {
    await rm(copy, { force: true });
  }
}

/** First of the files that holds both ends of a conflict. */
async function withMarkers(tree: string, files: readonly string[]): Promise<string | null> {
  for (const file of new Set(files)) {
    if (file.split('/').includes('..')) continue;
    const text = (await readPlain(join(tree, file), maxTextBytes))?.toString('latin1') ?? '';
    if (/^<<<<<<< /m.test(text) && /^>>>>>>> /m.test(text)) return file;
  }
  return null;
}

async function readPlain(path: string, limit: number): Promise<Buffer | null> {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
    try {
      const stat = await file.stat();
      return stat.isFile() && stat.size <= limit ? await file.readFile() : null;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
