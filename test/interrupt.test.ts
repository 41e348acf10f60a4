import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { inTerminal } from './support/through.ts';

test(
  'Ctrl-C lets agents finish and starts nothing more; the next run goes on',
  inTerminal('Ctrl-C there ends the loop, beside a daemon it looks away'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.config('max_parallel: 1\n');
    scratch.worker('a');
    scratch.worker('b');
    scratch.commitAll();
    const first = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    first.child.kill('SIGINT');
    await first.seen('Ctrl-C');
    await a.write('a.txt', 'a\n');
    await a.commit('a');
    a.exit();
    const { code, stdout } = await first.finished;
    assert.equal(code, 130, stdout);
    assert.match(stdout, /1 worker merged into [^]*next: czar run$/m);
    assert.doesNotMatch(stdout, /czar land/);
    const { workers, run } = await scratch.json('status');
    assert.deepEqual(
      workers.map((worker: any) => worker.state),
      ['complete', 'ready'],
    );
    assert.equal(run.state, 'running');

    const second = scratch.start('run');
    (await scratch.stubs.agent('b')).exit();
    assert.equal((await second.finished).code, 0);
    assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1']);
  },
);

test(
  'Ctrl-C twice stops the agents with their work kept, and the next run goes on in the same tree',
  inTerminal('Ctrl-C there ends the loop, beside a daemon it looks away'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.config();
    scratch.worker('a');
    scratch.commitAll();
    const first = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    await a.write('committed.txt', 'one\n');
    await a.commit('half of it');
    await a.write('half.txt', 'two\n');
    first.child.kill('SIGINT');
    await first.seen('Ctrl-C');
    first.child.kill('SIGINT');
    await a.gone;
    const { code, stdout, stderr } = await first.finished;
    assert.equal(code, 130, stdout + stderr);
    assert.match(stderr, /work is kept/);
    const { kept } = await scratch.json('kept', 'list');
    assert.equal(scratch.git('show', `${kept.at(-1)?.ref}:half.txt`), 'two');
    const { workers } = await scratch.json('status');
    assert.deepEqual([workers[0].state, workers[0].liveness], ['ready', 'none']);

    const second = scratch.start('run');
    const again = await scratch.stubs.agent('a', 2);
    assert.equal(again.cwd, a.cwd);
    assert.equal(await readFile(join(again.cwd, 'half.txt'), 'utf8'), 'two\n');
    assert.match(await readFile(again.promptFile, 'utf8'), /You go on in the tree as it was left/);
    again.exit();
    assert.equal((await second.finished).code, 0);
    const { integration } = only(scratch.log(), 'run.started').data;
    assert.equal(scratch.git('show', `${integration}:half.txt`), 'two');
    assert.equal(scratch.git('show', `${integration}:committed.txt`), 'one');
  },
);

test(
  'a check that Ctrl-C twice stopped has no verdict and simply runs again',
  inTerminal('Ctrl-C there ends the loop, beside a daemon it looks away'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.scripted('echo x > a.txt\n');
    const open = join(scratch.base, 'open');
    scratch.worker('a', `verify: "echo $$ > ${open}.pid; test -e ${open} || sleep 100"`);
    scratch.commitAll();
    const first = scratch.start('run');
    await scratch.happened('worker.verifying', 'a');
    while (!existsSync(`${open}.pid`)) await new Promise((resolve) => setTimeout(resolve, 20));
    first.child.kill('SIGINT');
    await first.seen('Ctrl-C');
    first.child.kill('SIGINT');
    assert.equal((await first.finished).code, 130);
    assert.deepEqual(all(scratch.log(), 'gate.inconclusive'), []);
    assert.equal((await scratch.json('status', 'a')).worker.state, 'verifying');

    writeFileSync(open, '');
    assert.equal((await scratch.czar('run')).code, 0);
    only(scratch.log(), 'worker.started', 'a');
  },
);

