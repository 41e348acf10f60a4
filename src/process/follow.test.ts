import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startAttempt } from './attempt.ts';
import { followAttempt } from './follow.ts';
import { identify } from './identity.ts';
import { Runners } from './runners.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-follow-'));
const runners = new Runners(join(home, 'shims'));
after(async () => {
  runners[Symbol.dispose]();
  await runners.rested();
  rmSync(home, { recursive: true, force: true });
});

test('fault 21: a folder that cannot be watched is looked at all the same: what is said in it, and the end', async () => {
  const dir = join(home, 'attempt');
  const started = await startAttempt(runners, {
    dir,
    argv: ['/bin/sh', '-c', 'exit 7'],
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    own: {},
    limits: { processes: null, memoryBytes: null },
    timeoutMs: null,
    unattendedMs: 60_000,
    graceMs: 500,
  });
  assert.ok('started' in started, JSON.stringify(started));
  const signal = AbortSignal.timeout(15_000);
  const followed = { process: started.started, signal };
  await followAttempt({ dir, ...followed, onActivity: () => {} });
  const nowhere = join(home, 'not-yet');
  const self = identify(process.pid);
  assert.ok(typeof self !== 'string');
  let looks = 0;
  const end = await followAttempt({
    dir: nowhere,
    process: self,
    signal,
    // The first look is that at the beginning; what brings the second is no notice, for nothing is watched.
    onActivity: () => {
      looks += 1;
      if (looks === 2) renameSync(dir, nowhere);
    },
  });
  assert.deepEqual(end, { how: 'exited', code: 7 });
});
