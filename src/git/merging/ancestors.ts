/** Which branches of the user's repository are in the history of another. Reads only. */
import { inUserRepository } from '../context.ts';
import type { GitContext } from '../context.ts';
import { failing, output } from '../git.ts';
import type { Failed } from '../git.ts';

export interface BranchStand {
  /** Commit that it stands at. */
  readonly commit: string;
  /** Whether all of it is in the history of the other. */
  readonly within: boolean;
}

/** How branches (full names) stand to a commit; what does not exist is left out. */
export async function standOf(
  context: GitContext,
  options: { readonly refs: readonly string[]; readonly to: string },
): Promise<{ readonly kind: 'stands'; readonly by: ReadonlyMap<string, BranchStand> } | Failed> {
  return failing(async () => {
    const { refs, to } = options;
    if (refs.length === 0) return { kind: 'stands', by: new Map() };
    const [all, merged] = await Promise.all([
      list(context, refs, []),
      list(context, refs, [`--merged=${to}`]),
    ]);
    const wanted = new Set(refs);
    const by = new Map(
      [...all]
        .filter(([ref]) => wanted.has(ref))
        .map(([ref, commit]) => [ref, { commit, within: merged.has(ref) }] as const),
    );
    return { kind: 'stands', by };
  });
}

async function list(
  context: GitContext,
  refs: readonly string[],
  filter: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', ...filter, ...refs];
  const text = (await output(args, inUserRepository(context))).toString('utf8');
  const lines = text.split('\n').filter((line) => line !== '');
  return new Map(
    lines.map((line) => {
      const space = line.indexOf(' ');
      return [line.slice(space + 1), line.slice(0, space)] as const;
    }),
  );
}
