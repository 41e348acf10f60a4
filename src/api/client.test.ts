import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
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
  const to = { socket, pid: process.pid };
  const request = { kind: 'retry-failed', run: 'r' } as const;
  assert.equal(await ask(to, request), 'unreachable');
  const server = createHttpServer((asked, response) => {
    if (asked.url === '/alive') response.end(JSON.stringify({ v: 1, pid: process.pid }));
    else asked.socket.destroy();
  });
  t.after(() => server.close());
  await new Promise<void>((resolve) => server.listen(socket, resolve));
  const reply = await ask(to, request);
  assert.ok(reply !== 'unreachable' && !reply.ok);
  assert.match(reply.rejection.what, /before it answered/);
});

test('fault 95: a loop of another version is told, and a refusal is not taken for that', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-ask-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 'own/s');
  const to = { socket, pid: process.pid };
  const never = (): Promise<never> => Promise.reject(new Error('not asked'));
  const rejection = { consequence: 'reject', exit: 4, what: 'not now', next: null } as const;
  const served = await serve(socket, {
    refuse: () => null,
    refused: () => {},
    steer: never,
    begin: never,
    end: () => Promise.resolve({ v: 1, ok: false, rejection }),
    prune: never,
    hear: () => () => {},
  });
  assert.ok(!('refused' in served));
  const refused = await askEnd(to, { agents: 'run-on' });
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
    assert.equal(await askEnd(to, { agents: 'run-on' }), 'not understood', `${code}`);
    const reply = await ask(to, { kind: 'retry-failed', run: 'r' });
    assert.ok(reply !== 'unreachable' && !reply.ok);
    assert.match(reply.rejection.what, /another version/);
    await new Promise((resolve) => other.close(resolve));
  }
});

test('fault 94: what listens in place of the loop is not asked, whatever it says, and what is left of a socket is nobody', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-ask-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 's');
  const asked: string[] = [];
  const another = createHttpServer((request, response) => {
    asked.push(request.url ?? '');
    response.end(JSON.stringify({ v: 1, ok: true, pid: process.pid, agents: 0, until: null }));
  });
  await new Promise<void>((resolve) => another.listen(socket, resolve));
  const to = { socket, pid: process.pid + 1 };
  assert.equal(await askEnd(to, { agents: 'run-on' }), 'stranger');
  const reply = await ask(to, { kind: 'retry-failed', run: 'r' });
  assert.ok(reply !== 'unreachable' && !reply.ok);
  assert.match(reply.rejection.what, /another program\. Nothing was asked/);
  assert.deepEqual(new Set(asked), new Set(['/alive']));
  await new Promise((resolve) => another.close(resolve));
  writeFileSync(socket, '');
  assert.equal(await ask(to, { kind: 'retry-failed', run: 'r' }), 'unreachable');
});

test('a loop that takes the connection and says nothing is told to hang, and nothing was asked of it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'czar-ask-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const socket = join(folder, 's');
  let heard = '';
  const silent = createServer((connection) => {
    connection.on('error', () => {});
    connection.on('data', (data) => {
      heard += data.toString();
    });
  });
  t.after(() => silent.close());
  await new Promise<void>((resolve) => silent.listen(socket, resolve));
  const reply = await ask({ socket, pid: 1 }, { kind: 'retry-failed', run: 'r' });
  assert.ok(reply !== 'unreachable' && !reply.ok && reply.rejection.exit === 4);
  assert.match(reply.rejection.what, /\(pid 1\) does not answer/);
  assert.match(heard, /^POST \/alive /);
  assert.doesNotMatch(heard, /retry-failed/);
});
