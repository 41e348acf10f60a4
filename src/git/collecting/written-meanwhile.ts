/**
 * What was written in the user's checkout while an agent worked beside it. Who wrote it cannot be told: it is looked for
 * only where it would be the agent's doing, and then said to a person.
 */
import { lstatSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { GitContext } from '../context.ts';
import { failing, fields, output, type Failed } from '../git.ts';

/** A checkout in which this takes longer is not looked at, milliseconds. */
const timeoutMs = 10_000;

/**
 * Files of the checkout that differ from its HEAD and were written since then (milliseconds since 1970), among these
 * paths; null for all but those of the home. Reads only, and takes no lock.
 */
export async function writtenMeanwhile(
  { root, home, signal }: GitContext,
  { paths, since }: { readonly paths: readonly string[] | null; readonly since: number },
): Promise<readonly string[] | Failed> {
  return failing(async () => {
    const isRecent = (path: string): boolean =>
      (lstatSync(join(root, path), { throwIfNoEntry: false })?.ctimeMs ?? 0) >= since;
    const among = paths?.filter(isRecent);
    if (among?.length === 0) return [];
    const shape = ['--porcelain=v1', '-z', '--untracked-files=all', '--no-renames'];
    const listed = await output(['status', ...shape, '--', ...(among ?? [])], {
      cwd: root,
      config: 'user',
      timeoutMs,
      signal,
    });
    const own = `${relative(root, home)}/`;
    return fields(listed)
      .map((each) => each.slice(3))
      .filter((path) => !path.startsWith(own) && isRecent(path));
  });
}
