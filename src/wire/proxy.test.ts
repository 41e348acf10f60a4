/** The proxy between clients and endpoints that are real servers on loopback. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import test from 'node:test';
import { startModel } from '../../test/live/model/server.ts';
import type { Usage } from '../core/events.ts';
import { startProxy, tokenHeader } from './proxy.ts';

const token = 'a-token';
const prompt = [{ role: 'user', content: 'Do this: [[model: run true]]' }];
const tool = { type: 'object', properties: { command: { type: 'string' } } };

/** What agents ask in each protocol, whole and streamed; the model answers with 1000 fresh and 40 written tokens. */
const questions = [
  ['/v1/messages', { messages: prompt, tools: [{ name: 'Bash', input_schema: tool }] }],
  [
    '/v1/responses',
    {
      input: prompt,
      tools: [{ type: 'function', name: 'shell', parameters: tool }],
    },
  ],
  [
    '/v1/chat/completions',
    {
      messages: prompt,
      tools: [{ type: 'function', function: { name: 'bash', parameters: tool } }],
    },
  ],
] as const;
const gemini = {
  contents: [{ role: 'user', parts: [{ text: prompt[0]?.content }] }],
  tools: [{ functionDeclarations: [{ name: 'run_shell_command', parameters: tool }] }],
};

interface Counted {
  readonly total: Usage;
  readonly isOver: boolean;
}

class Rig implements AsyncDisposable {
  readonly counted: Counted[] = [];
  readonly base: string;
  readonly #close: () => Promise<void>;

  private constructor(base: string, close: () => Promise<void>, counted: Counted[]) {
    this.base = base;
    this.counted = counted;
    this.#close = close;
  }

  /** A proxy to one endpoint. */
  static async to(endpoint: string): Promise<Rig> {
    const counted: Counted[] = [];
    const { port, close } = await startProxy({
      endpoints: [new URL(endpoint)],
      token,
      env: {},
      counted: (total, isOver) => void counted.push({ total, isOver }),
    });
    return new Rig(`http://127.0.0.1:${port}`, close, counted);
  }

  get url(): string {
    return `${this.base}/${token}/0`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** A server on loopback. */
async function serve(listener: RequestListener): Promise<AsyncDisposable & { url: string }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function post(body: object): RequestInit {
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  };
}

test('tokens of each protocol are counted, whole answers and streams, and summed up', async () => {
  await using model = await startModel();
  await using rig = await Rig.to(model.url);
  const asked = [
    ...questions.flatMap(([path, body]) => [
      [path, body] as const,
      [path, { ...body, stream: true, stream_options: { include_usage: true } }] as const,
    ]),
    ['/v1beta/models/m:generateContent', gemini] as const,
    ['/v1beta/models/m:streamGenerateContent?alt=sse', gemini] as const,
  ];
  for (const [at, [path, body]] of asked.entries()) {
    const answer = await fetch(rig.url + path, post(body));
    assert.equal(answer.status, 200);
    assert.match(await answer.text(), /Step 0 of run/);
    const last = rig.counted.at(-1);
    const n = at + 1;
    const total = { input: 1000 * n, output: 40 * n, cached: 0, costUsd: 0 };
    assert.deepEqual(last, { total, isOver: true }, path);
  }
  assert.equal(model.asked.length, asked.length);
});

test('401, 429 and 500 reach the agent as they are, and count for nothing', async () => {
  await using model = await startModel();
  await using rig = await Rig.to(model.url);
  for (const status of [401, 429, 500]) {
    const [path, body] = questions[0];
    const said = [{ role: 'user', content: `[[model: http ${status}]]` }];
    const question = post({ ...body, messages: said });
    const [through, direct] = await Promise.all([
      fetch(rig.url + path, question),
      fetch(model.url + path, question),
    ]);
    assert.equal(through.status, status);
    assert.equal(await through.text(), await direct.text());
    assert.equal(through.headers.get('retry-after'), direct.headers.get('retry-after'));
  }
  assert.deepEqual(rig.counted, []);
});

test('a request reaches the endpoint as it was sent, below its path, but for what is between two connections', async () => {
  const seen: { headers: IncomingMessage['headers']; url?: string; body: string }[] = [];
  await using upstream = await serve((incoming, response) => {
    let body = '';
    incoming.setEncoding('utf8');
    incoming.on('data', (piece: string) => (body += piece));
    incoming.on('end', () => {
      seen.push({ headers: incoming.headers, url: incoming.url ?? '', body });
      response.writeHead(201, 'Made', ['x-one', '1', 'X-Two', '2', 'x-two', '3']).end('made');
    });
  });
  await using rig = await Rig.to(`${upstream.url.replace('//', '//me:pass%20word@')}/base/`);
  const headers = { 'x-api-key': 'sk-secret', [tokenHeader]: token, 'accept-encoding': 'gzip' };
  const answer = await fetch(`${rig.base}/0/v1/x?a=b%20c`, { ...post({ a: 'ü' }), headers });
  assert.equal(answer.status, 201);
  assert.equal(answer.statusText, 'Made');
  assert.equal(answer.headers.get('x-two'), '2, 3');
  assert.equal(await answer.text(), 'made');
  const [request] = seen;
  assert.equal(request?.url, '/base/v1/x?a=b%20c');
  assert.equal(request?.body, '{"a":"ü"}');
  assert.equal(request?.headers['x-api-key'], 'sk-secret');
  assert.equal(request?.headers.host, new URL(upstream.url).host);
  assert.equal(request?.headers['accept-encoding'], 'identity');
  assert.equal(request?.headers.authorization, `Basic ${btoa('me:pass word')}`);
  assert.equal(request?.headers[tokenHeader], undefined);
});

test('who does not know the token, is a web page, or names another host gets nothing', async () => {
  let reached = 0;
  await using upstream = await serve((_, response) => {
    reached += 1;
    response.end();
  });
  await using rig = await Rig.to(upstream.url);
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
    const { port } = new URL(rig.base);
    const sent = request({ host: '127.0.0.1', port, path, headers });
    sent.end();
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    return answer.statusCode ?? 0;
  };
  for (const path of ['/', '/0/v1', '/a-tokem/0/v1', '/a-token/1/v1', '/a-token', '//0/v1'])
    assert.equal(await status(path), 403, path);
  assert.equal(await status('/0/v1', { [tokenHeader]: 'b-token' }), 403);
  assert.equal(await status('/a-token/0/v1', { origin: 'http://evil.example' }), 403);
  assert.equal(await status('/a-token/0/v1', { host: 'evil.example' }), 403);
  assert.equal(reached, 0);
  assert.equal(await status('/a-token/0/../../../v1'), 200);
  assert.equal(reached, 1);
});

