import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inboxSchema } from '../src/report/inbox-schema.ts';
import { Background } from './support/background.ts';
import { all } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

test('a daemon runs the plan without a terminal, and ends by itself when all runs are over', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  const started = await daemon.start();
  assert.deepEqual([started.started, started.attached], [true, false]);
  const a = await scratch.stubs.agent('a');
  const status = await scratch.json('daemon', 'status');
  assert.deepEqual(
    [status.pid, status.runs, typeof status.guardian],
    [started.pid, [{ id: started.run, state: 'running' }], 'number'],
  );
  await a.write('a.txt', 'a\n');
  await a.commit('a');
  a.exit();
  (await scratch.stubs.agent('b')).exit();
  await daemon.ended();
  const { run } = await scratch.json('status');
  assert.equal(run.state, 'complete');
  const gone = await scratch.czar('daemon', 'status');
  assert.equal(gone.code, 3);
  const over = await daemon.start();
  assert.deepEqual([over.pid, over.started], [null, false], 'a complete run needs no daemon');
  assert.match(daemon.log(), /a starting → active/);
  assert.match((await scratch.czar('daemon', 'logs', '-n', '3')).stdout, /Nothing is left to do/);
});

test('faults 24, 43 and 89: a daemon that is killed is started again, takes up its agents, and launches none twice', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const before = daemon.kill();
  await daemon.again(before);
  await a.write('a.txt', 'a\n');
  await a.commit('a');
  a.exit();
  (await scratch.stubs.agent('b')).exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1']);
  assert.equal((await scratch.json('status')).run.state, 'complete');
});

test('fault 48: stop lets agents run on; what ended meanwhile is taken up by the next daemon, its dependents start once', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const stopped = await scratch.json('daemon', 'stop');
  assert.equal(stopped.agents, 1);
  assert.ok(Date.parse(stopped.until) > Date.now());
  await daemon.ended();
  const between = await scratch.json('status');
  assert.deepEqual(
    between.workers.map((one: any) => [one.state, one.liveness]),
    [
      ['active', 'alive'],
      ['pending', 'none'],
    ],
  );
  await a.write('a.txt', 'a\n');
  await a.commit('a');
  a.exit();
  await a.gone;
  const again = await daemon.start();
  assert.equal(again.started, false);
  (await scratch.stubs.agent('b')).exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1']);
});

test('stop --agents stop keeps their work, --agents finish waits for them, and neither starts anything more', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  await daemon.start();
  const first = await scratch.stubs.agent('a');
  await first.write('half.txt', 'half\n');
  await scratch.happened('worker.active', 'a');
  assert.equal((await scratch.czar('daemon', 'stop', '--agents', 'stop')).code, 0);
  await first.gone;
  await daemon.ended();
  const { kept } = await scratch.json('kept', 'list');
  assert.equal(scratch.git('show', `${kept.at(-1)?.ref}:half.txt`), 'half');

  await daemon.start();
  const second = await scratch.stubs.agent('a', 2);
  await scratch.happened('worker.active', 'a', 2);
  const stopping = scratch.start('daemon', 'stop', '--agents', 'finish');
  await stopping.seen('to wait for');
  await second.write('whole.txt', 'whole\n');
  second.exit();
  assert.equal((await stopping.finished).code, 0);
  await daemon.ended();
  const { workers, run } = await scratch.json('status');
  assert.deepEqual(
    [run.state, ...workers.map((one: any) => one.state)],
    ['running', 'complete', 'ready'],
  );
});

test('fault 13: of many starts at once one daemon comes up and one run begins, and all of them say so', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const starts = await Promise.all(
    Array.from({ length: 8 }, () => scratch.json('daemon', 'start')),
  );
  assert.equal(new Set(starts.map(({ pid }) => pid)).size, 1, JSON.stringify(starts));
  assert.equal(new Set(starts.map(({ run }) => run)).size, 1);
  assert.equal(starts.filter(({ started }) => started).length, 1);
  daemon.look();
  (await scratch.stubs.agent('a')).exit();
  await daemon.ended();
  assert.equal(all(scratch.log(), 'run.started').length, 1);
  assert.equal(all(scratch.log(), 'loop.started').length, 1);
});

test('restart hands over: another process, the same agents', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const { pid } = await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const restarted = await scratch.json('daemon', 'restart');
  assert.equal(restarted.before, pid);
  assert.notEqual(restarted.pid, pid);
  daemon.look();
  a.exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1']);
});

test('a run that waits for a person keeps the daemon, unless it is told to end then', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await a.run('czar', 'emit', 'ask', 'which way?');
  a.exit();
  await scratch.happened('run.waiting');
  assert.equal((await scratch.json('daemon', 'status')).runs[0].state, 'waiting');
  assert.equal((await scratch.czar('answer', 'a', 'left')).code, 0);
  const second = await scratch.stubs.agent('a', 2);
  await scratch.czar('daemon', 'stop');
  await daemon.ended();
  await daemon.start('--exit-when-waiting');
  await second.run('czar', 'emit', 'ask', 'and now?');
  second.exit();
  await daemon.ended();
  assert.equal((await scratch.json('status')).run.state, 'waiting');
});

