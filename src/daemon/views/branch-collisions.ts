/** What in the user's repository is in the way of the branches of a plan, before there is a run. Reads only. */
import { branchFacts } from '../../git/branches.ts';
import { gitContext } from '../../git/context.ts';
import type { Place } from '../place.ts';

/** No run has this id. */
const placeholder = '00000000-0';

/**
 * Why branches cannot be made, by name; `own` are czar's own, whose runs are written `<run>`. `names` are those that
 * the plan writes out. Those that are there and not a worker's to move are `kept`: by what the configuration says, and
 * `for now` when they are only checked out. Nothing when git cannot tell (no repository, no git).
 */
export async function branchCollisions(
  place: Place,
  names: readonly string[],
  settings: { readonly base: string | null; readonly target: string | null },
): Promise<{
  readonly own: string | null;
  readonly written: ReadonlyMap<string, string>;
  readonly kept: ReadonlyMap<string, { readonly why: string; readonly forNow: boolean }>;
}> {
  const { root, commonDir, home } = place;
  const integration = `czar/${placeholder}-integration`;
  const found = await branchFacts(gitContext({ root, commonDir, home: home.path }), {
    names: [integration, ...names],
    base: 'HEAD',
  });
  const collisions = found.kind === 'failed' ? [] : found.branches;
  const written = new Map<string, string>();
  let own: string | null = null;
  const kept = new Map<string, { readonly why: string; readonly forNow: boolean }>();
  for (const { name, collision, commit, checkedOut } of collisions) {
    if (collision === null) {
      const why = commit === null ? null : configured(name, settings);
      if (why !== null) kept.set(name, { why, forNow: false });
      else if (checkedOut) kept.set(name, { why: 'is checked out', forNow: true });
      continue;
    }
    if (name === integration) own = collision.replaceAll(placeholder, '<run>');
    // What collides within the plan is the plan's own problem, and has been said with it.
    else if (!names.some((other) => other !== name && collision.includes(` ${other} `)))
      written.set(name, collision);
  }
  return { own, written, kept };
}

/** What the configuration has a branch for, beside a worker; null when nothing. */
function configured(
  name: string,
  { base, target }: { readonly base: string | null; readonly target: string | null },
): string | null {
  if (name === target) return 'is where runs land';
  return name === base ? 'is the base of runs' : null;
}
