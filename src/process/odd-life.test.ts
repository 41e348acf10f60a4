/** Agents that live in odd ways: stopped, or without their outputs. */
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AttemptEnd, ProcessIdentity } from '../core/events.ts';
import { startAttempt } from './attempt.ts';
import { followAttempt, recoverAttempt } from './follow.ts';
import { bootId } from './identity.ts';
import { Runners } from './runners.ts';

const home = realpathSync(mkdtempSync(join(tmpdir(), 'czar-odd-')));
const runners = new Runners(join(home, 'runners'));
after(() => {
  runners[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});

async function begin(
  name: string,
  script: string,
  timeoutMs: number | null,
): Promise<{ readonly dir: string; readonly agent: ProcessIdentity }> {
  const dir = join(home, name);
  const result = await startAttempt(runners, {
    dir,
    argv: ['/bin/sh', '-c', script],
    cwd: home,
    env: { PATH: process.env['PATH'] },
    own: { DIR: dir },
    limits: { processes: null, memoryBytes: null },
    timeoutMs,
    unattendedMs: 60_000,
    graceMs: 100,
  });
  assert.ok('started' in result, JSON.stringify(result));
  return { dir, agent: result.started };
}

async function follow(dir: string, agent: ProcessIdentity): Promise<AttemptEnd | null> {
  const signal = AbortSignal.timeout(30_000);
  return followAttempt({ dir, process: agent, signal, onActivity: () => {} });
}

test('fault 27: an agent that stopped itself and holds its output open is ended at its time limit', async () => {
  const { dir, agent } = await begin('stopped', 'sleep 60 & kill -STOP $$', 300);
  runners.guard(dir);
  const end = await follow(dir, agent);
  assert.ok(end?.how === 'stopped' && end.why === 'timeout', JSON.stringify(end));
});

test('fault 41: an agent that closed its outputs lives on until its process ends', async () => {
  const script = 'exec >&- 2>&-; while [ ! -e "$DIR/go" ]; do sleep 0.05; done; exit 7';
  const { dir, agent } = await begin('closed', script, null);
  assert.equal((await recoverAttempt({ dir, boot: bootId() })).kind, 'running');
  writeFileSync(join(dir, 'go'), '');
  assert.deepEqual(await follow(dir, agent), { how: 'exited', code: 7 });
});
