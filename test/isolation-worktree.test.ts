/** `isolation: worktree`: whole runs whose trees are linked worktrees of the user's repository. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';
import { inTerminal } from './support/through.ts';

test('a run in linked worktrees works to its end and lands, and says what it cannot protect', async () => {
  await using scratch = await Scratch.make();
  scratch.config('isolation: worktree\n');
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\nverify: test -f a.txt && test -f b.txt\n');
  scratch.commitAll();
  assert.match((await scratch.czar('plan', 'show')).stderr, /share the configuration, hooks/);
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  assert.equal(existsSync(join(a.cwd, '.czar-run/WORKER_IDENTITY.md')), true);
  await a.write('a.txt', 'a\n');
  await a.run('git', 'add', '-A');
  await a.run('git', 'commit', '-q', '-m', 'All of a');
  assert.equal((await a.run('czar', 'emit', 'checkpoint', 'half')).code, 0);
  const list = scratch.gitIn(scratch.repo, 'worktree', 'list');
  assert.match(list, new RegExp(`${a.cwd} .*\\[czar/\\d+-1/a\\]`));
  a.exit();
  const b = await scratch.stubs.agent('b');
  assert.equal((await b.run('cat', 'a.txt')).stdout, 'a\n');
  await b.write('b.txt', 'left uncommitted\n');
  await b.run('git', 'config', 'core.bare', 'true');
  b.exit();
  const done = await running.finished;
  assert.equal(done.code, 0, done.stderr);
  assert.match(done.stderr, /isolation: worktree: agents share .* reported, not prevented/);
  assert.match(done.stderr, /b: core\.bare of your repository changed .* put back/);
  const events = await scratch.events();
  const collected = events.filter((event) => event.type === 'work.collected');
  assert.deepEqual(
    collected.map(({ data }) => data.notes?.length ?? 0),
    [0, 1],
  );
  assert.ok(events.some((event) => event.type === 'worker.checkpoint'));
  assert.deepEqual(
    events.filter((event) => event.type === 'refs.diverged'),
    [],
  );
  const landed = await scratch.czar('land');
  assert.equal(landed.code, 0, landed.stderr);
  assert.equal(scratch.git('status', '--porcelain'), '');
  const files = scratch.git('ls-tree', '-r', '--name-only', 'main').split('\n');
  assert.deepEqual(
    files.filter((file) => !file.startsWith('.czar/')),
    ['README.md', 'a.txt', 'b.txt'],
  );
  scratch.git('fsck', '--strict');
});

test('a conflict in a linked worktree is resolved there by the name that czar gives, and submitted', async () => {
  await using scratch = await Scratch.make();
  scratch.config('isolation: worktree\n');
  scratch.worker('a');
  scratch.worker('b');
  scratch.commitAll();
  const running = scratch.start('run');
  for (const worker of ['a', 'b']) {
    const agent = await scratch.stubs.agent(worker);
    await agent.write('same.txt', `${worker}\n`);
  }
  (await scratch.stubs.agent('a')).exit();
  await scratch.happened('worker.complete', 'a');
  (await scratch.stubs.agent('b')).exit();
  const done = await running.finished;
  assert.equal(done.code, 5, done.stderr);
  const [, tree = '', ref = ''] =
    /cd (\S+) && git merge (\S+); then czar submit b/.exec(done.stderr + done.stdout) ?? [];
  const folder = join(scratch.repo, tree);
  assert.throws(() => scratch.gitIn(folder, 'merge', '-q', ref));
  writeFileSync(join(folder, 'same.txt'), 'a\nb\n');
  scratch.gitIn(folder, 'commit', '-q', '-a', '-m', 'Both');
  assert.equal((await scratch.czar('submit', 'b')).code, 0);
  const again = await scratch.czar('run');
  assert.equal(again.code, 0, again.stderr);
  const run: string = scratch.log().find((event) => event.run).run;
  assert.equal(scratch.git('show', `czar/${run}-integration:same.txt`), 'a\nb');
});

test(
  'a run in linked worktrees that is killed again and again ends as if nothing had happened',
  inTerminal('npm run crash kills daemons at crash points'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.scripted(
      'echo "$CZAR_WORKER/$CZAR_ATTEMPT" >> "$HOME/launches"; echo x > $CZAR_WORKER-$CZAR_ATTEMPT.txt; [ "$CZAR_ATTEMPT" != 1 ] || exit 3',
      'isolation: worktree\n',
    );
    scratch.worker('a', 'retry: {initial: 10ms}\n');
    scratch.commitAll();
    for (const place of [
      'tree:before-checkout',
      'link:before-branch',
      'tree:before-rename',
      'link:after-admin',
      'tree:after-rename',
      'tree:before-discard',
      'tree:after-discard',
      'collect:before-move-on',
      'collect:after-move-on',
    ]) {
      scratch.env['CZAR_CRASH_AT'] = place;
      const { code, signal, stderr } = await scratch.czar('run');
      assert.ok(signal === 'SIGKILL' || code === 137, `${place} was not reached: ${stderr}`);
    }
    delete scratch.env['CZAR_CRASH_AT'];
    const done = await scratch.czar('run');
    assert.equal(done.code, 0, done.stderr);
    const launches = readFileSync(join(scratch.base, 'home/launches'), 'utf8').trim().split('\n');
    assert.deepEqual(launches, [...new Set(launches)], 'no attempt runs twice');
    const run = scratch.log().find((event) => event.run).run;
    const merged = scratch.git('ls-tree', '--name-only', `czar/${run}-integration`);
    assert.match(merged, /a-2\.txt/);
    assert.doesNotMatch(merged, /a-1\.txt/);
    assert.match((await scratch.czar('kept', 'list')).stdout, new RegExp(`${run}/a/1`));
    assert.equal(scratch.git('worktree', 'list').split('\n').length, 2);
    for (const left of ['linking', 'unlinked'])
      assert.equal(existsSync(join(scratch.repo, '.git/czar', left)), false, left);
  },
);