test('run beside a daemon shows what that does, Ctrl-C looks away, and its end has the run’s exit code', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.worker('b');
  scratch.commitAll();
  const { run } = await daemon.start('b');
  const b = await scratch.stubs.agent('b');
  await scratch.happened('worker.active', 'b');
  const looking = scratch.start('run', 'b');
  const away = scratch.start('run', 'b');
  await Promise.all([looking.seen('looks away'), away.seen('looks away')]);
  away.child.kill('SIGINT');
  const left = await away.finished;
  assert.equal(left.code, 130, left.stderr);
  assert.match(left.stderr, /The daemon goes on/);
  b.exit();
  const { code, stdout, stderr } = await looking.finished;
  assert.equal(code, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`run ${run} is complete`));
  assert.match(stderr, /active → verifying/);
  await daemon.ended();
});

test('what would be refused starts no daemon, and nothing is left behind', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  const empty = await scratch.czar('daemon', 'start');
  assert.equal(empty.code, 3, empty.stderr);
  scratch.config();
  scratch.worker('a', 'dependencies: [zzz]');
  const invalid = await scratch.czar('daemon', 'start');
  assert.equal(invalid.code, 2, invalid.stderr);
  assert.match(invalid.stderr, /workers\/a\.md:/);
  assert.equal(daemon.look(), null);
  assert.ok(!existsSync(join(scratch.repo, '.git/czar')));
  assert.equal((await scratch.czar('daemon', 'stop')).code, 3);
  assert.equal((await scratch.czar('daemon', 'restart')).code, 3);
  assert.equal((await scratch.czar('daemon', 'logs')).code, 3);
});

test('a daemon beside a run in a terminal is refused', async () => {
  await using scratch = await Scratch.make({ through: 'terminal' });
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  const running = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  const refused = await scratch.czar('daemon', 'start');
  assert.equal(refused.code, 4, refused.stderr);
  assert.match(refused.stderr, /in a terminal/);
  a.exit();
  assert.equal((await running.finished).code, 0);
});

test('when its guardian gave up, the next command tells, and a new start begins anew', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a');
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  const { guardian } = daemon.look() ?? {};
  assert.ok(typeof guardian === 'number');
  process.kill(guardian, 'SIGKILL');
  daemon.kill();
  await daemon.ended();
  const died =
    /^run \S+: daemon, [^]*the daemon \(pid \d+\) has died, and nobody starts it again\n {4}czar daemon start$/m;
  assert.match((await scratch.czar('inbox')).stdout, died);
  const lost = await scratch.czar('daemon', 'status');
  assert.equal(lost.code, 3);
  assert.match(
    lost.stderr,
    /\(pid \d+\) has died, and nobody starts it again[^]*czar daemon start/,
  );
  writeFileSync(join(scratch.repo, '.git/czar/guardian-gave-up'), '6 137\n');
  const told = await scratch.czar('daemon', 'status');
  assert.equal(told.code, 3);
  assert.match(told.stderr, /died 6 times in ten minutes, the last time with exit code 137/);
  const gaveUp = /he daemon died 6 times in ten minutes[^]*czar daemon start/;
  assert.match((await scratch.czar('status')).stdout, gaveUp);
  assert.match((await scratch.czar('inbox')).stdout, gaveUp);
  const { inbox } = inboxSchema.parse(await scratch.json('inbox'));
  assert.deepEqual(
    inbox.map(({ kind, worker, commands }) => [kind, worker, commands]),
    [['daemon', null, ['czar daemon start']]],
  );
  await daemon.start();
  assert.equal((await scratch.czar('daemon', 'status')).code, 0);
  assert.deepEqual((await scratch.json('inbox')).inbox, []);
  a.exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1']);
});

test('start --approve asks before each launch; a later start with it asks from then on', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config();
  scratch.worker('a', 'role: docs\nowns: [docs/**]');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  await daemon.start('--approve');
  await scratch.happened('approval.requested', 'a');
  const { inbox } = await scratch.json('inbox');
  assert.deepEqual(
    inbox.map((one: any) => [one.worker, one.kind, one.launch.role, one.commands]),
    [['a', 'approval', 'docs', ['czar approve a', 'czar deny a']]],
  );
  const before = daemon.kill();
  await daemon.again(before);
  assert.deepEqual(scratch.stubs.launches, []);
  assert.equal((await scratch.czar('approve', 'a')).code, 0);
  (await scratch.stubs.agent('a')).exit();
  await scratch.happened('approval.requested', 'b');
  assert.equal((await scratch.czar('deny', 'b', '-m', 'too dear')).code, 0);
  const { workers } = await scratch.json('status');
  assert.equal(workers[1].state, 'blocked');
  assert.equal((await scratch.czar('approve', 'b')).code, 0);
  (await scratch.stubs.agent('b')).exit();
  await daemon.ended();
  assert.deepEqual(scratch.stubs.launches, ['a/1', 'b/1']);
});
