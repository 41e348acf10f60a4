import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { working } from '../../../test/support/git-worker.ts';
import { skip, smallDisk } from '../../../test/support/small-disk.ts';

test(
  'fault 7: a file that a full disk does not take is not left out of the work: collecting fails, and then has it',
  {
    skip,
  },
  async () => {
    // What later tests copy of is made before the disk is there.
    (await working({ 'a.txt': 'a\n' })).r[Symbol.dispose]();
    using disk = smallDisk(48 * 1024 * 1024);
    const before = process.env['TMPDIR'];
    process.env['TMPDIR'] = disk.path;
    try {
      const { r, tree } = await working({ 'a.txt': 'a\n' });
      using _ = r;
      writeFileSync(join(tree, 'large.bin'), randomBytes(9_000));
      writeFileSync(join(tree, 'small.txt'), 'small\n');
      for (const leave of [0, 4_096]) {
        disk.fill(leave);
        await assert.rejects(r.collect('one'), /./, `${leave} bytes left`);
        disk.free();
      }
      const { work, notes } = await r.collect('one');
      assert.deepEqual(
        work.changed.map(({ path }) => path),
        ['large.bin', 'small.txt'],
      );
      assert.deepEqual(notes, []);
    } finally {
      if (before === undefined) delete process.env['TMPDIR'];
      else process.env['TMPDIR'] = before;
    }
  },
);
