import assert from 'node:assert/strict';
import { mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ProcessIdentity } from '../core/events.ts';
import { startAttempt } from './attempt.ts';
import { followAttempt } from './follow.ts';
import { bootId, identify, liveness } from './identity.ts';
import { Runners } from './runners.ts';
import { readStatus } from './status.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-follow-'));
const runners = new Runners(join(home, 'shims'));
after(async () => {
  runners[Symbol.dispose]();
  await runners.rested();
  rmSync(home, { recursive: true, force: true });
});

/** The agent of an attempt that runs the script. */
async function started(dir: string, script: string): Promise<ProcessIdentity> {
  const result = await startAttempt(runners, {
    dir,
    argv: ['/bin/sh', '-c', script],
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    own: {},
    limits: { processes: null, memoryBytes: null },
    timeoutMs: null,
    unattendedMs: 60_000,
    graceMs: 500,
  });
  assert.ok('started' in result, JSON.stringify(result));
  return result.started;
}

test('fault 21: a folder that cannot be watched is looked at all the same: what is said in it, and the end', async () => {
  const dir = join(home, 'attempt');
  const signal = AbortSignal.timeout(15_000);
  const followed = { process: await started(dir, 'exit 7'), signal };
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

test('an agent that outlives the shim which tells of it is followed to its end', async () => {
  const dir = join(home, 'without-shim');
  const agent = await started(dir, 'exec sleep 60');
  const watched = Promise.withResolvers<void>();
  const end = followAttempt({
    dir,
    process: agent,
    signal: AbortSignal.timeout(8_000),
    onActivity: watched.resolve,
    runners,
  });
  await watched.promise;
  const status = readStatus(dir);
  assert.ok(status.kind === 'running' && status.shim !== null);
  process.kill(status.shim.pid, 'SIGKILL');
  while (liveness({ ...status.shim, boot: bootId() }) !== 'gone') await new Promise(setImmediate);
  process.kill(agent.pid, 'SIGKILL');
  const why =
    'the process that records its exit was killed before it ended, or its folder was moved away';
  assert.deepEqual(await end, { how: 'lost', why });
});
