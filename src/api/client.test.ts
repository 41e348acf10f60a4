import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ask, askEnd } from './client.ts';
import { serve } from './serve.ts';

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

test('fault 95: a loop of another version is told, and a refusal is not taken for that', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-ask-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'own/s');
  const never = (): Promise<never> => Promise.reject(new Error('not asked'));
  const rejection = { consequence: 'reject', exit: 4, what: 'not now', next: null } as const;
  const served = await serve(socket, {
    refuse: () => null,
    refused: () => {},
    steer: never,
    begin: never,
    end: () => Promise.resolve({ v: 1, ok: false, rejection }),
  });
  assert.ok(!('refused' in served));
  const refused = await askEnd(socket, { agents: 'run-on' });
  assert.ok(typeof refused === 'object' && !refused.ok && refused.rejection.what === 'not now');
  await served[Symbol.asyncDispose]();

  for (const [code, text] of [
    [400, '{}'],
    [200, '{"v":2,"ok":true}'],
    [404, ''],
  ] as const) {
    const other = createHttpServer((_request, response) => {
      response.writeHead(code).end(text);
    });
    await new Promise<void>((resolve) => other.listen(socket, resolve));
    assert.equal(await askEnd(socket, { agents: 'run-on' }), 'not understood', `${code}`);
    const reply = await ask(socket, { kind: 'retry-failed', run: 'r' });
    assert.ok(reply !== 'unreachable' && !reply.ok);
    assert.match(reply.rejection.what, /another version/);
    await new Promise((resolve) => other.close(resolve));
  }
});
