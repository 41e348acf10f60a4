// Daemons that live and do not answer, and daemons whose guardian is gone: who tells, and what mends it.
import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify } from '../src/process/identity.ts';
import { Background } from './support/background.ts';
import { Scratch } from './support/scratch.ts';

test('a daemon that hangs is told by every command that needs it, and restart replaces it without stopping agents', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const { pid } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  process.kill(pid, 'SIGSTOP');
  for (const argv of [['tell', 'a', 'hello'], ['daemon', 'start'], ['run']]) {
    const { code, stderr } = await scratch.czar(...argv);
    assert.equal(code, 4, argv.join(' '));
    assert.match(stderr, new RegExp(`pid ${pid}\\)[^]*stopped, or hangs[^]*czar daemon restart`));
  }
  const kept = await scratch.czar('daemon', 'stop', '--agents', 'finish');
  assert.equal(kept.code, 4);
  assert.match(kept.stderr, /hangs[^]*czar daemon stop ends it/);
  const status = await scratch.czar('daemon', 'status');
  assert.equal(status.code, 4);
  assert.match(status.stdout, /does not answer/);
  assert.equal((await scratch.json('status')).workers[0].state, 'active');
  const restarted = await scratch.json('daemon', 'restart');
  assert.equal(restarted.before, pid);
  daemon.look();
  assert.equal((await scratch.czar('tell', 'a', 'hello again')).code, 0);
  assert.deepEqual(
    scratch
      .log()
      .filter(({ type }) => type === 'worker.noted')
      .map(({ data }) => data.text),
    ['hello again'],
  );
  a.exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1']);
});

test('stop of a daemon that has just died ends the guardian that would start it again; agents run on', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const { pid } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const { guardian } = daemon.look() ?? {};
  assert.ok(typeof guardian === 'number');
  // It stands still in the moment between the death and the new start.
  process.kill(guardian, 'SIGSTOP');
  await daemon.killed();
  const stopped = await scratch.json('daemon', 'stop');
  assert.deepEqual([stopped.pid, stopped.agents, stopped.killed], [pid, 1, false]);
  assert.equal((await scratch.czar('daemon', 'stop')).code, 3);
  a.exit();
  assert.equal((await scratch.czar('run')).code, 0);
  assert.deepEqual(scratch.stubs.launches, ['a/1']);
});

test('stop ends a daemon that hangs, with the guardian that hangs too; agents run on, and nobody starts it again', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const { pid } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const { guardian } = daemon.look() ?? {};
  assert.ok(typeof guardian === 'number');
  process.kill(guardian, 'SIGSTOP');
  process.kill(pid, 'SIGSTOP');
  const stopped = await scratch.json('daemon', 'stop');
  assert.deepEqual([stopped.pid, stopped.agents, stopped.killed], [pid, 1, true]);
  await daemon.ended();
  a.exit();
  await a.gone;
  await daemon.start();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1']);
  assert.equal((await scratch.json('status')).run.state, 'complete');
});

test('fault 43: a daemon that lost its guardian tells, and the next start puts another one in its place, agents living on', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const { pid, run } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const { guardian } = daemon.look() ?? {};
  assert.ok(typeof guardian === 'number');
  process.kill(guardian, 'SIGKILL');
  assert.match((await scratch.czar('daemon', 'status')).stdout, /It has no guardian/);
  const again = await daemon.start();
  assert.notEqual(again.pid, pid);
  assert.deepEqual([again.run, again.started], [run, false]);
  assert.equal(typeof (await scratch.json('daemon', 'status')).guardian, 'number');
  await daemon.again(daemon.kill());
  a.exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1']);
});

test('status says who led the run and died, when, and what goes on with it', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const { pid } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const { guardian } = daemon.look() ?? {};
  assert.ok(typeof guardian === 'number');
  process.kill(guardian, 'SIGKILL');
  daemon.kill();
  await daemon.ended();
  const left = (await scratch.czar('status')).stdout.replace(/\s+/g, ' ');
  assert.match(
    left,
    new RegExp(
      `The daemon \\(pid ${pid}\\) has died, last word in the log at [-0-9: ]+: czar daemon start goes on`,
    ),
  );
  const help = await scratch.czar('help', 'daemon', 'stop');
  assert.match(help.stdout, /--agents <what>/);
  assert.equal((await scratch.czar('help', 'daemon', 'stpo')).code, 2);
  a.exit();
  await a.gone;
  const run = scratch.start('run');
  const last = await run.finished;
  assert.equal(last.code, 0, last.stderr);
  assert.doesNotMatch((await scratch.czar('status')).stdout, /has died/);
});

test('a daemon that ends in the moment in which run asks it leaves the run to that', async (t) => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  scratch.scripted('echo a > a.txt\n');
  scratch.worker('a');
  scratch.commitAll();
  const self = identify(process.pid);
  assert.ok(typeof self !== 'string');
  const owner = join(scratch.repo, '.git/czar/owner.json');
  const socket = join(scratch.base, 'rt/s');
  const ending = createServer((connection) => {
    rmSync(owner, { force: true });
    connection.destroy();
  });
  t.after(() => ending.close());
  await new Promise<void>((resolve) => ending.listen(socket, resolve));
  mkdirSync(join(scratch.repo, '.git/czar'));
  const { pid, start } = self;
  const daemon = { since: Date.now(), guardian: null, exitWhenWaiting: false };
  writeFileSync(owner, `${JSON.stringify({ pid, start, socket, version: '0.1.0', daemon })}\n`);
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 0, stderr);
  assert.equal((await scratch.json('status')).run.state, 'complete');
});
