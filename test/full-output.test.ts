/** What cannot be printed, because the disk of the file it goes to is full. */
import assert from 'node:assert/strict';
import { spawnSync, type StdioOptions } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { test } from 'node:test';
import { Scratch } from './support/scratch.ts';

const skip = !existsSync('/dev/full');

test(
  'output that is lost is told in one sentence and by the exit code; a run goes on whatever takes no more',
  { skip },
  async () => {
    await using scratch = await Scratch.make();
    scratch.scripted('echo $CZAR_WORKER > $CZAR_WORKER.txt');
    scratch.worker('a');
    scratch.worker('b', 'dependencies: [a]');
    scratch.commitAll();
    const full = openSync('/dev/full', 'w');
    const czar = (stdio: StdioOptions, ...args: readonly string[]) =>
      spawnSync(scratch.launcher, args, { cwd: scratch.repo, env: scratch.env, stdio });

    assert.equal(
      czar(['ignore', 'ignore', full], 'run').status,
      0,
      'progress that nobody can read',
    );
    assert.equal((await scratch.json('status')).run.state, 'complete');
    assert.equal(czar(['ignore', full, full], 'run', '--new').status, 1, 'the summary is lost');
    assert.equal((await scratch.json('status')).run.state, 'complete');

    for (const args of [
      ['status'],
      ['status', '--json'],
      ['events'],
      ['closeout'],
      ['plan', 'show'],
    ]) {
      const { status, stderr } = czar(['ignore', full, 'pipe'], ...args);
      assert.equal(status, 1, args.join(' '));
      assert.match(String(stderr), /^czar: standard output takes no more: ENOSPC[^\n]*\n$/);
    }
    assert.equal(czar(['ignore', full, 'pipe'], '--version').status, 1);
    assert.equal(czar(['ignore', full, 'pipe'], 'status', 'nobody').status, 3);
    assert.equal(czar(['ignore', 'pipe', full], 'status').status, 0);
    closeSync(full);
  },
);
