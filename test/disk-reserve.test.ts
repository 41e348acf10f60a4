/** The reserve of the disk: a launch is kept back before the disk is full, and nothing else is. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourcesSchema } from '../src/report/resources-schema.ts';
import { all, only } from './support/log.ts';
import { Scratch } from './support/scratch.ts';
import { skip, smallDisk } from './support/small-disk.ts';

const megabyte = 1024 * 1024;

test(
  'fault 70: below the reserve nothing is launched, what works goes on, and so does the run when there is space',
  { skip },
  async () => {
    using disk = smallDisk(64 * megabyte);
    await using scratch = await Scratch.make({ within: disk.path });
    scratch.config('disk_reserve: 8MiB\n');
    scratch.worker('a');
    scratch.worker('b', 'dependencies: [a]\n');
    scratch.worker('c', 'dependencies: [b]\n');
    scratch.commitAll();
    const run = scratch.start('run');
    const a = await scratch.stubs.agent('a');
    await a.write('a.txt', 'a\n');
    disk.fill(6 * megabyte);
    a.exit();
    await scratch.happened('worker.complete', 'a');
    await run.seen('below the reserve of');
    const { workers } = await scratch.json('status');
    assert.deepEqual(
      workers.map((one: any) => [one.state, one.waiting_for]),
      [
        ['complete', null],
        ['ready', 'resource:disk'],
        ['pending', null],
      ],
    );
    const status = await scratch.czar('status');
    assert.match(status.stdout, /^disk: .* free, below the reserve of 8\.3 MB; nothing starts/m);
    assert.match((await scratch.czar('why', 'b')).stdout, /^b is ready: it waits for disk space: /);
    const shown = resourcesSchema.parse(await scratch.json('resources'));
    assert.deepEqual([shown.disk_space?.enough, shown.disk_space?.reserve], [false, 8 * megabyte]);
    assert.deepEqual(scratch.stubs.launches, ['a/1']);
    disk.free();
    (await scratch.stubs.agent('b')).exit();
    (await scratch.stubs.agent('c')).exit();
    const { code, stderr } = await run.finished;
    assert.equal(code, 0, stderr);
    assert.equal(only(scratch.log(), 'disk.low').data.reserve, 8 * megabyte);
    assert.equal(all(scratch.log(), 'machine.observed').length, 2, 'when it was low, and no more');
  },
);
