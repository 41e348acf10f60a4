import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../../process/run.ts';
import { output } from '../git.ts';
import { unlessHeldUp } from './held-up.ts';

const listing = ['ls-files', '-z', '-o', '--exclude-per-directory=.gitignore'];

test('a pipe where git reads ends the work with its name', async () => {
  const pipes = ['.gitignore', 'a/b/.gitignore', '.gitattributes', 'inner/.git/HEAD'];
  for (const pipe of pipes) {
    const dir = await folder();
    try {
      const path = join(dir, pipe);
      mkdirSync(dirname(path), { recursive: true });
      await command('mkfifo', path);
      const waits = (signal: AbortSignal): Promise<never> =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')));
        });
      // Not every git opens each of them; where it does not wait, something else does here.
      const work = async (signal: AbortSignal): Promise<void> => {
        if (pipe.endsWith('.gitignore')) await output(listing, { cwd: dir, signal });
        await waits(signal);
      };
      await assert.rejects(unlessHeldUp({ dir, afterMs: 0 }, work), (error: Error) =>
        error.message.includes(`at ${path}, which is a pipe`),
      );
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  }
});

test('work that takes long without one goes on, and a failure of its own stays one', async () => {
  const dir = await folder();
  try {
    await command('mkfifo', join(dir, 'pipe'));
    const slow = async (): Promise<string> => {
      for (let n = 0; n < 20; n += 1) await output(['rev-parse', '--git-dir'], { cwd: dir });
      return 'done';
    };
    assert.equal(await unlessHeldUp({ dir, afterMs: 0 }, slow), 'done');
    const fails = (): Promise<never> => Promise.reject(new Error('its own'));
    await assert.rejects(unlessHeldUp({ dir, afterMs: 0 }, fails), /its own/);
    const signal = AbortSignal.abort();
    const stopped = (given: AbortSignal): Promise<boolean> => Promise.resolve(given.aborted);
    assert.equal(await unlessHeldUp({ dir, signal, afterMs: 0 }, stopped), true);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
});

async function command(...argv: readonly string[]): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '' };
  const { code } = await runCommand({ argv, cwd: tmpdir(), env, timeoutMs: 10_000 });
  assert.equal(code, 0);
}

async function folder(): Promise<string> {
  const dir = mkdtempSync(join(tmpdir(), 'czar-held-up-'));
  await command('git', 'init', '-q', dir);
  writeFileSync(join(dir, 'a.txt'), 'a\n');
  return dir;
}
