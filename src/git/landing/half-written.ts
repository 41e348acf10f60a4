/** What a git that was killed left of the files that it wrote: nothing, or the beginning of one. */
import { closeSync, fstatSync, readFileSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { join } from 'node:path';
import { openPlainFile } from '../../process/plain-file.ts';
import { git } from '../git.ts';
import type { GitCall } from '../git.ts';

/** Git writes few files at once: of more that are not as they should be, the rest is somebody's. */
const mostFiles = 64;
/** What is larger is not compared, bytes. */
const mostBytes = 8 * 1024 * 1024;

/**
 * Which of these files of a checkout are not there, or hold the beginning of what they have in the commit and no more:
 * writing those loses nothing, whoever left them so.
 */
export async function halfWritten(
  call: GitCall,
  of: { readonly paths: readonly string[]; readonly worktree: string; readonly commit: string },
): Promise<ReadonlySet<string>> {
  const left = new Set<string>();
  let looked = 0;
  for (const path of of.paths) {
    const found = await lookAt(of.worktree, path);
    if (found === 'missing') left.add(path);
    if (found !== 'there' || (looked += 1) > mostFiles) continue;
    const file = join(of.worktree, path);
    if (await isBeginning(call, { ...of, path, file })) left.add(path);
  }
  return left;
}

/**
 * Whether a path of a checkout is there. What cannot be looked at, or is behind a link or the like, is somebody's,
 * whatever it is.
 */
async function lookAt(worktree: string, path: string): Promise<'there' | 'missing' | 'elsewhere'> {
  const parts = path.split('/');
  for (let n = 1; n <= parts.length; n += 1) {
    const found = await lstat(join(worktree, ...parts.slice(0, n))).catch((error: unknown) =>
      error instanceof Error && 'code' in error && error.code === 'ENOENT'
        ? 'missing'
        : 'elsewhere',
    );
    if (typeof found === 'string') return found;
    if (n < parts.length && !found.isDirectory()) return 'elsewhere';
  }
  return 'there';
}

async function isBeginning(
  call: GitCall,
  of: { readonly path: string; readonly file: string; readonly commit: string },
): Promise<boolean> {
  const there = contentOf(of.file);
  if (there === null) return false;
  if (there.length === 0) return true;
  // With the line ends and filters that git would write it with.
  const whole = await git(['cat-file', '--filters', `${of.commit}:${of.path}`], call);
  return (
    whole.trouble === null &&
    whole.code === 0 &&
    whole.stdout.subarray(0, there.length).equals(there)
  );
}

function contentOf(path: string): Buffer | null {
  const file = openPlainFile(path);
  if (file === null) return null;
  try {
    return fstatSync(file).size > mostBytes ? null : readFileSync(file);
  } finally {
    closeSync(file);
  }
}