test('a piece of an answer reaches the agent before the next one is there, and its figures before it', async () => {
  const next = Promise.withResolvers<void>();
  await using upstream = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"message":{"usage":{"input_tokens":9}}}\n\n');
    void next.promise.then(() => response.end('data: {"usage":{"output_tokens":4}}\n\n'));
  });
  await using rig = await Rig.to(upstream.url);
  const answer = await fetch(rig.url);
  const reader = answer.body?.getReader();
  await reader?.read();
  assert.deepEqual(rig.counted, [
    { total: { input: 9, output: 0, cached: 0, costUsd: 0 }, isOver: false },
  ]);
  next.resolve();
  await reader?.read();
  assert.equal(rig.counted[1]?.total.output, 4);
});

test('an answer that breaks off breaks off for the agent, and what it told counts', async () => {
  await using upstream = await serve((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {"message":{"usage":{"input_tokens":9}}}\n\n', () => response.destroy());
  });
  await using rig = await Rig.to(upstream.url);
  await assert.rejects(fetch(rig.url).then((answer) => answer.text()));
  assert.deepEqual(rig.counted.at(-1), {
    total: { input: 9, output: 0, cached: 0, costUsd: 0 },
    isOver: true,
  });
});

test('a request that its agent gives up is given up at the endpoint', async () => {
  const gone = Promise.withResolvers<void>();
  const came = Promise.withResolvers<void>();
  await using upstream = await serve((incoming, response) => {
    response.on('close', () => gone.resolve());
    incoming.resume();
    came.resolve();
  });
  await using rig = await Rig.to(upstream.url);
  const giving = new AbortController();
  const asked = fetch(rig.url, { signal: giving.signal });
  await came.promise;
  giving.abort();
  await assert.rejects(asked);
  await gone.promise;
});

test('an endpoint that is not there is told as such, and the next request goes on', async () => {
  await using upstream = await serve((_, response) => void response.end('well'));
  const { port } = new URL(upstream.url);
  await upstream[Symbol.asyncDispose]();
  await using rig = await Rig.to(`http://127.0.0.1:${port}`);
  const answer = await fetch(rig.url);
  assert.equal(answer.status, 502);
  assert.match(await answer.text(), /^the endpoint cannot be reached: ECONNREFUSED$/m);
});

test('what would leave HTTP is refused in a way that agents fall back from', async () => {
  await using rig = await Rig.to('http://127.0.0.1:9');
  const socket = connect(Number(new URL(rig.base).port), '127.0.0.1');
  socket.write(
    `GET /${token}/0/v1/responses HTTP/1.1\r\nHost: ${new URL(rig.base).host}\r\n` +
      'Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
  );
  let said = '';
  socket.setEncoding('utf8').on('data', (piece: string) => (said += piece));
  await once(socket, 'end');
  assert.match(said, /^HTTP\/1\.1 426 /);
  socket.destroy();
});

test('an answer of many megabytes to a slow reader is not held in memory', async () => {
  const piece = Buffer.from(`data: {"delta":"${'x'.repeat(1024 * 1024)}"}\n\n`);
  const pieces = 64;
  let sent = 0;
  await using upstream = await serve(async (_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (; sent < pieces; sent += 1) if (!response.write(piece)) await once(response, 'drain');
    response.end('data: {"usage":{"output_tokens":4}}\n\n');
  });
  await using rig = await Rig.to(upstream.url);
  const asked = request(rig.url);
  asked.end();
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  // Nothing is read yet: what is on its way fills the buffers between the three, and no more is sent.
  answer.pause();
  await once(answer, 'readable');
  let held = -1;
  while (held !== sent) {
    held = sent;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.ok(sent < pieces / 2, `${sent} MB were taken though nobody read`);
  let size = 0;
  for await (const part of answer) size += (part as Buffer).length;
  assert.ok(size > pieces * piece.length);
  assert.equal(rig.counted.at(-1)?.total.output, 4);
});
