import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourcesSchema } from '../src/report/resources-schema.ts';
import { lookAtMachine } from '../src/plan/machine.ts';
import { all } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

test('czar resources shows what there is before anything ran, with what the machine has', async () => {
  await using scratch = await Scratch.make();
  scratch.config('resources: {gpu: 2, api: {requests_per_minute: 60}}\n');
  scratch.worker('a', 'resources: {gpu: 1}');
  const document = resourcesSchema.parse(await scratch.json('resources'));
  const found = document.resources.map(({ name, capacity, source }) => [name, capacity, source]);
  const machine = lookAtMachine(['/']) ?? assert.fail();
  assert.deepEqual(found, [
    ['cpu', machine.cpu, 'detected'],
    ['memory', machine.memory, 'detected'],
    ['disk', document.resources[2]?.capacity, 'detected'],
    ['api', null, 'declared'],
    ['gpu', 2, 'declared'],
  ]);
  assert.ok(document.disk_space !== null && document.disk_space.free > 0);
  const { stdout } = await scratch.czar('resources', 'list');
  assert.match(stdout, /^cpu +0 +\d+$/m);
  assert.match(stdout, /^api +0 +0\/60 requests$/m);
  assert.match(stdout, /^disk space: .* free, reserve /m);
});

test('what one worker holds alone another waits for, also over a kill of czar; what failed gives it back', async () => {
  await using scratch = await Scratch.make();
  scratch.config('resources: {port: 1}\nretry: {max_attempts: 1}\n');
  scratch.worker('a', 'resources: {port: {mode: exclusive}}');
  scratch.worker('b', 'resources: {port: 1}');
  scratch.commitAll();
  const first = scratch.start('run');
  const a = await scratch.stubs.agent('a');
  const { workers } = await scratch.json('status');
  assert.deepEqual(
    workers.map((one: any) => [one.id, one.state, one.waiting_for]),
    [
      ['a', 'active', null],
      ['b', 'ready', 'resource:port'],
    ],
  );
  const { stdout } = await scratch.czar('why', 'b');
  assert.match(stdout, /^b is ready: it waits for port: .*\/a has it \(exclusive\)\.$/m);
  const shown = resourcesSchema.parse(await scratch.json('resources'));
  const port = shown.resources.find(({ name }) => name === 'port') ?? assert.fail();
  assert.deepEqual(
    [
      port.in_use,
      port.percent,
      port.held_by.map(({ worker }) => worker),
      port.waiting.map(({ worker, mode }) => [worker, mode]),
    ],
    [1, 100, ['a'], [['b', 'share']]],
  );
  const table = await scratch.czar('resources');
  assert.match(table.stdout, /^port +1 +1 +a +b$/m, 'of one run, whose names need no run');
  scratch.killLoop(first);
  await first.finished;
  const second = scratch.start('run');
  a.exit(1);
  const b = await scratch.stubs.agent('b');
  b.exit();
  assert.equal((await second.finished).code, 1);
  assert.deepEqual(
    all(scratch.log(), 'worker.started').map(({ worker }) => worker),
    ['a', 'b'],
  );
  const after = resourcesSchema.parse(await scratch.json('resources'));
  assert.ok(after.resources.every(({ in_use, held_by }) => in_use === 0 && held_by.length === 0));
});

test('two runs that live at once share resources and claims', async () => {
  await using scratch = await Scratch.make();
  scratch.config('resources: {port: 1}\n');
  scratch.worker('a', 'resources: {port: 1}\nowns: [src/**]');
  scratch.worker('needs-port', 'resources: {port: 1}');
  scratch.worker('needs-files', 'owns: [src/one/*.ts]');
  scratch.worker('free', 'owns: [docs/**]');
  scratch.commitAll();
  const first = scratch.start('run', 'a');
  const a = await scratch.stubs.agent('a');
  const { run } = await scratch.json('status');
  scratch.killLoop(first);
  await first.finished;
  const second = scratch.start('run', '--new', 'needs-port', 'needs-files', 'free');
  (await scratch.stubs.agent('free')).exit();
  await scratch.happened('worker.complete', 'free');
  const other = scratch.log().findLast(({ type }: any) => type === 'run.started').run;
  const { workers } = await scratch.json('status', '--run', other);
  const waits = Object.fromEntries(workers.map((one: any) => [one.id, one.waiting_for]));
  assert.deepEqual(waits, {
    free: null,
    'needs-files': `ownership:${run.id}/a`,
    'needs-port': 'resource:port',
  });
  a.exit();
  (await scratch.stubs.agent('needs-port')).exit();
  (await scratch.stubs.agent('needs-files')).exit();
  const { code, stderr } = await second.finished;
  assert.equal(code, 0, stderr);
});

test('a plan that asks for more than there is starts nothing', async () => {
  await using scratch = await Scratch.make();
  scratch.config('resources: {gpu: 1}\n');
  scratch.worker('a', 'resources:\n  gpu: 2');
  scratch.commitAll();
  const refused = await scratch.czar('run');
  assert.equal(refused.code, 2);
  assert.match(
    refused.stdout + refused.stderr,
    /a\.md:\d+:\d+.*asks for 2 of gpu, and there are 1/s,
  );
  assert.equal((await scratch.czar('status')).code, 3, 'there is no run');
});
