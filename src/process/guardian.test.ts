import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { liveness, identify } from './identity.ts';
import { startGuarded } from './guardian.ts';

/** A guardian over a shell script, with pauses of no length. */
function guarded(script: string, pauses: readonly number[], lastWord?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'czar-guardian-'));
  const gaveUpFile = join(folder, 'gave-up');
  const log = openSync(join(folder, 'log'), 'a');
  const pid = startGuarded({
    command: ['/bin/sh', '-c', script],
    cwd: folder,
    env: { PATH: process.env['PATH'] },
    log,
    gaveUpFile,
    ...(lastWord === undefined ? {} : { lastWord }),
    pauses,
  });
  closeSync(log);
  assert.ok(pid !== null);
  const identity = identify(pid);
  const lines = (): readonly string[] =>
    existsSync(join(folder, 'starts'))
      ? readFileSync(join(folder, 'starts'), 'utf8').trim().split('\n')
      : [];
  return {
    pid,
    lines,
    gaveUpFile,
    ended: async (): Promise<void> => {
      while (typeof identity !== 'string' && liveness(identity) !== 'gone') await soon();
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const soon = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 10));

test('fault 43: what dies is started again until it has died once more than there are pauses', async () => {
  using guardian = guarded('echo x >>starts; kill -9 $$', [0, 0, 0]);
  await guardian.ended();
  assert.equal(guardian.lines().length, 4);
  assert.equal(readFileSync(guardian.gaveUpFile, 'utf8'), '4 137\n');
});

test('fault 43: what is given up is started once more, to tell of it', async () => {
  // The argument comes last, where a shell has its name.
  const script = 'echo "$0" >>starts; [ "$0" != --gave-up ] || cat gave-up >>starts; exit 1';
  using guardian = guarded(script, [0], '--gave-up');
  await guardian.ended();
  const [first, second, ...told] = guardian.lines();
  assert.equal(first, second);
  assert.deepEqual(told, ['--gave-up', '2 1']);
});

test('what cannot be noted is told all the same: the last word says it', async () => {
  // The folder stands where the note belongs.
  const script = 'mkdir -p gave-up; echo "$0 $1" >>starts; exit 1';
  using guardian = guarded(script, [0], '--gave-up');
  await guardian.ended();
  assert.equal(guardian.lines().at(-1), '--gave-up 2 1');
});

test('a goodbye is the end: nothing is started again, nothing is given up', async () => {
  for (const code of [0, 2, 3, 4]) {
    using guardian = guarded(`echo x >>starts; exit ${code}`, [0, 0]);
    await guardian.ended();
    assert.deepEqual([guardian.lines().length, existsSync(guardian.gaveUpFile)], [1, false]);
  }
});

test('SIGTERM reaches the program, and its end is the guardian’s', async () => {
  using guardian = guarded(
    "trap 'echo term >>starts; exit 1' TERM; echo up >>starts; while :; do sleep 0.05; done",
    [0, 0],
  );
  while (guardian.lines().length === 0) await soon();
  process.kill(guardian.pid, 'SIGTERM');
  await guardian.ended();
  assert.deepEqual(guardian.lines(), ['up', 'term']);
});

test('losing its terminal ends neither', async () => {
  using guardian = guarded('echo up >>starts; while :; do sleep 0.02; done', [0]);
  while (guardian.lines().length === 0) await soon();
  process.kill(guardian.pid, 'SIGHUP');
  process.kill(guardian.pid, 'SIGINT');
  assert.equal(typeof identify(guardian.pid), 'object');
  process.kill(guardian.pid, 'SIGTERM');
  await guardian.ended();
});
