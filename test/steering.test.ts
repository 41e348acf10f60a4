import assert from 'node:assert/strict';
import { test } from 'node:test';
import { all, only, statesOf } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

async function statesNow(scratch: Scratch): Promise<Record<string, string>> {
  const { workers } = await scratch.json('status');
  return Object.fromEntries(workers.map((worker: any) => [worker.id, worker.state]));
}

test('cancel stops a live worker with its work kept; what depends on it is blocked by it until it is skipped', async () => {
  await using scratch = await Scratch.make();
  scratch.config();
  scratch.worker('victim');
  scratch.worker('other');
  scratch.worker('after', 'dependencies: [victim]');
  scratch.commitAll();
  const run = scratch.start('run');
  const victim = await scratch.stubs.agent('victim');
  const other = await scratch.stubs.agent('other');
  await victim.write('draft.txt', 'half\n');
  assert.equal((await scratch.czar('skip', 'victim')).code, 4, 'a live worker cannot be skipped');
  assert.equal((await scratch.czar('cancel', 'victim')).code, 0);
  await victim.gone;
  await scratch.happened('worker.cancelled', 'victim');
  const { kept } = await scratch.json('kept', 'list');
  const isShown = ({ type, data }: any): boolean =>
    type === 'refs.published' && kept[0].ref in data.refs;
  await scratch.logged((log) => log.find(isShown), 'kept work in the repository');
  assert.equal(scratch.git('show', `${kept[0].ref}:draft.txt`), 'half');
  assert.match((await scratch.czar('why', 'after')).stdout, /blocked by victim/);
  assert.equal((await scratch.czar('retry', 'after')).code, 4, 'the root has to be retried');

  assert.equal((await scratch.czar('skip', 'victim', '--satisfy')).code, 0);
  (await scratch.stubs.agent('after')).exit();
  other.exit();
  assert.equal((await run.finished).code, 0);
  assert.deepEqual(await statesNow(scratch), {
    victim: 'skipped',
    other: 'complete',
    after: 'complete',
  });
  assert.deepEqual(statesOf(scratch.log(), 'after').slice(0, 4), [
    'pending',
    'blocked',
    'pending',
    'ready',
  ]);
});

test('cancel without a worker ends the whole run, and the next run is another one', async () => {
  await using scratch = await Scratch.make();
  scratch.config('max_parallel: 2\n');
  for (const id of ['a', 'b', 'c']) scratch.worker(id);
  scratch.commitAll();
  const run = scratch.start('run');
  const agents = [await scratch.stubs.agent('a'), await scratch.stubs.agent('b')];
  const { code, stderr } = await scratch.czar('cancel', '--yes');
  assert.equal(code, 0, stderr);
  await Promise.all(agents.map(async ({ gone }) => gone));
  assert.equal((await run.finished).code, 1);
  assert.deepEqual(await statesNow(scratch), { a: 'cancelled', b: 'cancelled', c: 'cancelled' });
  only(scratch.log(), 'run.cancelled');
  assert.equal((await scratch.czar('cancel', '--yes')).code, 0, 'again changes nothing');

  scratch.scripted('true\n');
  assert.equal((await scratch.czar('run')).code, 0);
  const [, second] = all(scratch.log(), 'run.started');
  assert.match(second.run, /-2$/);
});

test('with no run alive a steering verb records, starts nothing, and names the next step', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'case $CZAR_WORKER in asks*) czar emit ask "which?";; *) echo x > "$CZAR_WORKER.txt";; esac\n',
  );
  scratch.worker('asks-1');
  scratch.worker('asks-2');
  scratch.worker('after-1', 'dependencies: [asks-1]');
  scratch.worker('after-2', 'dependencies: [{on: asks-2, allow_skipped: true}]');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  const before = scratch.log().length;

  const cancelled = await scratch.czar('cancel', 'asks-1');
  assert.equal(cancelled.code, 0, cancelled.stderr);
  const skipped = await scratch.czar('skip', 'asks-2');
  assert.equal(skipped.code, 0, skipped.stderr);
  assert.match(skipped.stdout, /^asks-2 is skipped\.$/m, 'after-2 allows it');
  assert.match(skipped.stdout + skipped.stderr, /czar run/);
  assert.deepEqual(await statesNow(scratch), {
    'asks-1': 'cancelled',
    'asks-2': 'skipped',
    'after-1': 'blocked',
    'after-2': 'ready',
  });
  const since = scratch.log().slice(before);
  assert.deepEqual(all(since, 'worker.started'), []);

  assert.equal((await scratch.czar('run')).code, 1);
  assert.deepEqual(await statesNow(scratch), {
    'asks-1': 'cancelled',
    'asks-2': 'skipped',
    'after-1': 'blocked',
    'after-2': 'complete',
  });
  const wrong = await scratch.czar('skip', 'nobody');
  assert.equal(wrong.code, 3);
});

test('a run that waits is cancelled with no run alive; run --failed retries in a run that waits', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'case $CZAR_WORKER in asks) czar emit ask "which?";; fails) exit 3;; esac\n',
    'retry: {max_attempts: 1}\n',
  );
  scratch.worker('asks');
  scratch.worker('fails');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 5);
  assert.equal((await scratch.czar('run', '--failed')).code, 5);
  assert.equal(all(scratch.log(), 'worker.started', 'fails').length, 2);
  only(scratch.log(), 'worker.started', 'asks');
  assert.equal((await scratch.czar('cancel', '--yes')).code, 0);
  assert.equal((await scratch.json('status')).run.state, 'cancelled');
  assert.deepEqual(await statesNow(scratch), { asks: 'cancelled', fails: 'failed' });
  const { code, stderr } = await scratch.czar('run', '--failed');
  assert.equal(code, 4, stderr);
  assert.match(stderr, /was cancelled[\s\S]*czar retry WORKER/);
  only(scratch.log(), 'run.started');
});

test('an attempt that runs over its timeout is stopped, and counts as failed', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted('sleep 1000 & sleep 1000\n');
  scratch.worker('slow', 'timeout: 300ms\nretry: {max_attempts: 2, initial: 0s}');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 1);
  const log = scratch.log();
  const ends = all(log, 'attempt.ended', 'slow').map(({ data }) => data.end);
  assert.deepEqual(
    ends.map(({ how, why }) => `${how} ${why}`),
    ['stopped timeout', 'stopped timeout'],
  );
  assert.match(only(log, 'worker.failed', 'slow').data.reason, /time/);
});

test('an agent cannot steer the run that it works for', async () => {
  await using scratch = await Scratch.make();
  scratch.scripted(
    'for verb in "skip b" "cancel --yes" "run" "retry b"; do czar --repo ../../.. $verb; echo "$verb: $?"; done > codes.txt\n',
  );
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]');
  scratch.commitAll();
  assert.equal((await scratch.czar('run')).code, 0);
  const { integration } = only(scratch.log(), 'run.started').data;
  const codes = scratch.git('show', `${integration}:codes.txt`).split('\n');
  assert.deepEqual(codes, ['skip b: 4', 'cancel --yes: 4', 'run: 4', 'retry b: 4']);
});
