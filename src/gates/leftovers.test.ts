import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, watch } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { identify } from '../process/identity.ts';
import { runCommand } from '../process/run.ts';
import { checkMark, endLeftovers, markCommand } from './leftovers.ts';

const skip = process.platform === 'linux' ? false : 'the platform does not show environments';

test(
  'a command that still runs is ended with all it started; what an ended one left is let be',
  { skip },
  async (t) => {
    const dir = await mkdtemp(join(tmpdir(), 'czar-leftovers-'));
    t.after(() => rm(dir, { recursive: true, force: true }));
    const mark = checkMark(dir);
    const command = (script: string) =>
      runCommand({
        argv: ['/bin/sh', '-c', `${markCommand}${script}`],
        cwd: dir,
        env: { PATH: process.env['PATH'], CZAR_ATTEMPT_KEY: mark },
        timeoutMs: 30_000,
      });
    const server = (name: string): string =>
      `setsid sh -c 'echo $$ >${name}; exec sleep 60' >/dev/null 2>&1 </dev/null &`;

    await command(`${server('kept')}\nuntil [ -s kept ]; do sleep 0.02; done`);
    const changes = watch(dir);
    const hanging = command(
      `(${server('deep')})\nuntil [ -s deep ]; do sleep 0.02; done\n: >up\nsleep 60; exit 9`,
    );
    for await (const change of changes) if (change.filename === 'up') break;
    await endLeftovers(mark, 1_000);

    assert.notEqual((await hanging).code, 0);
    const pid = async (name: string): Promise<number> =>
      Number(await readFile(join(dir, name), 'utf8'));
    assert.equal(identify(await pid('deep')), 'gone');
    const kept = identify(await pid('kept'));
    assert.notEqual(kept, 'gone');
    process.kill(await pid('kept'), 'SIGKILL');
  },
);

test('a command whose shell became another program is ended too', { skip }, async () => {
  const mark = checkMark('/replaced');
  const going = runCommand({
    argv: ['/bin/sh', '-c', `${markCommand}exec sleep 60`],
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], CZAR_ATTEMPT_KEY: mark },
    timeoutMs: 30_000,
  });
  let ended = false;
  void going.then(() => (ended = true));
  while (!ended) await endLeftovers(mark, 1_000);
  assert.notEqual((await going).code, 0);
});

test('commands of another repository are not touched', { skip }, async () => {
  const going = runCommand({
    argv: ['/bin/sh', '-c', `${markCommand}sleep 0.3; :`],
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'], CZAR_ATTEMPT_KEY: checkMark('/one') },
    timeoutMs: 30_000,
  });
  await endLeftovers(checkMark('/other'), 1_000);
  assert.equal((await going).code, 0);
});