test('faults 24, 46 and 48: after kill -9 the next run adopts live agents, collects those that ended, and does nothing twice', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  for (const id of ['lives', 'ends', 'fails']) scratch.worker(id, 'retry: {max_attempts: 1}');
  scratch.worker('next', 'dependencies: [lives, ends]');
  scratch.commitAll();
  const first = scratch.start('run');
  const lives = await scratch.stubs.agent('lives');
  const ends = await scratch.stubs.agent('ends');
  const fails = await scratch.stubs.agent('fails');
  for (const id of ['lives', 'ends', 'fails']) await scratch.happened('worker.active', id);
  await lives.run('czar', 'emit', 'task-start', 'before');
  await scratch.happened('worker.task_started', 'lives');
  scratch.killLoop(first);
  assert.equal((await first.finished).signal, 'SIGKILL');

  await lives.run('czar', 'emit', 'usage', '--input-tokens', '5', '--output-tokens', '2');
  await ends.write('ends.txt', 'ended alone\n');
  await ends.commit('done while nobody looked');
  ends.exit();
  fails.exit(9);
  await Promise.all([ends.gone, fails.gone]);

  const second = scratch.start('run');
  await scratch.happened('worker.merged', 'ends');
  assert.match((await scratch.happened('worker.failed', 'fails')).data.reason, /9/);
  await lives.write('lives.txt', 'still here\n');
  await lives.commit('went on');
  lives.exit();
  const next = await scratch.stubs.agent('next');
  assert.ok(existsSync(join(next.cwd, 'lives.txt')) && existsSync(join(next.cwd, 'ends.txt')));
  next.exit();
  assert.equal((await second.finished).code, 1);
  assert.deepEqual(scratch.stubs.launches.toSorted(), ['ends/1', 'fails/1', 'lives/1', 'next/1']);
  const log = scratch.log();
  for (const id of ['lives', 'ends'])
    for (const type of ['worker.started', 'worker.active', 'worker.merged']) only(log, type, id);
  only(log, 'worker.task_started', 'lives');
  only(log, 'worker.usage', 'lives');
  assert.deepEqual(statesOf(log, 'ends').slice(-3), ['verifying', 'merging', 'complete']);
});

test(
  'a second run at the same time is refused and names the process that holds the repository',
  inTerminal('beside a daemon a second run looks on'),
  async () => {
    await using scratch = await Scratch.make();
    scratch.config();
    scratch.worker('a');
    scratch.commitAll();
    const first = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    const { code, stderr } = await scratch.czar('run');
    assert.equal(code, 4);
    assert.match(stderr, new RegExp(`pid ${first.child.pid}\\b`));
    assert.equal((await scratch.czar('run', '--new')).code, 4);
    a.exit();
    assert.equal((await first.finished).code, 0);
    assert.deepEqual(scratch.stubs.launches, ['a/1']);
  },
);

test('after kill -9 of the run, status and why say that no czar runs and that nobody has collected what ended', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const first = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  assert.equal((await scratch.json('status')).run.loop, 'alive');
  assert.doesNotMatch((await scratch.czar('status')).stdout, /No czar/);
  scratch.killLoop(first);
  await first.finished;
  await a.write('a.txt', 'a\n');
  a.exit();
  await a.gone;
  assert.equal((await scratch.json('status')).run.loop, 'none');
  const ended = /its agent has ended; nobody has collected it/;
  const status = (await scratch.czar('status')).stdout;
  assert.match(status, /has died[^]*czar (?:run|daemon start) goes on with it; nothing is lost/);
  assert.match(status, ended);
  assert.match((await scratch.czar('status', 'a')).stdout, ended);
  const why = (await scratch.czar('why', 'a')).stdout;
  assert.match(why, ended);
  assert.match(why, /No czar is running here[^]*next: czar (?:run|daemon start)/);
  assert.equal((await scratch.czar('run')).code, 0);
});
