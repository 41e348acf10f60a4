import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { readBoot, readStatus } from './status.ts';

test('a torn record is none', () => {
  const dir = mkdtempSync(join(tmpdir(), 'czar-status-'));
  after(() => rmSync(dir, { recursive: true, force: true }));
  const read = (text: string): ReturnType<typeof readStatus> => {
    writeFileSync(join(dir, 'status'), text);
    return readStatus(dir);
  };
  const shim = { pid: 10, start: '5' };
  const agent = { pid: 11, start: '6' };
  assert.deepEqual(read(''), { kind: 'claimed', shim: null });
  assert.deepEqual(read('shim 10 5 .\nagent 11'), { kind: 'claimed', shim });
  assert.deepEqual(read('shim 10 5 .\nagent 11 6 .'), { kind: 'claimed', shim });
  assert.deepEqual(read('shim 10 5 .\nagent 11 6 .\nexit 0'), { kind: 'running', shim, agent });
  assert.deepEqual(read('shim 10 5 .\nagent 11 6 .\nexi\nexit 3 .\n'), {
    kind: 'exited',
    shim,
    agent,
    code: 3,
    over: null,
  });
  assert.deepEqual(read('shim 10 5 .\nagent 11 6 .\n\nover memory .\n\nexit 137 .\n'), {
    kind: 'exited',
    shim,
    agent,
    code: 137,
    over: 'memory',
  });
  assert.deepEqual(read('shim 10 Sat Nov 29 08:03:11 2026 .\n'), {
    kind: 'claimed',
    shim: { pid: 10, start: 'Sat Nov 29 08:03:11 2026' },
  });
  assert.deepEqual(read('void .\n'), { kind: 'void' });
  assert.deepEqual(read('boot b-1 .\nshim 10 5 .\n'), { kind: 'claimed', shim });
  assert.equal(readBoot(dir), 'b-1');
});
