/** The fetch by which the user's repository is read into one of czar's. */

/**
 * What serves the objects. Git works in a repository of another owner only where the user's settings say so; they were
 * asked when the repository was inspected, and are not read here.
 */
const serve = `git -c 'safe.directory=*' upload-pack`;

/** The arguments of a fetch from the user's checkout at `root`; with `prune`, what has gone there goes here too. */
export function fetchUser(
  root: string,
  refspecs: readonly string[],
  { prune = false }: { readonly prune?: boolean } = {},
): readonly string[] {
  return [
    'fetch',
    '-q',
    '--no-tags',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--update-shallow',
    ...(prune ? ['--prune'] : []),
    `--upload-pack=${serve}`,
    root,
    ...refspecs,
  ];
}
