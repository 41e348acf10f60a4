/** Work that cannot be read where an agent left it: nobody calls it done, and nothing of it is removed. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

test('commits that cannot be read block their worker, and its tree stays until they are', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `echo work > good.txt; git add -A; git commit -qm good; git checkout -q --detach HEAD~1
rm .git/info/exclude; ln -s /dev/null .git/info/exclude
`,
    'retry: {max_attempts: 1}\n',
  );
  scratch.worker('hidden');
  scratch.commitAll();
  const run = await scratch.czar('run');
  assert.equal(run.code, 5, run.stderr + run.stdout);
  assert.match(run.stdout, /its commits cannot be read|commits could not be read/);
  const tree = join(scratch.repo, '.czar/worktrees/hidden');
  const cleanup = await scratch.czar('worktree', 'cleanup');
  assert.match(cleanup.stdout + cleanup.stderr, /hidden.* stays/);
  assert.ok(existsSync(tree));
  // Mended, it is read.
  rmSync(join(tree, '.git/info/exclude'));
  scratch.gitIn(tree, 'checkout', '-q', '-');
  const submitted = await scratch.czar('submit', 'hidden');
  assert.equal(submitted.code, 0, submitted.stderr);
  assert.equal((await scratch.czar('run')).code, 0);
  scratch.allow({ refs: ['refs/heads/main', 'HEAD'], files: ['good.txt'] });
  assert.equal((await scratch.czar('land')).code, 0);
  assert.equal(readFileSync(join(scratch.repo, 'good.txt'), 'utf8'), 'work\n');
});

test('a pipe in the way of git blocks its worker by name, and no other waits for it', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `echo x > "$CZAR_WORKER.txt"; [ "$CZAR_WORKER" = sound ] || mkfifo .gitignore
`,
    'retry: {max_attempts: 1}\n',
  );
  scratch.worker('piped');
  scratch.worker('sound');
  scratch.commitAll();
  const run = await scratch.czar('run');
  assert.equal(run.code, 5, run.stderr + run.stdout);
  const pipe = join(scratch.repo, '.czar/worktrees/piped/.gitignore');
  assert.match(
    run.stdout,
    /git would wait for ever at .*piped\/\.gitignore, which is a pipe: remove it/,
  );
  assert.ok(existsSync(pipe));
  rmSync(pipe);
  assert.equal((await scratch.czar('submit', 'piped')).code, 0);
  assert.equal((await scratch.czar('run')).code, 0);
});
