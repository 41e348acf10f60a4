/** Which commits of a repository would still be reachable without some of its refs. Reads only. */
import { git, gitFailure, output, type GitCall } from '../git/git.ts';

/**
 * Those of `commits` that the repository has and that one of the `survivors` leads to. What it lacks, and what is no
 * commit, is not among them. For use inside `failing`.
 */
export async function reachableFrom(
  call: GitCall,
  of: { readonly commits: readonly string[]; readonly survivors: readonly string[] },
): Promise<ReadonlySet<string>> {
  const commits = await commitsOf(call, of.commits);
  if (commits.length === 0) return new Set();
  const survivors = await commitsOf(call, of.survivors, true);
  if (survivors.length === 0) return new Set();
  const args = ['rev-list', '--stdin'];
  // Git 2.39 takes no `--not` here.
  const input = [...commits, ...survivors.map((id) => `^${id}`), ''].join('\n');
  const walked = await git(args, { ...call, input });
  if (walked.code !== 0 || walked.trouble !== null) throw gitFailure(args, walked);
  const lost = new Set(walked.stdout.toString('utf8').split('\n'));
  return new Set(commits.filter((commit) => !lost.has(commit)));
}

/** Those ids that are commits here; with `peel` also the commits that tags among them mark. */
async function commitsOf(
  call: GitCall,
  ids: readonly string[],
  peel = false,
): Promise<readonly string[]> {
  const wanted = [...new Set(ids)].map((id) => (peel ? `${id}^{commit}` : id));
  if (wanted.length === 0) return [];
  const args = ['cat-file', '--batch-check=%(objectname) %(objecttype)'];
  const said = (await output(args, { ...call, input: `${wanted.join('\n')}\n` })).toString('utf8');
  return said.split('\n').flatMap((line) => /^([0-9a-f]+) commit$/.exec(line)?.[1] ?? []);
}

/** Refs of a repository below prefixes, or of these names: full name to object. */
export async function refsOf(
  call: GitCall,
  ...prefixes: readonly string[]
): Promise<ReadonlyMap<string, string>> {
  const args = ['for-each-ref', '--format=%(objectname) %(refname)', ...prefixes];
  const text = (await output(args, call)).toString('utf8');
  const refs = new Map<string, string>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space > 0) refs.set(line.slice(space + 1), line.slice(0, space));
  }
  return refs;
}
