// Limits that are edited while a loop lives, in the background and in a terminal: they hold at once, and the log says so.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Background } from './support/background.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const changes = (scratch: Scratch): unknown[] =>
  all(scratch.log(), 'limits.changed').map(({ data }) => [data.before, data.after, data.by]);

test('limits that are edited reach a daemon that runs; a file that does not load is told once, and what held holds', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config('max_parallel: 1\n');
  for (const id of ['a', 'b', 'c']) scratch.worker(id);
  scratch.commitAll();
  await daemon.start();
  await scratch.happened('worker.active', 'a');
  scratch.config('max_parallel: 2\n');
  await scratch.happened('worker.active', 'b');
  assert.deepEqual(changes(scratch), [[{ maxParallel: 1 }, { maxParallel: 2 }, 'policy']]);

  scratch.config('max_parallel: [3\n');
  await daemon.says('stay as they were');
  scratch.config('max_parallel: 3\ngrace: 2s\n');
  const next = await scratch.happened('worker.active', 'c');
  assert.ok(next.seq > 0);
  assert.deepEqual(changes(scratch).slice(1), [
    [{ maxParallel: 2, graceMs: 10_000 }, { maxParallel: 3, graceMs: 2_000 }, 'policy'],
  ]);
  assert.equal(daemon.log().split('stay as they were').length, 2);
  assert.match(daemon.log(), /limits of run \S+: max_parallel 1 → 2/);

  for (const id of ['a', 'b', 'c']) (await scratch.stubs.agent(id)).exit();
  await daemon.ended();
  assert.equal((await scratch.json('status')).run.state, 'complete');
});

test('a budget that is edited reaches a czar run in a terminal, and the user’s own file counts too', async () => {
  await using scratch = await Scratch.make();
  const budget = (tokens: number): string => `budget: {run: {tokens: ${tokens}}}\n`;
  const user = join(scratch.base, 'config');
  scratch.env['XDG_CONFIG_HOME'] = user;
  scratch.config(budget(100));
  scratch.worker('a', 'budget: {limit: 60}');
  scratch.worker('b', 'budget: {limit: 60}');
  scratch.commitAll();
  const run = scratch.start('run');
  await scratch.happened('worker.active', 'a');
  assert.match((await scratch.czar('why', 'b')).stdout, /budget/);
  scratch.config(budget(200));
  await scratch.happened('worker.active', 'b');
  const { data } = only(scratch.log(), 'limits.changed');
  assert.deepEqual([data.before.budget.run.tokens, data.after.budget.run.tokens], [100, 200]);
  scratch.write('../config/czar/config.yaml', 'max_parallel: 7\n');
  const next = await scratch.logged((log) => all(log, 'limits.changed')[1]);
  assert.deepEqual(next.data.after, { maxParallel: 7 });
  for (const id of ['a', 'b']) (await scratch.stubs.agent(id)).exit();
  assert.equal((await run.finished).code, 0);
});

test('what flags choose holds until another command chooses, over files and in the next loop; a complete run starts no other', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config('max_parallel: 1\n');
  for (const id of ['a', 'b', 'c']) scratch.worker(id);
  scratch.commitAll();
  const started = await daemon.start('--max-parallel', '2');
  for (const id of ['a', 'b']) await scratch.happened('worker.active', id);
  const before = daemon.kill();
  await daemon.again(before);
  scratch.config('max_parallel: 1\ngrace: 1s\n');
  const first = await scratch.happened('limits.changed');
  assert.deepEqual(first.data.after, { graceMs: 1_000 }, 'the flag counts on');
  const again = await daemon.start();
  assert.equal(again.run, started.run);
  assert.equal(changes(scratch).length, 1);
  await daemon.start('--max-parallel', '3');
  await scratch.happened('worker.active', 'c');
  assert.deepEqual(changes(scratch)[1], [{ maxParallel: 2 }, { maxParallel: 3 }, 'user']);
  for (const id of ['a', 'b', 'c']) (await scratch.stubs.agent(id)).exit();
  await daemon.ended();
  const { code, stderr } = await scratch.czar('run', '--max-parallel', '9');
  assert.equal(code, 0);
  assert.match(stderr, /is complete/);
  only(scratch.log(), 'run.started');
});
