/** Whether git may write where it must in the user's repository: asked before, since git would fail half way. */
import { access, constants } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isMissing } from './trees/discard.ts';
import type { GitContext } from './context.ts';

/** Where objects, refs and locks go; a folder that is not there is made by git, in one of these. */
const folders = ['.', 'objects', 'objects/pack', 'refs', 'refs/heads', 'refs/czar', 'reftable'];

/** A folder of git's, absolute, in which this user may not write; null when there is none. `target` is a branch to be moved. */
export async function closedFolder(
  { commonDir }: Pick<GitContext, 'commonDir'>,
  target: string | null = null,
): Promise<string | null> {
  const ofTarget = target === null ? [] : [dirname(`refs/heads/${target}`)];
  for (const name of new Set([...folders, ...ofTarget])) {
    const folder = join(commonDir, name);
    if (!(await isWritable(folder))) return folder;
  }
  return null;
}

/**
 * Whether this user may make and remove files in a folder, or there is no such folder. Of a file system that is
 * read-only as a whole the log tells.
 */
export async function isWritable(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    return isMissing(error) || code === 'EROFS';
  }
}

/** Why nothing lands, in one sentence. */
export function mayNotWrite(folder: string): string {
  return `you may not write in ${folder}, where git must: let yourself write there, then land again`;
}
