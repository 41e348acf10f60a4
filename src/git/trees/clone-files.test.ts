import assert from 'node:assert/strict';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { skip, smallDisk } from '../../../test/support/small-disk.ts';
import { writeGitFile } from './clone-files.ts';

test(
  'fault 7: a ref that a full disk does not take leaves nothing that git would read as one',
  { skip },
  async () => {
    using disk = smallDisk(8 * 1024 * 1024);
    const gitDir = join(disk.path, '.git');
    const heads = join(gitDir, 'refs/heads/topic');
    mkdirSync(heads, { recursive: true });
    disk.fill();
    await assert.rejects(
      writeGitFile(gitDir, 'refs/heads/topic/one', `${'1'.repeat(40)}\n`),
      /ENOSPC/,
    );
    assert.deepEqual(readdirSync(heads), []);
    disk.free();
    assert.ok(await writeGitFile(gitDir, 'refs/heads/topic/one', `${'1'.repeat(40)}\n`));
    assert.deepEqual(readdirSync(heads), ['one']);
  },
);
