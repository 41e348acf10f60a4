import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { acquireLock } from '../journal/lock.ts';
import { takeLock } from './take-lock.ts';

const loop = { pid: process.pid, start: '1', socket: '/tmp/socket', version: '1' };
const verb = { ...loop, socket: null };

test('fault 33: a loop waits for a verb that holds the lock for a moment, and not for another loop', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-lock-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const first = acquireLock(folder, verb);
  assert.ok('lock' in first);
  const waiting = takeLock(folder, loop);
  first.lock.release();
  const second = await waiting;
  assert.ok('lock' in second);
  using _lock = second.lock;
  const begun = performance.now();
  assert.deepEqual(await takeLock(folder, loop), { owner: loop });
  assert.ok(performance.now() - begun < 1_000, 'it is refused at once');
});
