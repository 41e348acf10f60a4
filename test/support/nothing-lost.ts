/** Invariant S1 of a scratch repository whose runs have ended: every commit of an agent can be reached by a ref. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { commonDirOf } from './git-fixture.ts';

interface Repository {
  readonly repo: string;
  gitIn(folder: string, ...args: readonly string[]): string;
}

/**
 * Commits of the trees that stand must be reachable in the mirror, and neither there nor in the user's repository may
 * git find a commit out of reach that czar did not itself make as a merge.
 */
export function assertNothingLost(scratch: Repository): void {
  const commonDir = commonDirOf(scratch.repo);
  const mirror = join(commonDir, 'czar/mirror.git');
  if (!existsSync(mirror)) return;
  const reachable = new Set(lines(scratch.gitIn(mirror, 'rev-list', '--all')));
  const trees = join(scratch.repo, '.czar/worktrees');
  for (const name of existsSync(trees) ? readdirSync(trees) : []) {
    const tree = join(trees, name);
    if (!existsSync(join(tree, '.git'))) continue;
    const own = lines(scratch.gitIn(tree, 'rev-list', '--all', 'HEAD'));
    const lost = own.filter((commit) => !reachable.has(commit));
    assert.deepEqual(lost, [], `commits of ${name} that no ref of the mirror reaches`);
  }
  const users = new Set(lines(scratch.gitIn(scratch.repo, 'rev-list', '--all', '--reflog')));
  for (const folder of [mirror, commonDir]) {
    const found = lines(scratch.gitIn(folder, 'fsck', '--unreachable', '--no-progress'));
    const commits = found.flatMap((line) => /^unreachable commit (\w+)$/.exec(line)?.[1] ?? []);
    const lost = commits.filter(
      (commit) =>
        !users.has(commit) && !reachable.has(commit) && !isAbandonedMerge(scratch, folder, commit),
    );
    assert.deepEqual(lost, [], `commits in ${folder} that no ref reaches`);
  }
}

/** A merge that was built and not taken: czar makes it again. */
function isAbandonedMerge(scratch: Repository, folder: string, commit: string): boolean {
  const text = scratch.gitIn(folder, 'show', '-s', '--format=%P%n%B', commit);
  return text.includes('Czar-Run: ') && (text.split('\n')[0] ?? '').includes(' ');
}

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
