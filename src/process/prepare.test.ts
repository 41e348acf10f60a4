/** An attempt gets ready while what it starts with is still put into its folder. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { AttemptEnd } from '../core/events.ts';
import { startAttempt, type StartOptions, type StartResult } from './attempt.ts';
import { watchFolder } from './changes.ts';
import { followAttempt, recoverAttempt } from './follow.ts';
import { bootId } from './identity.ts';
import { Runners } from './runners.ts';
import { attemptKey, readStatus } from './status.ts';
import { scan } from './tree.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-prepare-'));
const runners = new Runners(join(home, 'shims'));
after(() => {
  runners[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});

test('what an attempt starts with is put there while its shim gets ready, and is there before it begins', async () => {
  const dir = folder();
  const prepare = async (): Promise<void> => {
    assert.match(await appears(dir, 'status'), /^shim \d+ /m);
    assert.equal(readStatus(dir).kind, 'claimed');
    writeFileSync(join(dir, 'told'), 'all of it\n');
  };
  const result = await startAttempt(runners, options(dir, 'cat "$DIR/told"', { prepare }));
  assert.deepEqual(await exit(dir, result), { how: 'exited', code: 0 });
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
  await exit(dir, await startAttempt(runners, options(dir, 'echo ran')));
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

function folder(): string {
  return mkdtempSync(join(home, 'a-'));
}

function options(dir: string, script: string, more: Partial<StartOptions> = {}): StartOptions {
  return {
    dir,
    argv: ['/bin/sh', '-c', script],
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    own: { DIR: dir },
    limits: { processes: null, memoryBytes: null },
    timeoutMs: null,
    unattendedMs: 60_000,
    graceMs: 500,
    ...more,
  };
}

async function exit(dir: string, result: StartResult): Promise<AttemptEnd | null> {
  assert.ok('started' in result, JSON.stringify(result));
  const signal = AbortSignal.timeout(15_000);
  return followAttempt({ dir, process: result.started, signal, onActivity: () => {} });
}

/** Waits until the file in the folder holds a whole line, and returns its text. */
async function appears(dir: string, name: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const look = (): void => {
    const file = join(dir, name);
    if (!existsSync(file)) return;
    const text = readFileSync(file, 'utf8');
    if (text.endsWith('\n')) resolve(text);
  };
  using _watch = watchFolder(dir, 1_000, look);
  look();
  return await promise;
}

function left(dir: string): readonly unknown[] {
  return scan({ marker: attemptKey(dir), roots: [], worktree: null, attemptDir: dir });
}
