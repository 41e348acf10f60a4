/** The end of a tree whose first program ends the rest in its own way. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startAttempt } from './attempt.ts';
import { watchFolder } from './changes.ts';
import { Runners } from './runners.ts';
import { attemptKey } from './status.ts';
import { stopTree, type StopResult } from './tree.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-leader-'));
const runners = new Runners(join(home, 'shims'));
after(() => {
  runners[Symbol.dispose]();
  rmSync(home, { recursive: true, force: true });
});

/** A leader with a child that writes `child` when it is told to end; the leader does `told` when it is. */
async function stopped(dir: string, told: string, graceMs: number): Promise<StopResult> {
  const child = `trap 'echo told >"$DIR/child"; exit' TERM; echo up >"$DIR/up"; while :; do sleep 0.05; done`;
  const script = `/bin/sh -c "$CHILD" &\ntrap '${told}' TERM\nwhile :; do sleep 0.05; done`;
  const result = await startAttempt(runners, {
    dir,
    argv: ['/bin/sh', '-c', script],
    cwd: home,
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' },
    own: { DIR: dir, CHILD: child },
    limits: { processes: null, memoryBytes: null },
    timeoutMs: null,
    unattendedMs: 60_000,
    graceMs,
  });
  assert.ok('started' in result, JSON.stringify(result));
  const up = Promise.withResolvers<void>();
  using _ = watchFolder(dir, 20, () => {
    if (existsSync(join(dir, 'up'))) up.resolve();
  });
  await up.promise;
  const query = { marker: attemptKey(dir), roots: [], worktree: null, attemptDir: dir };
  return stopTree({ ...query, leader: result.started, graceMs });
}

test('a leader is told alone, and ends the others in its own way', async () => {
  const dir = mkdtempSync(join(home, 'a-'));
  const { survivors } = await stopped(
    dir,
    'kill -s KILL $!; echo over >"$DIR/leader"; exit 0',
    20_000,
  );
  assert.deepEqual(survivors, []);
  assert.equal(readFileSync(join(dir, 'leader'), 'utf8'), 'over\n');
  assert.equal(existsSync(join(dir, 'child')), false);
});

test('a leader that does nothing has only its part of the grace: then everybody is told', async () => {
  const dir = mkdtempSync(join(home, 'b-'));
  const { survivors } = await stopped(dir, '', 1_000);
  assert.deepEqual(survivors, []);
  assert.equal(readFileSync(join(dir, 'child'), 'utf8'), 'told\n');
});
