/** Which files of a checkout that could not follow a landing are not as the branch has them yet. Reads only. */
import { checkouts } from '../checkouts.ts';
import type { GitContext } from '../context.ts';
import { failing, fields, output } from '../git.ts';
import type { Failed } from '../git.ts';

/** Those among `paths`, relative to the checkout of `target`; none where the branch is checked out no more. */
export async function stillNotUpdated(
  context: GitContext,
  of: { readonly target: string; readonly paths: readonly string[] },
): Promise<{ readonly kind: 'looked'; readonly paths: readonly string[] } | Failed> {
  return failing(async () => {
    const ref = `refs/heads/${of.target}`;
    const found = (await checkouts(context)).find((one) => one.ref === ref && one.path !== null);
    if (found === undefined || found.path === null) return { kind: 'looked', paths: [] };
    const args = ['status', '--porcelain=v1', '-z', '--untracked-files=all', '--no-renames'];
    const call = { cwd: found.path, config: 'user', signal: context.signal } as const;
    const unlike = new Set(fields(await output(args, call)).map((each) => each.slice(3)));
    return { kind: 'looked', paths: of.paths.filter((path) => unlike.has(path)) };
  });
}
