/**
 * How much the commits of an attempt would bring into the mirror, found out before they are fetched. What is too much
 * stays in its tree, whole, until a person has decided.
 */
import { lstat, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failure, git } from '../git.ts';
import type { GitCall } from '../git.ts';
import type { TreeRepository } from '../trees/isolation.ts';

/** What one attempt may bring. */
export interface WorkLimits {
  /** Bytes of new objects, as git stores them. */
  readonly bytes: number;
  /** Paths that are added, changed or deleted. */
  readonly paths: number;
}

/**
 * Throws unless what the ids lead to, and `known` ids do not, takes at most so many bytes. `call` is on a repository
 * that has all objects. For use inside `failing`.
 */
export async function assertWorkSize(
  call: GitCall,
  of: {
    readonly repository: TreeRepository;
    readonly ids: readonly string[];
    readonly known: readonly string[];
    readonly most: number;
  },
): Promise<void> {
  const { repository, ids, known, most } = of;
  // A store of the tree's own that is small as a whole spares the walk over its objects.
  const own = repository.objects.every((store) => dirname(store) === repository.gitDir);
  if (ids.length === 0 || (own && (await isWithin(repository.objects, most)))) return;
  // Older gits take no `--not` here.
  const input = [...ids, ...known.map((id) => `^${id}`), ''].join('\n');
  const args = ['rev-list', '--objects', '--disk-usage', '--stdin'];
  const { code, stdout } = await git(args, { ...call, input });
  // What is damaged cannot be measured, and is not fetched either.
  const bytes = code === 0 ? Number(stdout.toString('utf8')) : 0;
  if (bytes > most) {
    throw failure(
      `its commits bring ${bytes} bytes, and ${most} are allowed (max_work_size): they stay in its tree`,
    );
  }
}

/** Whether the files below the folders take at most so many bytes. */
async function isWithin(folders: readonly string[], most: number): Promise<boolean> {
  let bytes = 0;
  const open = [...folders];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) open.push(path);
      else bytes += (await lstat(path)).size;
      if (bytes > most) return false;
    }
  }
  return true;
}
