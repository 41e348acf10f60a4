/** What the merges of a run brought, as git says it: one call for all of them. */
import { inMirror } from './context.ts';
import type { GitContext } from './context.ts';
import { failing, fields, line, output } from './git.ts';
import type { Failed } from './git.ts';
import { changes } from './history.ts';
import { isObjectId } from './refs.ts';

/** A path that a commit changes against what it was built on; a change of type counts as one of content. */
export interface CommitChange {
  readonly path: string;
  readonly status: 'A' | 'M' | 'D';
}

/** What commits change, each against its first parent; renames as delete and add. */
export async function changesOfCommits(
  context: GitContext,
  commits: readonly string[],
): Promise<
  { readonly kind: 'changes'; readonly by: ReadonlyMap<string, readonly CommitChange[]> } | Failed
> {
  return failing(async () => {
    const by = new Map<string, CommitChange[]>(commits.map((commit) => [commit, []]));
    if (commits.length === 0) return { kind: 'changes', by };
    const call = inMirror(context);
    const listed = { ...call, input: commits.map((commit) => `${commit}\n`).join('') };
    const shapes = await output(['rev-list', '--no-walk', '--parents', '--stdin'], listed);
    const pairs = shapes.toString('utf8').replace(/^(\S+ \S+).*$/gm, '$1');
    const args = ['diff-tree', '--stdin', '-r', '-z', '--raw', '--no-abbrev', '--no-renames'];
    const all = fields(await output(args, { ...call, input: pairs }));
    let of: CommitChange[] = [];
    for (let i = 0; i < all.length; i += 1) {
      const field = all[i] ?? '';
      if (isObjectId(field)) {
        of = by.get(field) ?? [];
        continue;
      }
      i += 1;
      const letter = field.slice(field.lastIndexOf(' ') + 1);
      const status = letter === 'A' || letter === 'D' ? letter : 'M';
      of.push({ path: all[i] ?? '', status });
    }
    return { kind: 'changes', by };
  });
}

/** Commits of `to` that `from` has not. */
export async function commitsBetween(
  context: GitContext,
  range: { readonly from: string; readonly to: string },
): Promise<{ readonly kind: 'count'; readonly count: number } | Failed> {
  return failing(async () => {
    const args = ['rev-list', '--count', `${range.from}..${range.to}`];
    return { kind: 'count', count: Number(await line(args, inMirror(context))) };
  });
}

/** What differs between two commits, path by path, renames as delete and add. */
export async function changesBetween(
  context: GitContext,
  range: { readonly from: string; readonly to: string },
): Promise<{ readonly kind: 'changes'; readonly changed: readonly CommitChange[] } | Failed> {
  return failing(async () => {
    const found = await changes(context, range.from, range.to);
    const changed = found.map(({ path, status }) => ({
      path,
      status: status === 'T' ? ('M' as const) : status,
    }));
    return { kind: 'changes', changed };
  });
}
