/** Landing where the git directory of the checkout is somewhere else. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitOn, gitRun, identity, run } from '../../../test/support/git-worker.ts';
import type { GitRun } from '../../../test/support/git-worker.ts';
import { gitContext } from '../context.ts';
import type { GitContext } from '../context.ts';
import { checkouts } from '../checkouts.ts';
import { buildLanding, commitLanding, recoverLanding } from './land.ts';

const files = { 'a.txt': 'a\n', 'hooks/keep': 'k\n' };
const work = { 'a.txt': 'landed\n', 'hooks/pre-commit': 'never here\n' };

/** Takes the git directory out of the checkout, as `--separate-git-dir` and submodules have it. */
function apart(r: GitRun, options: { readonly named?: boolean } = {}): GitContext {
  const { root, dir } = r.scratch;
  mkdirSync(join(dir, 'gits'));
  const commonDir = join(dir, 'gits/my.git');
  renameSync(join(root, '.git'), commonDir);
  writeFileSync(join(root, '.git'), 'gitdir: ../gits/my.git\n');
  // A submodule's names its folder.
  if (options.named === true)
    r.scratch.git('config', 'core.worktree', `../../${root.slice(dir.length + 1)}`);
  return gitContext({ root, commonDir, home: join(root, '.czar') });
}

async function land(r: GitRun, context: GitContext): Promise<{ readonly kind: string }> {
  const onto = r.scratch.git('rev-parse', 'main');
  const order = { run, target: 'main', onto, mode: 'merge', date: 1_800_000_000_000 } as const;
  const tip = commitOn({ ...r, context }, r.base, work);
  const made = await buildLanding(context, { ...order, tip, message: 'Land', identity });
  if (made.kind !== 'built') return made;
  return commitLanding(context, { run, target: 'main', onto, commit: made.commit });
}

function assertLanded(r: GitRun, context: GitContext): void {
  assert.equal(r.scratch.git('status', '--porcelain'), '');
  assert.equal(readFileSync(join(r.scratch.root, 'a.txt'), 'utf8'), 'landed\n');
  assertNothingIn(context);
}

function assertNothingIn({ commonDir }: GitContext): void {
  for (const name of ['a.txt', 'hooks/pre-commit'])
    assert.equal(existsSync(join(commonDir, name)), false);
}

for (const named of [false, true]) {
  const how = named ? 'names its folder, as a submodule’s does' : 'does not say where it is';
  test(`a checkout whose git directory is elsewhere and ${how} goes along, beside others too`, async () => {
    for (const linked of [false, true]) {
      using r = await gitRun(files);
      const context = apart(r, { named });
      if (linked) r.scratch.git('worktree', 'add', '-q', '-b', 'side', join(r.scratch.dir, 'side'));
      const done = await land(r, context);
      assert.equal(done.kind, 'landed', JSON.stringify(done));
      assertLanded(r, context);
    }
  });
}

test('from a linked checkout the main one goes along where its git directory names it, and else it is refused', async () => {
  for (const named of [true, false]) {
    using r = await gitRun(files);
    const main = apart(r, { named });
    const root = join(r.scratch.dir, 'side');
    r.scratch.git('worktree', 'add', '-q', '-b', 'side', root);
    const context = gitContext({ ...main, root, home: join(root, '.czar') });
    const before = r.scratch.git('rev-parse', 'main');
    const done = await land(r, context);
    if (named) {
      assertLanded(r, context);
      continue;
    }
    const reason =
      'main is checked out in the main checkout of this repository, and nothing here says where that is: land from there';
    assert.deepEqual(done, { kind: 'refused', reason, files: [] });
    assert.equal(r.scratch.git('rev-parse', 'main'), before);
    assert.equal(r.scratch.git('status', '--porcelain'), '');
    assertNothingIn(context);
    assert.equal((await checkouts(context)).length, 2);
  }
});

test('a landing that was interrupted is carried through in no folder but a checkout', async () => {
  using r = await gitRun(files);
  const context = apart(r);
  r.scratch.write({ 'a.txt': 'landed\n' });
  r.scratch.git('commit', '-qam', 'landed');
  const now = r.scratch.git('rev-parse', 'main');
  const note = join(context.state, 'landing');
  const { commonDir } = context;
  writeFileSync(note, ['refs/heads/main', commonDir, commonDir, r.base, now].join('\0'));
  assert.deepEqual(await recoverLanding(context), { kind: 'recovered', notUpdated: [] });
  assertNothingIn(context);
  assert.equal(existsSync(note), false);
});
