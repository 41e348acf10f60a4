/** What happens to a repository while a run is on or between two of its processes: the run goes on, nothing is lost. */
import assert from 'node:assert/strict';
import { renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { filesOf, halfMade, loopOf, treeOf } from './support/odd-repository.ts';
import { Scratch } from './support/scratch.ts';

test('faults 52, 55 and 63: a run is on while the user commits, amends, rebases, checks out, makes worktrees and gc runs in a loop', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  scratch.git('branch', 'old');
  // Reflogs are the user's too, and gc rewrites them.
  scratch.git('config', 'gc.reflogExpire', 'never');
  scratch.git('config', 'gc.reflogExpireUnreachable', 'never');
  using _gc = loopOf(
    scratch,
    'git gc -q --prune=now; git pack-refs --all; git repack -qad; sleep 0.2',
  );
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await a.write('a.txt', 'a\n');
  await a.commit('a');
  // The user's own gc can take away what the user's git has just written, or the folder that it is about to write to.
  const record =
    'alias.record=!f() { for n in 1 2 3 4 5 6 7 8 9; do git add -A && git add --renormalize . && git commit -q "$@" && return; done; return 1; }; f';
  const commit = (...args: readonly string[]): string =>
    scratch.git('-c', record, 'record', ...args);
  scratch.write('mine.txt', 'mine\n');
  commit('-m', 'mine');
  commit('--amend', '-m', 'mine again');
  scratch.git('checkout', '-q', '-b', 'topic', 'old');
  scratch.write('topic.txt', 'topic\n');
  commit('-m', 'topic');
  scratch.git('rebase', '-q', 'main');
  scratch.git('worktree', 'add', '-q', join(scratch.base, 'aside'), 'old');
  const half = halfMade(scratch);
  a.exit();
  await scratch.happened('effect.failed');
  scratch.acting(() => rmSync(half, { recursive: true }));
  const b = await scratch.stubs.agent('b');
  assert.equal((await b.run('cat', 'a.txt')).stdout, 'a\n');
  await b.write('b.txt', 'b\n');
  scratch.git('checkout', '-q', 'main');
  scratch.git('branch', '-q', '-D', 'topic');
  b.exit();
  const done = await running.finished;
  assert.equal(done.code, 0, done.stderr);
  const landed = await scratch.czar('land');
  assert.equal(landed.code, 0, landed.stderr);
  for (const name of ['a.txt', 'b.txt', 'mine.txt']) assert.ok(filesOf(scratch, 'main').has(name));
  scratch.gitIn(join(scratch.repo, '.git/czar/mirror.git'), 'fsck', '--strict');
});

test('a repository that is moved goes on where it was, with what was not committed', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const first = await scratch.stubs.agent('a');
  await first.write('a.txt', 'a\n');
  await first.run('czar', 'emit', 'ask', 'Where are we?');
  first.exit();
  assert.equal((await running.finished).code, 5);
  scratch.move('elsewhere/with space');
  assert.equal((await scratch.czar('answer', 'a', 'Elsewhere.')).code, 0);
  const again = scratch.start('run');
  const second = await scratch.stubs.agent('a', 2);
  assert.equal(second.cwd, treeOf(scratch));
  assert.equal((await second.run('git', 'status', '--porcelain')).stdout, '?? a.txt\n');
  second.exit();
  (await scratch.stubs.agent('b')).exit();
  const done = await again.finished;
  assert.equal(done.code, 0, done.stderr);
  assert.equal((await scratch.czar('land')).code, 0);
  assert.equal(scratch.git('show', 'HEAD:a.txt'), 'a');
});

test('a home that is deleted takes nothing with it but what no attempt had ended on', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const running = scratch.start('run');
  const first = await scratch.stubs.agent('a');
  await first.write('a.txt', 'a\n');
  await first.commit('a');
  await first.write('open.txt', 'open\n');
  await first.run('czar', 'emit', 'ask', 'Is that all?');
  first.exit();
  assert.equal((await running.finished).code, 5);
  scratch.acting(() => rmSync(join(scratch.repo, '.czar'), { recursive: true }));
  const run: string = (await scratch.json('status')).run.id;
  const kept = await scratch.czar('kept', 'show', `${run}/a/1`);
  assert.match(kept.stdout, /open\.txt/);
  assert.match((await scratch.czar('status')).stdout, /Is that all\?/);
  const without = await scratch.czar('run');
  assert.equal(without.code, 4, without.stderr);
  assert.equal((await scratch.czar('answer', 'a', 'No.')).code, 0);
  scratch.git('checkout', '-q', '.czar');
  const again = scratch.start('run');
  const second = await scratch.stubs.agent('a', 2);
  assert.equal((await second.run('cat', 'a.txt')).stdout, 'a\n');
  second.exit();
  (await scratch.stubs.agent('b')).exit();
  const done = await again.finished;
  assert.equal(done.code, 0, done.stderr);
  const events = await scratch.events();
  events.forEach((event, index) => assert.equal(event.seq, index + 1));
});

test('a mirror that is taken away ends the run with the way out, and no attempt is begun that could not come home', async () => {
  await using scratch = await Scratch.make();
  scratch.discards();
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await a.write('a.txt', 'a\n');
  scratch.acting(() =>
    rmSync(join(scratch.repo, '.git/czar/mirror.git'), { recursive: true, force: true }),
  );
  a.exit();
  const done = await running.finished;
  assert.equal(done.code, 5, done.stderr);
  assert.match(done.stdout, /a blocked: .*the mirror is gone \(\S+\): czar doctor says what helps/);
  for (const again of [['unblock', 'a'], ['retry', 'a', '--clean'], ['run']]) {
    const refused = await scratch.czar(...again);
    assert.equal(refused.code, 4, `${again.join(' ')}: ${refused.stdout}${refused.stderr}`);
    assert.match(refused.stderr, /run \S+ cannot go on: the mirror that has its work is gone/);
    assert.match(refused.stderr, /next: .*czar run --new/);
  }
  const attempts = (await scratch.events()).filter(({ type }) => type === 'worker.started');
  assert.equal(attempts.length, 1);
});

test('a run id is not given out again when what czar knew of its run is lost, with its mirror or without', async () => {
  await using scratch = await Scratch.make();
  scratch.discards();
  scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt');
  scratch.worker('a');
  scratch.commitAll();
  const ids: string[] = [];
  for (const lost of ['czar', 'czar/czar.db', null]) {
    const done = await scratch.czar('run');
    assert.equal(done.code, 0, done.stderr);
    const { id, base } = (await scratch.json('status')).run;
    assert.equal(base, scratch.git('rev-parse', 'main'));
    assert.equal(scratch.git('rev-list', '--count', `${base}..czar/${id}-integration`), '2');
    ids.push(id);
    if (lost !== null)
      renameSync(join(scratch.repo, '.git', lost), join(scratch.base, `lost-${ids.length}`));
  }
  const [, day] = /^(\d+)-1$/.exec(ids[0] ?? '') ?? [];
  assert.deepEqual(ids, [`${day}-1`, `${day}-2`, `${day}-3`]);
});
