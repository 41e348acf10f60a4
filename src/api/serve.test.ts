import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { serve } from './serve.ts';

test('the socket lies only in a folder of its user that nobody else can open, and replaces only a socket', async () => {
  const base = mkdtempSync(join(tmpdir(), 'czar-socket-'));
  const never = (): Promise<never> => Promise.reject(new Error('not asked'));
  const refusal = async (socket: string): Promise<string> => {
    const served = await serve(socket, {
      refuse: () => null,
      refused: () => {},
      steer: never,
      begin: never,
      end: never,
      prune: never,
      hear: () => () => {},
    });
    if ('refused' in served) return served.refused;
    await served[Symbol.asyncDispose]();
    return 'served';
  };
  try {
    assert.equal(await refusal(join(base, 'made/s')), 'served');
    assert.equal(lstatSync(join(base, 'made')).mode & 0o777, 0o700);

    mkdirSync(join(base, 'open'));
    chmodSync(join(base, 'open'), 0o770);
    assert.match(await refusal(join(base, 'open/s')), /0700/);
    symlinkSync('made', join(base, 'link'));
    assert.match(await refusal(join(base, 'link/s')), /0700/);

    const file = join(base, 'made/file');
    writeFileSync(file, 'somebody’s');
    assert.match(await refusal(file), /not a socket/);
    assert.ok(existsSync(file));

    // Left behind: it was closed under another name.
    const stale = join(base, 'made/stale');
    const server = createServer();
    await new Promise<void>((done) => server.listen(join(base, 'made/t'), done));
    renameSync(join(base, 'made/t'), stale);
    await new Promise((done) => server.close(done));
    assert.equal(await refusal(stale), 'served');
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
