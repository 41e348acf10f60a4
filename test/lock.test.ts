/** One loop for a repository: many that start at once, owners that died, owners that live long, a log that others use. */
import assert from 'node:assert/strict';
import { readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { inTerminal } from './support/through.ts';

test(
  'fault 13: of twenty runs that are started at once one works, and the others say who it is',
  inTerminal('it is about the lock of the process that was started'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.config();
    scratch.worker('a');
    scratch.commitAll();
    const started = Array.from({ length: 20 }, () => scratch.start('run'));
    const a = await scratch.stubs.agent('a');
    const winner = (await scratch.happened('loop.started')).data.pid;
    const losers = started.filter(({ child }) => child.pid !== winner);
    assert.equal(losers.length, 19);
    for (const { finished } of losers) {
      const { code, stderr } = await finished;
      assert.equal(code, 4, stderr);
      assert.match(stderr, new RegExp(`pid ${winner}\\b[^]*\\n {2}next: `));
    }
    a.exit();
    const won = await started.find(({ child }) => child.pid === winner)?.finished;
    assert.equal(won?.code, 0, won?.stderr);
    assert.deepEqual(scratch.stubs.launches, ['a/1']);
    only(scratch.log(), 'loop.started');
    only(scratch.log(), 'run.started');
  },
);

test(
  'fault 32: what a dead owner left, or what nobody can read, is taken over at once',
  inTerminal('it is about the lock of the process that was started'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.config();
    scratch.worker('a');
    scratch.commitAll();
    const first = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    await scratch.happened('worker.active', 'a');
    first.child.kill('SIGKILL');
    await first.finished;
    const state = join(scratch.repo, '.git/czar');
    const owner = readFileSync(join(state, 'owner.json'), 'utf8');
    assert.equal(
      JSON.parse(owner).pid,
      first.child.pid,
      'the dead owner still says that it owns it',
    );
    a.exit();
    await a.gone;
    assert.equal((await scratch.czar('run')).code, 0);
    assert.deepEqual(scratch.stubs.launches, ['a/1']);
    scratch.scripted('exit 0');
    for (const [said, lock] of [
      ['{"pid": 1, "start": ', 'no database'],
      [owner, ''],
    ] as const) {
      writeFileSync(join(state, 'owner.json'), said);
      writeFileSync(join(state, 'lock.db'), lock);
      const { code, stderr } = await scratch.czar('run', '--new');
      assert.equal(code, 0, `${said} ${lock}: ${stderr}`);
    }
    assert.equal(all(scratch.log(), 'run.started').length, 3);
  },
);

test(
  'fault 33: an owner that lives is never taken for dead, however old its lock and its words are',
  inTerminal('it is about the lock of the process that was started'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.config();
    scratch.worker('a');
    scratch.commitAll();
    const first = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    const state = join(scratch.repo, '.git/czar');
    const long = new Date(Date.now() - 400 * 24 * 3_600_000);
    for (const name of ['lock.db', 'owner.json']) utimesSync(join(state, name), long, long);
    for (const argv of [['run'], ['run', '--new']]) {
      const { code, stderr } = await scratch.czar(...argv);
      assert.equal(code, 4, stderr);
      assert.match(stderr, new RegExp(`pid ${first.child.pid}\\b`));
    }
    a.exit();
    assert.equal((await first.finished).code, 0);
    assert.deepEqual(scratch.stubs.launches, ['a/1']);
  },
);

test('fault 10: somebody who reads the log for long hinders nobody, and somebody who locks it is waited for', async () => {
  await using scratch = await Scratch.make();
  scratch.config('retry: {initial: 0s}\n');
  for (const id of ['a', 'b']) scratch.worker(id);
  scratch.worker('c', 'dependencies: [a, b]');
  scratch.commitAll();
  const run = scratch.start('run');
  const [a, b] = await Promise.all(['a', 'b'].map((id) => scratch.stubs.agent(id)));
  const log = join(scratch.repo, '.git/czar/czar.db');
  {
    using reader = new DatabaseSync(log, { readOnly: true });
    reader.exec('BEGIN');
    const { seen } = reader.prepare('SELECT max(seq) AS seen FROM event').get() as { seen: number };
    await a?.write('a.txt', 'a');
    a?.exit();
    const { seq } = await scratch.happened('worker.merged', 'a');
    assert.ok(seq > seen, 'events are appended while somebody reads');
    const again = reader.prepare('SELECT max(seq) AS seen FROM event').get() as { seen: number };
    assert.equal(again.seen, seen);
    assert.equal((await scratch.czar('status')).code, 0, 'and others read too');
  }
  {
    using writer = new DatabaseSync(log, { timeout: 10_000 });
    writer.exec('BEGIN IMMEDIATE');
    await b?.write('b.txt', 'b');
    b?.exit();
    await run.seen('the log is busy: another process has held it for too long');
    assert.equal((await scratch.czar('status')).code, 0, 'reading goes on');
    assert.deepEqual(scratch.stubs.launches.toSorted(), ['a/1', 'b/1']);
    writer.exec('ROLLBACK');
  }
  const c = await scratch.stubs.agent('c');
  await c.write('c.txt', 'c');
  c.exit();
  const { code, stderr } = await run.finished;
  assert.equal(code, 0, stderr);
  assert.deepEqual(scratch.stubs.launches.toSorted(), ['a/1', 'b/1', 'c/1']);
  for (const id of ['a', 'b', 'c']) only(scratch.log(), 'worker.merged', id);
  assert.deepEqual(all(scratch.log(), 'worker.error'), []);
});
