import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { usually } from './support/through.ts';

const scripted =
  '[ "$CZAR_WORKER" != asks ] || exec czar emit ask "go?"\necho x > "$CZAR_WORKER.txt"\n';

test('a run keeps its revision: when files differ, run and retry need --amend or --pinned, and --new takes the files', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(scripted);
  scratch.worker('asks');
  scratch.worker('after', 'dependencies: [asks]', 'Old words.\n');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  scratch.worker('after', 'dependencies: [asks]', 'New words.\n');
  for (const argv of [['run'], ['retry', 'asks']]) {
    const { code, stderr } = await scratch.czar(...argv);
    assert.equal(code, 4, argv.join(' '));
    assert.match(stderr, /after/);
    assert.match(stderr, /--amend .* --pinned/);
  }
  assert.equal((await scratch.czar('run', '--pinned')).code, 5);
  assert.equal((await scratch.czar('retry', 'asks', '--pinned')).code, 0);
  assert.equal((await scratch.czar('run')).code, 4);
  // A daemon that lives has heard of the retry by itself.
  if (usually === 'terminal')
    assert.equal(all(scratch.log(), 'worker.started').length, 1, 'a refused run starts nothing');

  assert.equal((await scratch.czar('run', '--new')).code, 5);
  const [one, two] = all(scratch.log(), 'run.started').map(({ run }) => run);
  assert.match(two, /-2$/);
  for (const argv of [
    ['run', '--pinned'],
    ['status'],
    ['answer', 'asks', 'yes'],
    ['why', 'asks'],
  ]) {
    const { code, stderr } = await scratch.czar(...argv);
    assert.equal(code, 4, argv.join(' '));
    assert.match(stderr, /--run/);
  }
  const trees = scratch.git('for-each-ref', '--format=%(refname)', 'refs/heads/czar').split('\n');
  for (const run of [one, two]) assert.ok(trees.includes(`refs/heads/czar/${run}-integration`));
  assert.equal((await scratch.czar('--run', two, 'skip', 'asks', '--satisfy')).code, 0);
  assert.equal((await scratch.czar('--run', two, 'run')).code, 0);
  assert.equal((await scratch.json('--run', one, 'status')).run.state, 'waiting');
  assert.equal((await scratch.czar('status')).code, 0, 'only one is live');
  assert.equal((await scratch.czar('--run', '20200101-1', 'run')).code, 3);
});

test('a scope brings its dependencies and nothing else', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(scripted);
  scratch.worker('a');
  scratch.worker('asks');
  scratch.worker('b', 'dependencies: [a]');
  scratch.worker('c', 'dependencies: [b]');
  scratch.worker('d');
  scratch.commitAll();
  assert.equal((await scratch.czar('run', 'nobody')).code, 3);
  assert.equal((await scratch.czar('run', 'b')).code, 0);
  assert.deepEqual(
    all(scratch.log(), 'worker.merged').map(({ worker }) => worker),
    ['a', 'b'],
  );
  const { workers, totals } = await scratch.json('status');
  assert.deepEqual(
    workers.map(({ id }: any) => id),
    ['a', 'b'],
  );
  assert.equal(totals.total, 2);
  assert.equal((await scratch.czar('run', 'b')).code, 0, 'it is complete');
  assert.equal(all(scratch.log(), 'run.started').length, 1);
  assert.equal((await scratch.czar('run', 'asks', 'd')).code, 5);
  assert.equal((await scratch.czar('run', 'c')).code, 4, 'c is not of that run');
  assert.equal((await scratch.czar('run')).code, 5, 'the run goes on with its scope');
  assert.equal(all(scratch.log(), 'run.started').length, 2);
});

test('exit codes: 2 for a wrong plan or usage, 3 for nothing to act on, 4 for a refusal, and nothing has changed', async () => {
  await using scratch = await Scratch.make();
  assert.equal((await scratch.czar('run')).code, 3, 'no plan');
  assert.equal((await scratch.czar('status')).code, 3, 'no run');
  assert.equal((await scratch.czar('skip', 'a')).code, 3, 'no run to steer');
  assert.equal((await scratch.czar('run', '--bogus')).code, 2);
  assert.equal((await scratch.czar('frobnicate')).code, 2);
  const misnamed = await scratch.czar('agents', 'nosuch');
  assert.equal(misnamed.code, 2);
  assert.match(misnamed.stderr, /agents has no sub-verb "nosuch"/);
  scratch.worker('a', 'agent: nobody-defined-this');
  assert.equal((await scratch.czar('run')).code, 2, 'an agent without a command');
  scratch.scripted('echo x > x.txt\n');
  scratch.worker('a', 'dependencies: [a]');
  const { code, stderr } = await scratch.czar('run');
  assert.equal(code, 2, 'an invalid plan');
  assert.match(stderr, /a\.md/);
  scratch.worker('a', 'review: {by: human, quorum: 2}');
  assert.equal((await scratch.czar('run')).code, 2, 'a review that cannot come to its end');
  // The daemon that refused it may have said when it began and ended.
  assert.deepEqual(usually === 'terminal' ? scratch.log() : all(scratch.log(), 'run.started'), []);
  assert.equal(scratch.git('for-each-ref', 'refs/czar', 'refs/heads/czar'), '');

  scratch.worker('a');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  assert.equal((await scratch.czar('skip', 'a')).code, 4);
  assert.equal((await scratch.czar('retry', 'a')).code, 4);
  assert.equal((await scratch.czar('why', 'b')).code, 3);
  assert.equal((await scratch.czar('run')).code, 0, 'complete already');
  only(scratch.log(), 'run.started');
});

test('fault 50: files that are edited into a circle while a run is on are refused whole, and the run goes on as it began', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.worker('c', 'dependencies: [b]');
  scratch.commitAll();
  const run = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  scratch.worker('a', 'dependencies: [c]');
  for (const argv of [['validate'], ['plan', 'show']]) {
    const { code, stdout, stderr } = await scratch.czar(...argv);
    assert.equal(code, 2, `${argv.join(' ')}: ${stderr}`);
    assert.match(stdout + stderr, /circle: a → c → b → a/);
  }
  a.exit();
  for (const id of ['b', 'c']) (await scratch.stubs.agent(id)).exit();
  assert.equal((await run.finished).code, 0);
  const { code, stderr } = await scratch.czar('run', '--new');
  assert.equal(code, 2);
  assert.match(stderr, /circle: a → c → b → a/);
  only(scratch.log(), 'run.started');
});
