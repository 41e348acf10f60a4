/** What in the user's repository is in the way of the branches of a plan, before there is a run. Reads only. */
import { branchFacts } from '../../git/branches.ts';
import { gitContext } from '../../git/context.ts';
import type { Place } from '../place.ts';

/** No run has this id. */
const placeholder = '00000000-0';

/**
 * Why branches cannot be made, by name; `own` are czar's own, whose runs are written `<run>`. `names` are those that
 * the plan writes out. Nothing when git cannot tell (no repository, no git).
 */
export async function branchCollisions(
  place: Place,
  names: readonly string[],
): Promise<{ readonly own: string | null; readonly written: ReadonlyMap<string, string> }> {
  const { root, commonDir, home } = place;
  const integration = `czar/${placeholder}-integration`;
  const found = await branchFacts(gitContext({ root, commonDir, home: home.path }), {
    names: [integration, ...names],
    base: 'HEAD',
  });
  const collisions = found.kind === 'failed' ? [] : found.branches;
  const written = new Map<string, string>();
  let own: string | null = null;
  for (const { name, collision } of collisions) {
    if (collision === null) continue;
    if (name === integration) own = collision.replaceAll(placeholder, '<run>');
    // What collides within the plan is the plan's own problem, and has been said with it.
    else if (!names.some((other) => other !== name && collision.includes(` ${other} `)))
      written.set(name, collision);
  }
  return { own, written };
}
