/** An attempt gets ready while what it starts with is still put into its folder. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { appears, follow, left, scratchAttempts, started } from '../../test/support/attempts.ts';
import { startAttempt } from './attempt.ts';
import { recoverAttempt } from './follow.ts';
import { bootId } from './identity.ts';
import { readStatus } from './status.ts';

const { home, runners, folder, options } = scratchAttempts('prepare');

test('what an attempt starts with is put there while its shim gets ready, and is there before it begins', async () => {
  const dir = folder();
  const prepare = async (): Promise<void> => {
    assert.match(await appears(dir, 'status'), /^shim \d+ /m);
    assert.equal(readStatus(dir).kind, 'claimed');
    writeFileSync(join(dir, 'told'), 'all of it\n');
  };
  const result = await startAttempt(runners, options(dir, 'cat "$DIR/told"', { prepare }));
  assert.deepEqual(await follow(dir, started(result)), { how: 'exited', code: 0 });
  assert.equal(readFileSync(join(dir, 'output'), 'utf8'), 'all of it\n');
});

test('an attempt that cannot be prepared starts nothing, and can be started again', async () => {
  const dir = folder();
  const prepare = async (): Promise<void> => {
    await appears(dir, 'status');
    throw new Error('the disk is full');
  };
  await assert.rejects(
    startAttempt(runners, options(dir, 'echo ran', { prepare })),
    /disk is full/,
  );
  assert.deepEqual([readStatus(dir).kind, left(dir)], ['none', []]);
  await follow(dir, started(await startAttempt(runners, options(dir, 'echo ran'))));
  assert.equal(readFileSync(join(dir, 'output'), 'utf8'), 'ran\n');
});

test('fault 23: an attempt whose loop is killed while it is prepared never started', async () => {
  const dir = folder();
  const program = `
    import { startAttempt } from ${JSON.stringify(import.meta.resolve('./attempt.ts'))};
    import { Runners } from ${JSON.stringify(import.meta.resolve('./runners.ts'))};
    const runners = new Runners(${JSON.stringify(join(home, 'others'))});
    const options = JSON.parse(process.argv[1]);
    setInterval(() => {}, 1000);
    await startAttempt(runners, { ...options, prepare: () => new Promise(() => {}) });`;
  const args = ['--input-type=module', '-e', program, JSON.stringify(options(dir, 'echo ran'))];
  const loop = spawn(process.execPath, args, { stdio: 'inherit' });
  await appears(dir, 'status');
  loop.kill('SIGKILL');
  await once(loop, 'exit');
  assert.deepEqual(await recoverAttempt({ dir, boot: bootId() }), { kind: 'never-started' });
  assert.deepEqual(left(dir), []);
  assert.ok(!existsSync(join(dir, 'output')) || readFileSync(join(dir, 'output'), 'utf8') === '');
});
