/** `pause`, `resume` and `tell` against real agents: what is stopped, what goes on, and what its agent is told. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify } from '../src/process/identity.ts';
import { Background } from './support/background.ts';
import { all, only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { bothWays } from './support/through.ts';

test('a run that is paused stops its agents and starts nothing until it is resumed, also by another czar', async () => {
  await using scratch = await Scratch.make();
  scratch.config('max_parallel: 2\n');
  for (const id of ['a', 'b']) scratch.worker(id);
  scratch.worker('c', 'dependencies: [a]');
  scratch.commitAll();
  const run = scratch.start('run');
  const [a, b] = [await scratch.stubs.agent('a'), await scratch.stubs.agent('b')];
  await a.write('half.txt', 'half\n');
  const told = await scratch.czar('tell', 'a', 'use', 'the other half');
  assert.equal(told.code, 0, told.stderr);
  assert.match(told.stdout, /next prompt of a: an agent that runs is not reached/);
  assert.equal((await scratch.czar('pause', 'b')).code, 0);
  await b.gone;
  await scratch.happened('worker.paused', 'b');
  assert.equal((await scratch.czar('pause')).code, 0);
  await a.gone;
  const ended = await run.finished;
  assert.equal(ended.code, 5, ended.stderr);
  assert.match(ended.stdout, /is paused[^]*next: czar resume/);

  assert.equal((await scratch.czar('run')).code, 5);
  assert.equal((await scratch.json('status')).run.state, 'paused');
  assert.deepEqual(scratch.stubs.launches.toSorted(), ['a/1', 'b/1']);
  const why = await scratch.json('why', 'a');
  assert.deepEqual([why.state, why.next], ['paused', 'czar resume']);
  assert.equal((await scratch.json('why', 'b')).next, 'czar resume b');
  const refused = await scratch.czar('resume', 'a');
  assert.equal(refused.code, 4);
  assert.match(refused.stderr, /is paused, and a with it/);

  const resumed = await scratch.czar('resume');
  assert.equal(resumed.code, 0, resumed.stderr);
  const again = scratch.start('run');
  const second = await scratch.stubs.agent('a', 2);
  assert.equal(
    readFileSync(join(second.cwd, 'half.txt'), 'utf8'),
    'half\n',
    'it goes on in its tree',
  );
  assert.match(readFileSync(second.promptFile, 'utf8'), /use the other half/);
  second.exit();
  (await scratch.stubs.agent('c')).exit();
  assert.equal((await again.finished).code, 5, 'b was paused alone');
  assert.deepEqual(all(scratch.log(), 'worker.started', 'b').length, 1);
  assert.equal((await scratch.czar('resume', 'b')).code, 0);
  const last = scratch.start('run');
  (await scratch.stubs.agent('b', 2)).exit();
  assert.equal((await last.finished).code, 0);
  only(scratch.log(), 'run.complete');
});

test('what is paused or cancelled while no czar runs is stopped by the command itself, and nothing else is touched', async () => {
  await using scratch = await Scratch.make();
  await using background = new Background(scratch);
  scratch.config();
  for (const id of ['a', 'b', 'c']) scratch.worker(id);
  scratch.worker('d', 'dependencies: [b]\n');
  scratch.commitAll();
  await background.start();
  const [a, b, c] = [
    await scratch.stubs.agent('a'),
    await scratch.stubs.agent('b'),
    await scratch.stubs.agent('c'),
  ];
  for (const id of ['a', 'b', 'c']) await scratch.happened('worker.active', id);
  await b.write('half.txt', 'half\n');
  assert.equal((await scratch.czar('daemon', 'stop')).code, 0);
  const says = async (asked: readonly string[], said: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await scratch.czar(...asked);
    assert.equal(code, 0, stderr);
    assert.match(stderr + stdout, said);
  };
  await says(
    ['pause', 'b'],
    /^Stopping b\.\nczar run goes on with it.*\nb is paused; its work is kept\. czar resume b lets it go on\.$/m,
  );
  await b.gone;
  assert.equal((await scratch.json('why', 'b')).state, 'paused');
  assert.match(scratch.git('for-each-ref', 'refs/czar/kept'), /\/b\//);
  await says(['cancel', 'c'], /^Stopping c\.[^]*\nc is cancelled; its work is kept\.$/m);
  await c.gone;
  assert.equal((await scratch.json('why', 'c')).state, 'cancelled');
  await a.write('a.txt', 'a\n');
  assert.equal((await scratch.json('why', 'a')).state, 'active');
  await says(['pause'], /^Stopping a\.\n(.*\n)?The run is paused: .* what ran is stopped/m);
  await a.gone;
  assert.deepEqual(scratch.stubs.launches.toSorted(), ['a/1', 'b/1', 'c/1']);
  await says(['cancel'], /^The run is cancelled; its work is kept\.$/m);
  for (const id of ['a', 'b', 'd'])
    assert.equal((await scratch.json('why', id)).state, 'cancelled');
});

test('checks of a czar that was killed are ended by the pause or cancel of who they belong to', async () => {
  await using scratch = await Scratch.make();
  const told = join(scratch.base, 'told');
  execFileSync('mkfifo', [told]);
  scratch.scripted('echo a > a.txt');
  scratch.worker('a', `verify: "echo $$ > ${told}; exec sleep 600"\n`);
  scratch.commitAll();
  const run = scratch.start('run');
  const check = Number(await readFile(told, 'utf8'));
  run.child.kill('SIGKILL');
  await run.finished;
  const paused = await scratch.czar('pause', 'a');
  assert.equal(paused.code, 0, paused.stderr);
  assert.match(paused.stdout, /^a is paused; its work is kept/);
  assert.equal(identify(check), 'gone');
  assert.match((await scratch.czar('cancel')).stdout, /^The run is cancelled/);
});

test('what is to be stopped is named where nobody stops it, until somebody does', async () => {
  await using scratch = await Scratch.make();
  await using background = new Background(scratch);
  scratch.config('grace: 2s\n');
  scratch.worker('a');
  scratch.commitAll();
  await background.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  const stubborn = `trap '' TERM; sleep 600 >/dev/null 2>&1 </dev/null &`;
  assert.equal((await a.run('sh', '-c', stubborn)).code, 0);
  assert.equal((await scratch.czar('daemon', 'stop')).code, 0);
  const pause = async (signal: NodeJS.Signals) => {
    const pausing = scratch.start('pause', 'a');
    await pausing.seen('Stopping a.');
    pausing.child.kill(signal);
    return pausing.finished;
  };
  await pause('SIGKILL');
  const says = async (asked: readonly string[], said: RegExp): Promise<void> => {
    const { code, stdout, stderr } = await scratch.czar(...asked);
    assert.equal(code, 0, stderr);
    assert.match(stderr + stdout, said);
  };
  await says(['inbox'], /no czar is running here that stops a\n +czar daemon start/);
  await says(['status'], /No czar is running here: czar run goes on/);
  await says(['why', 'a'], /^a is active: it is to be stopped .*, and nobody does\./m);
  // What is being stopped is stopped first.
  const interrupted = await pause('SIGINT');
  assert.equal(interrupted.code, 130);
  assert.match(interrupted.stdout, /^a is paused; its work is kept\./);
  assert.equal((await scratch.json('why', 'a')).state, 'paused');
  await says(['inbox'], /^a: paused/);
  assert.doesNotMatch((await scratch.czar('inbox')).stdout, /no czar/);
});

bothWays(
  'what an agent was told and is done without having read is said, and what it has read is not',
  async (through) => {
    await using scratch = await Scratch.make({ through });
    scratch.config('retry: {initial: 0s}\n');
    scratch.worker('a');
    scratch.commitAll();
    const run = scratch.start('run');
    const first = await scratch.stubs.agent('a');
    await scratch.happened('worker.active', 'a');
    assert.equal((await scratch.czar('tell', 'a', 'read this')).code, 0);
    first.exit(1);
    const second = await scratch.stubs.agent('a', 2);
    await scratch.happened('worker.active', 'a', 2);
    assert.equal((await scratch.czar('tell', 'a', 'and', 'never', 'this')).code, 0);
    await second.write('a.txt', 'a');
    second.exit();
    const { code, stdout, stderr } = await run.finished;
    assert.equal(code, 0, stderr);
    const late = /done before it could be told: and never this/;
    const why = (await scratch.czar('why', 'a')).stdout;
    for (const said of [stdout, stderr, why]) {
      assert.match(said, late);
      assert.doesNotMatch(said, /told: read this/);
    }
  },
);

test('a worker that is paused and resumed while the run goes on keeps what it did, and no attempt counts as failed', async () => {
  await using scratch = await Scratch.make();
  scratch.config('retry: {max_attempts: 1}\n');
  for (const id of ['a', 'other']) scratch.worker(id);
  scratch.commitAll();
  const run = scratch.start('run');
  const other = await scratch.stubs.agent('other');
  for (const attempt of [1, 2, 3]) {
    const agent = await scratch.stubs.agent('a', attempt);
    if (attempt === 3) {
      agent.exit();
      break;
    }
    await agent.write(`${attempt}.txt`, 'x\n');
    assert.equal((await scratch.czar('pause', 'a')).code, 0);
    assert.equal((await scratch.czar('pause', 'a')).code, 0, 'again changes nothing');
    await agent.gone;
    await scratch.happened('worker.paused', 'a', attempt);
    assert.equal((await scratch.czar('resume', 'a')).code, 0);
  }
  await scratch.happened('worker.complete', 'a');
  assert.equal((await scratch.czar('pause', 'a')).code, 4);
  assert.equal((await scratch.czar('tell', 'a', 'too late')).code, 4);
  other.exit();
  assert.equal((await run.finished).code, 0);
  const { integration } = only(scratch.log(), 'run.started').data;
  assert.match(scratch.git('ls-tree', '--name-only', integration), /\n1\.txt\n2\.txt\n/);
  assert.deepEqual(
    statesOf(scratch.log(), 'a').filter((state) => state === 'paused' || state === 'failed'),
    ['paused', 'paused'],
  );
});

bothWays(
  'resume, pause and cancel say what is so, not what they would have done',
  async (through) => {
    await using scratch = await Scratch.make({ through });
    scratch.config('approve: true\nmax_parallel: 1\n');
    for (const id of ['a', 'b', 'c']) scratch.worker(id);
    scratch.worker('late', 'dependencies: [b]');
    scratch.commitAll();
    const says = async (
      asked: readonly string[],
      said: RegExp,
      events: 'none' | 'some' = 'none',
    ): Promise<void> => {
      const before = scratch.log().length;
      const { code, stdout, stderr } = await scratch.czar(...asked);
      assert.equal(code, 0, stderr);
      assert.match(stdout, said);
      assert.equal(scratch.log().length > before, events === 'some', asked.join(' '));
    };
    assert.equal((await scratch.czar('run')).code, 5);
    await says(['resume', 'b'], /^b was not paused: it is ready\.$/m);
    await says(['resume'], /^Run \S+ was not paused: it is waiting\.$/m);
    assert.equal((await scratch.json('resume', 'b')).done, 'b was not paused: it is ready.');
    assert.equal((await scratch.czar('pause', 'c')).code, 0);
    await says(['pause', 'c'], /^c is paused already: czar resume c lets it go on\.$/m);
    assert.equal((await scratch.czar('pause', 'late')).code, 0);
    await says(['resume', 'late'], /^late is not paused any more, and waits for b\.$/m, 'some');
    assert.equal((await scratch.czar('pause')).code, 0);
    const paused = 'Run \\S+ is paused: czar resume lets it go on\\.$';
    await says(['resume', 'b'], new RegExp(`^b was not paused: it is ready\\. ${paused}`, 'm'));
    await says(['approve', 'b'], /^Approved, and nothing starts yet: run \S+ is paused/m, 'some');
    await says(['resume', 'c'], new RegExp(`^c goes on with its run\\. ${paused}`, 'm'), 'some');
    assert.match((await scratch.czar('why', 'c')).stdout, /its run is paused/);
    await says(['resume'], /^The run goes on/m, 'some');
    assert.equal((await scratch.czar('cancel', 'c')).code, 0);
    await says(['cancel', 'c'], /^c is cancelled already\.$/m);
  },
);

test('a daemon, too, says what is so of what it was asked', async () => {
  await using scratch = await Scratch.make();
  await using daemon = new Background(scratch);
  scratch.config('max_parallel: 1\n');
  for (const id of ['a', 'b']) scratch.worker(id);
  scratch.commitAll();
  await daemon.start();
  const a = await scratch.stubs.agent('a');
  await scratch.happened('worker.active', 'a');
  assert.match((await scratch.czar('resume', 'a')).stdout, /^a was not paused: it is active\.$/m);
  assert.match((await scratch.czar('resume')).stdout, /^Run \S+ was not paused: it is running\.$/m);
  assert.equal((await scratch.czar('pause', 'b')).code, 0);
  assert.match((await scratch.czar('pause', 'b')).stdout, /^b is paused already/m);
  assert.match((await scratch.czar('resume', 'b')).stdout, /^b goes on\.$/m);
  a.exit();
  (await scratch.stubs.agent('b')).exit();
  await scratch.happened('run.complete');
});
