import assert from 'node:assert/strict';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchRepository } from '../../test/support/git-fixture.ts';
import { branchHolds } from './branches.ts';
import { gitContext } from './context.ts';

test('a branch holds a commit, or does not; a git that cannot tell says neither', async () => {
  using scratch = scratchRepository();
  const commonDir = join(scratch.root, '.git');
  const context = gitContext({ root: scratch.root, commonDir, home: join(scratch.root, '.czar') });
  const first = scratch.git('rev-parse', 'HEAD');
  scratch.git('branch', 'behind');
  scratch.git('commit', '-q', '--allow-empty', '-m', 'second');
  const second = scratch.git('rev-parse', 'HEAD');
  assert.equal(await branchHolds(context, 'main', first), true);
  assert.equal(await branchHolds(context, 'main', second), true);
  assert.equal(await branchHolds(context, 'behind', second), false);
  assert.equal(await branchHolds(context, 'gone', first), false);
  assert.equal(await branchHolds(context, 'main', '1'.repeat(40)), false);
  appendFileSync(join(commonDir, 'config'), '[broken\n');
  for (const commit of [first, second, '1'.repeat(40)]) {
    const told = await branchHolds(context, 'behind', commit);
    assert.ok(typeof told !== 'boolean');
    assert.match(told.error, /config/);
  }
});
