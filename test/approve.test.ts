/** Approval mode through the command line: a run that asks, is answered from another terminal, and survives restarts. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

test('launches wait for a person until they are approved or denied, also across restarts', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('echo x > "$CZAR_WORKER.txt"\n', 'approve: {labels: {risk: high}}\n');
  scratch.worker('plain');
  scratch.worker('a', 'labels: {risk: high}\nowns: [a.txt]\nrole: Writer');
  scratch.worker('b', 'labels: {risk: high}\ndependencies: [plain]');
  scratch.worker('c', 'approve: true');
  scratch.worker('after', 'dependencies: [b]');
  scratch.commitAll();
  const first = await scratch.czar('run');
  assert.equal(first.code, 5, first.stderr);
  assert.match(first.stderr, / a waits for approval \(attempt 1\)\n/);
  assert.match(
    first.stdout,
    /○ a ready: waits for a person to approve its launch\n +next: czar approve a/,
  );
  const { workers } = await scratch.json('status');
  assert.deepEqual(
    workers.map((worker: any) => [worker.id, worker.state, worker.waiting_for]),
    [
      ['a', 'ready', 'approval'],
      ['c', 'ready', 'approval'],
      ['plain', 'complete', null],
      ['b', 'ready', 'approval'],
      ['after', 'pending', null],
    ],
  );
  assert.equal((await scratch.json('why', 'b')).next, 'czar approve b');

  assert.equal((await scratch.czar('approve')).code, 2);
  assert.equal((await scratch.czar('approve', 'a', '--all')).code, 2);
  assert.equal((await scratch.czar('approve', 'plain')).code, 4);
  assert.equal((await scratch.czar('approve', 'a', 'nobody')).code, 3);
  const denied = await scratch.czar('deny', 'a', '-m', 'not now');
  assert.equal(denied.code, 0, denied.stderr);
  const approved = await scratch.czar('approve', 'b');
  assert.match(approved.stdout + approved.stderr, /b may start\.[^]*czar run/);

  const second = await scratch.czar('run');
  assert.equal(second.code, 5, second.stderr);
  assert.match(
    (await scratch.czar('why', 'a')).stdout,
    /its launch was denied: not now\.\nnext: czar approve a/,
  );
  const asked = all(scratch.log(), 'approval.requested').map((event) => event.worker);
  assert.deepEqual(
    asked.toSorted((x, y) => (x < y ? -1 : 1)),
    ['a', 'b', 'c'],
    'each is asked about once, whatever is restarted',
  );
  only(scratch.log(), 'worker.complete', 'after');
  assert.equal((await scratch.czar('approve', 'a')).code, 0, 'a denial is undone');
  assert.equal((await scratch.czar('approve', '--all')).code, 0);
  assert.equal((await scratch.czar('approve', '--all')).code, 4, 'nothing waits any more');
  assert.equal((await scratch.czar('run')).code, 0);
});

test('a launch is approved while the run goes on, and the next attempt is asked about anew', async () => {
  await using scratch = await Scratch.make();
  scratch.config('approve: true\nretry: {initial: 0s}\n');
  scratch.worker('a');
  scratch.worker('other', 'approve: false');
  scratch.commitAll();
  const run = scratch.start('run');
  const other = await scratch.stubs.agent('other');
  await scratch.happened('approval.requested', 'a');
  assert.equal((await scratch.czar('approve', 'a')).code, 0);
  const first = await scratch.stubs.agent('a');
  assert.equal((await scratch.czar('deny', 'a')).code, 4, 'it has started');
  first.exit(3);
  await scratch.happened('worker.error', 'a');
  await run.seen('a waits for approval (attempt 2)');
  assert.equal((await scratch.czar('approve', '--all')).code, 0);
  (await scratch.stubs.agent('a', 2)).exit();
  await scratch.happened('worker.complete', 'a');
  other.exit();
  assert.equal((await run.finished).code, 0);
});
