import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask } from './client.ts';

test('a request that may have been taken is not called unreachable', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-ask-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 's');
  const request = { kind: 'retry-failed', run: 'r' } as const;
  assert.equal(await ask(socket, request), 'unreachable');
  const server = createServer((connection) => {
    connection.on('error', () => {});
    connection.once('data', () => connection.destroy());
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const reply = await ask(socket, request);
  assert.ok(reply !== 'unreachable' && !reply.ok);
  assert.match(reply.rejection.what, /before it answered/);
});
