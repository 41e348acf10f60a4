/** `pause`, `resume` and `tell` against real agents: what is stopped, what goes on, and what its agent is told. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { all, only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

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
  assert.match(told.stdout, /next prompt of a: a running agent .* cannot be reached/);
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
