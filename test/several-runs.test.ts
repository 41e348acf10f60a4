// Several live runs in one daemon.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { all } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

test('runs that are begun while others live share the daemon and its slots, and one that lives is gone on with, not doubled', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config('max_parallel: 2\n');
  for (const id of ['a', 'b', 'c']) scratch.worker(id);
  scratch.commitAll();
  const first = await daemon.start('a');
  const a = await scratch.stubs.agent('a');
  const second = await daemon.start('--new', 'b', 'c');
  assert.deepEqual([second.pid, second.started], [first.pid, true]);
  assert.notEqual(second.run, first.run);
  const b = await scratch.stubs.agent('b');
  await scratch.happened('worker.active', 'b');
  const again = await Promise.all([
    scratch.json('daemon', 'start', '--run', first.run),
    scratch.json('daemon', 'start', '--run', second.run),
  ]);
  assert.deepEqual(
    again.map(({ run, started }) => [run, started]),
    [
      [first.run, false],
      [second.run, false],
    ],
  );
  const { runs } = await scratch.json('daemon', 'status');
  assert.deepEqual(
    runs.map(({ id, state }: any) => [id, state]),
    [
      [first.run, 'running'],
      [second.run, 'running'],
    ],
  );
  const waiting = await scratch.json('status', '--run', second.run);
  assert.deepEqual(
    waiting.workers.map((one: any) => one.state),
    ['active', 'ready'],
  );
  assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1'], 'two slots, of both runs together');
  const before = daemon.kill();
  await daemon.again(before);
  // The slot of one run is taken by the other.
  a.exit();
  const c = await scratch.stubs.agent('c');
  b.exit();
  c.exit();
  await daemon.ended();
  for (const run of [first.run, second.run])
    assert.equal((await scratch.json('status', '--run', run)).run.state, 'complete');
  assert.equal(all(scratch.log(), 'run.started').length, 2);
  assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1', 'c/1']);
});

test('while several runs live a command acts on the one that --run names, and without it on none, naming them', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  for (const id of ['a', 'b']) scratch.worker(id);
  scratch.commitAll();
  const { run: first } = await daemon.start('a');
  await scratch.stubs.agent('a');
  const { run: second } = await daemon.start('--new', 'b');
  const b = await scratch.stubs.agent('b');
  await scratch.happened('worker.active', 'b');
  const before = (await scratch.events()).length;
  for (const words of [
    ['status'],
    ['why', 'a'],
    ['pause', 'a'],
    ['cancel', '--yes'],
    ['land'],
    ['retry', 'a'],
    ['budget', 'a'],
    ['run'],
    ['daemon', 'start'],
  ]) {
    const unclear = await scratch.czar(...words);
    assert.equal(unclear.code, 4, `${words.join(' ')}: ${unclear.stdout}${unclear.stderr}`);
    assert.match(unclear.stderr, new RegExp(`more than one run is live\n *at ${first}, ${second}`));
    assert.match(unclear.stderr, /--run ID/);
  }
  const other = await scratch.czar('why', 'a', '--run', '20200101-1');
  assert.equal(other.code, 3);
  assert.match(other.stderr, new RegExp(`runs: ${first}, ${second}`));
  assert.equal((await scratch.events()).length, before);
  assert.equal((await scratch.czar('cancel', '--run', first, '--yes')).code, 0);
  await scratch.happened('run.cancelled');
  const { workers } = await scratch.json('status', '--run', second);
  assert.deepEqual(
    workers.map((one: any) => [one.id, one.state]),
    [['b', 'active']],
  );
  // The other one is the only live one now.
  assert.equal((await scratch.json('status')).run.id, second);
  b.exit();
  await daemon.ended();
});
