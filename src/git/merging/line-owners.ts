/** Whose work a line of the integration branch is, as far as git can tell. Reads only. */
import { inMirror, type GitContext } from '../context.ts';
import { failing, git, type Failed } from '../git.ts';
import { changes, isAncestor } from '../history.ts';

/** A worker's merge: the commit with which its work entered integration. */
export interface MergeOf {
  readonly worker: string;
  readonly commit: string;
}

export interface LinePlace {
  readonly file: string;
  /** From 1; null for the file as a whole. */
  readonly line: number | null;
}

/**
 * For each place the worker that wrote its line last, else the last one that changed its file; null when none did.
 * `merges` in the order in which they entered.
 */
export async function ownersOfLines(
  context: GitContext,
  of: {
    readonly tip: string;
    readonly merges: readonly MergeOf[];
    readonly places: readonly LinePlace[];
  },
): Promise<{ readonly kind: 'owners'; readonly owners: readonly (string | null)[] } | Failed> {
  const { tip, merges, places } = of;
  return failing(async () => {
    const files = new Map<string, Set<string>>();
    for (const { worker, commit } of merges) {
      const changed = await changes(context, `${commit}^1`, commit);
      files.set(worker, new Set(changed.map(({ path }) => path)));
    }
    const lastIn = (file: string): string | null =>
      merges.findLast(({ worker }) => files.get(worker)?.has(file) === true)?.worker ?? null;
    const owners: (string | null)[] = [];
    for (const place of places) {
      const wrote = await lastWrote(context, tip, place);
      owners.push(
        (wrote === null ? null : await broughtBy(context, merges, wrote)) ?? lastIn(place.file),
      );
    }
    return { kind: 'owners', owners };
  });
}

/** The commit that a line comes from; null where there is no such line any more. */
async function lastWrote(
  context: GitContext,
  tip: string,
  { file, line }: LinePlace,
): Promise<string | null> {
  if (line === null) return null;
  const args = ['blame', '--porcelain', '-L', `${line},${line}`, tip, '--', file];
  const { code, stdout } = await git(args, inMirror(context));
  return code === 0 ? (stdout.toString('utf8').split(' ')[0] ?? null) : null;
}

/** The first merge that has the commit; none when it was there before all of them. */
async function broughtBy(
  context: GitContext,
  merges: readonly MergeOf[],
  commit: string,
): Promise<string | null> {
  const [first] = merges;
  if (first === undefined || (await isAncestor(context, commit, `${first.commit}^1`))) return null;
  let [low, high] = [0, merges.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    const merge = merges[middle];
    if (merge !== undefined && (await isAncestor(context, commit, merge.commit))) high = middle;
    else low = middle + 1;
  }
  return merges[low]?.worker ?? null;
}
