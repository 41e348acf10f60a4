import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tmpdir } from 'node:os';
import { identify } from './identity.ts';
import { runCommand } from './run.ts';

const env = { PATH: process.env['PATH'] ?? '/usr/bin:/bin' };
const cwd = tmpdir();
const sh = (script: string): readonly string[] => ['/bin/sh', '-c', script];

test('a command returns its code and both of its outputs', async () => {
  const result = await runCommand({
    argv: sh('echo out; echo err >&2; exit 3'),
    cwd,
    env,
    timeoutMs: 10_000,
  });
  assert.equal(result.code, 3);
  assert.equal(result.stdout.toString(), 'out\n');
  assert.equal(result.stderr.toString(), 'err\n');
  assert.equal(result.timedOut, false);
  assert.equal(result.truncated, false);
});

test('input is written and closed, and without it stdin is empty', async () => {
  const input = 'x'.repeat(300_000);
  const given = await runCommand({ argv: ['cat'], cwd, env, input, timeoutMs: 10_000 });
  assert.equal(given.stdout.toString(), input);
  const none = await runCommand({ argv: ['cat'], cwd, env, timeoutMs: 10_000 });
  assert.equal(none.code, 0);
  assert.equal(none.stdout.length, 0);
});

test('a command that does not read its input is no error', async () => {
  const result = await runCommand({
    argv: ['true'],
    cwd,
    env,
    input: 'x'.repeat(1_000_000),
    timeoutMs: 10_000,
  });
  assert.equal(result.code, 0);
});

test('a missing program is told in the result', async () => {
  const result = await runCommand({
    argv: ['no-such-program-at-all'],
    cwd,
    env,
    timeoutMs: 10_000,
  });
  assert.equal(result.code, null);
  assert.match(result.spawnError ?? '', /ENOENT/);
});

test('only the last bytes of a long output are kept, and that is said', async () => {
  const argv = sh('i=0; while [ $i -lt 3000 ]; do echo 0123456789; i=$((i+1)); done; echo last');
  const result = await runCommand({ argv, cwd, env, timeoutMs: 10_000, maxOutputBytes: 100 });
  assert.equal(result.stdout.length, 100);
  assert.ok(result.stdout.toString().endsWith('0123456789\nlast\n'));
  assert.equal(result.truncated, true);
});

test('a time limit ends a group that ignores SIGTERM', async () => {
  const argv = sh('trap "" TERM; sleep 60 & echo $!; wait; sleep 60');
  const result = await runCommand({ argv, cwd, env, timeoutMs: 300, graceMs: 100 });
  assert.equal(result.timedOut, true);
  assert.equal(result.signal, 'SIGKILL');
  await assertGone(Number(result.stdout.toString()));
});

test('an abort ends the group at once', async () => {
  const stop = new AbortController();
  const running = runCommand({
    argv: sh('sleep 60'),
    cwd,
    env,
    timeoutMs: 60_000,
    signal: stop.signal,
  });
  stop.abort();
  const result = await running;
  assert.equal(result.signal, 'SIGTERM');
  assert.equal(result.timedOut, false);
});

test('a command that was aborted before its start is not started', async () => {
  const result = await runCommand({
    argv: ['true'],
    cwd,
    env,
    timeoutMs: 1,
    signal: AbortSignal.abort(),
  });
  assert.notEqual(result.spawnError, null);
});

test('the result comes although something left behind holds the pipes', async () => {
  const argv = ['/bin/sh', '-c', 'sleep 60 & echo $!'];
  const result = await runCommand({ argv, cwd, env, timeoutMs: 30_000 });
  assert.equal(result.code, 0);
  process.kill(Number(result.stdout.toString()), 'SIGKILL');
});

async function assertGone(pid: number): Promise<void> {
  assert.ok(pid > 1);
  for (let looks = 0; identify(pid) !== 'gone'; looks += 1) {
    assert.ok(looks < 5_000, `process ${pid} ends`);
    await new Promise(setImmediate);
  }
}
