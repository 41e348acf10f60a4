/** What the user's own cleaning and switching cannot take away. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

test('git clean -ffdx in the checkout loses neither kept nor merged work, and the run goes on', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    `echo "$CZAR_ATTEMPT" > $CZAR_WORKER.txt; [ $CZAR_WORKER = good ] || [ $CZAR_ATTEMPT = 2 ]`,
    'retry: {max_attempts: 1}\n',
  );
  scratch.worker('good');
  scratch.worker('bad');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  scratch.git('clean', '-q', '-ffdx');
  assert.equal(existsSync(join(scratch.repo, '.czar/worktrees')), false);

  const status = await scratch.json('status');
  assert.deepEqual([status.totals.complete, status.totals.failed], [1, 1]);
  const restored = await scratch.czar('kept', 'restore', 'bad', '--into', 'back');
  assert.equal(restored.code, 0, restored.stderr);
  assert.equal(readFileSync(join(scratch.repo, 'back/bad.txt'), 'utf8'), '1\n');

  const again = await scratch.czar('run', '--failed');
  assert.equal(again.code, 0, again.stderr);
  assert.deepEqual(scratch.log(), await scratch.events());
  const landed = await scratch.czar('land');
  assert.equal(landed.code, 0, landed.stderr);
  assert.equal(readFileSync(join(scratch.repo, 'bad.txt'), 'utf8'), '2\n');
});

test('git clean -ffdx while agents run: one goes on until it ends, then all work is done, and nothing crashes', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const running = scratch.start('run');
  const first = await scratch.stubs.agent('a');
  await first.write('a.txt', 'half\n');
  const commit = await first.commit('half');
  scratch.git('clean', '-ffdxq');
  first.exit();
  const second = await scratch.stubs.agent('a', 2);
  assert.equal(existsSync(second.cwd), true);
  await second.write('b.txt', 'whole\n');
  second.exit();
  const { code, stderr } = await running.finished;
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /ENOENT|^ {4}at /m);
  const log = scratch.log();
  assert.equal(log.find((event) => event.type === 'attempt.ended').data.end.how, 'lost');
  assert.ok(commit);
  assert.equal(scratch.git('status', '--porcelain'), '');
});

test('with the integration branch checked out by the user the run goes on, and says that it left it alone', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  const run = scratch.log().find((event) => event.run).run;
  scratch.git('checkout', '-q', `czar/${run}-integration`);
  await a.write('a.txt', 'a\n');
  a.exit();
  const b = await scratch.stubs.agent('b');
  assert.equal(existsSync(join(b.cwd, 'a.txt')), true);
  b.exit();
  assert.equal((await running.finished).code, 0);
  scratch.assertUntouched();
  assert.equal(scratch.git('status', '--porcelain'), '');
  const { diverged } = (await scratch.json('status')).run;
  assert.deepEqual(diverged, [
    { ref: `refs/heads/czar/${run}-integration`, why: 'it is checked out' },
  ]);
  assert.match(scratch.git('ls-tree', '--name-only', `refs/czar/integration/${run}`), /a\.txt/);
});

test('a run in a linked worktree starts from its branch and lands on it', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo a > a.txt');
  scratch.worker('a');
  scratch.commitAll();
  const linked = join(scratch.base, 'linked');
  scratch.git('worktree', 'add', '-q', '-b', 'side', linked);
  const before = scratch.git('rev-parse', 'main');
  const done = await scratch.czar('run', '--repo', linked);
  assert.equal(done.code, 0, done.stderr);
  assert.equal((await scratch.czar('land', '--repo', linked)).code, 0);
  assert.equal(readFileSync(join(linked, 'a.txt'), 'utf8'), 'a\n');
  assert.equal(scratch.gitIn(linked, 'status', '--porcelain'), '');
  assert.equal(scratch.git('rev-parse', 'main'), before);
  // One log for the repository, whichever checkout asks.
  assert.equal((await scratch.json('status')).run.state, 'complete');
});
