import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const failing = `case $CZAR_WORKER in
  mends) [ "$CZAR_ATTEMPT" -ge 2 ] || { echo half > half.txt; exit 7; } ;;
  fails) [ -e "$HOME/mended" ] || { echo "the disk is on fire" >&2; echo "last words"; exit 3; } ;;
esac
echo "$CZAR_WORKER" > "$CZAR_WORKER.txt"
`;

test('fault 45: a failed attempt is repeated after its pause; when none is left only its dependents stop, and retry and run complete', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(failing, 'retry: {max_attempts: 2, initial: 50ms, backoff: fixed}\n');
  scratch.worker('fails');
  scratch.worker('mends');
  scratch.worker('after', 'dependencies: [fails]');
  scratch.worker('after-that', 'dependencies: [after]');
  scratch.worker('apart', 'dependencies: [mends]');
  scratch.commitAll();

  const first = await scratch.czar('run');
  assert.equal(first.code, 1);
  assert.match(first.stdout, /czar retry fails|czar run --failed/);
  const log = scratch.log();
  const { integration } = only(log, 'run.started').data;
  assert.deepEqual(statesOf(log, 'fails').slice(-3), ['starting', 'active', 'failed']);
  assert.equal(all(log, 'worker.error', 'fails').length, 2);
  assert.match(only(log, 'worker.failed', 'fails').data.reason, /3/);
  only(log, 'worker.error', 'mends');
  const [, again] = all(log, 'worker.started', 'mends');
  const [error] = all(log, 'worker.error', 'mends');
  assert.ok(Date.parse(again.ts) - Date.parse(error.ts) >= 50, 'the pause was kept');
  only(log, 'worker.complete', 'apart');
  const { workers } = await scratch.json('status');
  const byId = Object.fromEntries(workers.map((worker: any) => [worker.id, worker]));
  assert.deepEqual([byId['after-that'].state, byId['after-that'].blocked_by], ['blocked', 'fails']);
  assert.deepEqual(scratch.git('ls-tree', '--name-only', integration).split('\n'), [
    '.czar',
    'README.md',
    'apart.txt',
    'mends.txt',
  ]);

  const plain = await scratch.czar('run');
  assert.equal(plain.code, 4);
  assert.match(plain.stderr, /--failed/);
  scratch.gitIn(scratch.base, 'init', '-q', 'home/mended');
  const retried = await scratch.czar('retry', 'fails', '-m', 'the disk was replaced');
  assert.equal(retried.code, 0, retried.stderr);
  assert.match(retried.stdout + retried.stderr, /czar run/);
  assert.equal((await scratch.czar('run')).code, 0);
  const after = scratch.log();
  assert.equal(all(after, 'worker.started', 'fails').length, 3);
  only(after, 'worker.merged', 'after-that');
  only(after, 'run.complete');
});

test('run --failed retries what failed and nothing else', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(failing, 'retry: {max_attempts: 1}\n');
  scratch.worker('fails');
  scratch.worker('apart');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  assert.equal((await scratch.czar('run', '--failed')).code, 1);
  scratch.gitIn(scratch.base, 'init', '-q', 'home/mended');
  assert.equal((await scratch.czar('run', '--failed')).code, 0);
  const log = scratch.log();
  assert.equal(all(log, 'worker.started', 'fails').length, 3);
  only(log, 'worker.started', 'apart');
  only(log, 'run.started');
});

test('a program at a place that is written out and where nothing is fails its worker with the reason, and the worker never was active', async () => {
  await using scratch = await Scratch.make();
  scratch.write(
    '.czar/config.yaml',
    'agents: {default: gone, define: {gone: {adapter: command, command: [./no-such-program-here]}}}\n',
  );
  scratch.worker('a', 'retry: {max_attempts: 3, initial: 0s}');
  scratch.commitAll();
  const { code, stdout } = await scratch.czar('run');
  assert.equal(code, 1);
  assert.match(stdout, /no-such-program-here/);
  const log = scratch.log();
  assert.deepEqual(statesOf(log, 'a'), ['pending', 'ready', 'starting', 'failed']);
  assert.match(only(log, 'worker.failed', 'a').data.reason, /no-such-program-here/);
  assert.match((await scratch.czar('why', 'a')).stdout, /no-such-program-here/);
});

test('fault 28: when nothing changed a worker is complete without deliverables, and with them only by its verify', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('git log -1 >/dev/null\n');
  scratch.write('docs/guide.md', 'here already\n');
  scratch.worker('free');
  scratch.worker('owes', 'deliverables: [docs/guide.md]');
  scratch.worker('proves', 'deliverables: [docs/guide.md]\nverify: test -e docs/guide.md');
  scratch.worker('lacks', 'deliverables: [docs/other.md]');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const log = scratch.log();
  for (const id of ['owes', 'lacks']) {
    const { block } = only(log, 'worker.blocked', id).data;
    assert.deepEqual([block.kind, block.text], ['nothing_changed', 'nothing changed']);
  }
  for (const id of ['free', 'proves'])
    assert.equal(only(log, 'worker.complete', id).data.noChange, true);
  assert.deepEqual(all(log, 'worker.merged'), []);
});

test('an agent that a loop watches is not ended as unattended, however short that is', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('sleep 6; echo done > done.txt\n', 'unattended: 2s\n');
  scratch.worker('a', 'owns: [done.txt]');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  assert.deepEqual(statesOf(scratch.log(), 'a').slice(0, 4), [
    'pending',
    'ready',
    'starting',
    'active',
  ]);
  assert.equal(statesOf(scratch.log(), 'a').filter((state) => state === 'starting').length, 1);
});
