// Who is told of what, over real servers and processes; time is moved by the test.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { CoreWorld, planOf, runId } from '../../test/support/core-world.ts';
import { toldByDefault } from '../core/notify.ts';
import type { Event } from '../core/events.ts';
import type { NotifyTarget } from '../core/plan.ts';
import { noticeOf } from '../report/notice.ts';
import type { Scheduler } from './scheduler.ts';
import { mostHeld, Notifier } from './notify.ts';

const failed = (seq: number): Event => ({
  seq,
  at: 1_000,
  run: runId,
  worker: 'a',
  type: 'worker.failed',
  data: { from: 'active', reason: 'it <b>broke</b>', blockedBy: null },
});

/** Time that passes when the test says so: what waits for it, by its delay. */
function clock() {
  const waiting = new Map<object, { readonly step: () => void; readonly delayMs: number }>();
  let watchers: (() => void)[] = [];
  const scheduler: Scheduler = {
    immediate: (step) => {
      setImmediate(step);
    },
    timer: (step, delayMs) => {
      const key = {};
      waiting.set(key, { step, delayMs });
      for (const wake of watchers.splice(0)) wake();
      return () => void waiting.delete(key);
    },
  };
  return {
    scheduler,
    delays: () => [...waiting.values()].map(({ delayMs }) => delayMs),
    /** Lets the time pass that something waits for, as soon as it does. */
    pass: async (delayMs: number): Promise<void> => {
      for (;;) {
        const due = [...waiting].find(([, one]) => one.delayMs === delayMs);
        if (due !== undefined) {
          waiting.delete(due[0]);
          due[1].step();
          return;
        }
        await new Promise<void>((wake) => watchers.push(wake));
      }
    },
  };
}

interface Got {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A server on the loopback that answers the n-th request (from 1) as the test says. */
async function receiver(answer: (response: ServerResponse, n: number) => void) {
  const got: Got[] = [];
  let watchers: (() => void)[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      got.push({ url: request.url ?? '', headers: request.headers, body });
      answer(response, got.length);
      for (const wake of watchers.splice(0)) wake();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  assert.ok(typeof address === 'object' && address !== null);
  return {
    got,
    url: `http://127.0.0.1:${address.port}/hook/path-secret`,
    requests: async (count: number): Promise<void> => {
      while (got.length < count) await new Promise<void>((wake) => watchers.push(wake));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

const status = (code: number) => (response: ServerResponse) => void response.writeHead(code).end();

function notifierIn(cwd: string, env: NodeJS.ProcessEnv = {}) {
  const said: string[] = [];
  const time = clock();
  const notifier = new Notifier({
    cwd,
    env: { PATH: process.env['PATH'], HOOK: 'the-secret', ...env },
    say: (line) => said.push(line),
    scheduler: time.scheduler,
  });
  return { notifier, said, time };
}

const webhook = (url: string): Pick<NotifyTarget, 'to'> => ({
  to: { kind: 'webhook', url, secretEnv: 'HOOK' },
});

function scratch() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'czar-notify-')));
  return { folder, [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

test('a webhook gets the event as JSON with its type, a signature and an id', async () => {
  await using server = await receiver(status(204));
  const { notifier, said } = notifierIn('/');
  notifier.send([webhook(server.url)], noticeOf(failed(7)));
  await notifier.idle();
  const [{ headers, body } = assert.fail()] = server.got;
  assert.deepEqual(JSON.parse(body), {
    v: 1,
    seq: 7,
    ts: '1970-01-01T00:00:01.000Z',
    run: runId,
    worker: 'a',
    type: 'worker.failed',
    data: { from: 'active', reason: 'it <b>broke</b>', blockedBy: null },
  });
  const hmac = createHmac('sha256', 'the-secret').update(body).digest('hex');
  assert.equal(headers['x-czar-signature'], `sha256=${hmac}`);
  assert.equal(headers['x-czar-event'], 'worker.failed');
  assert.equal(headers['x-czar-delivery'], `${runId}/7`);
  assert.equal(headers['content-type'], 'application/json');
  assert.deepEqual(said, []);
});

test('a webhook that fails is tried again after 1, 4, 16 and 64 s with the same id', async () => {
  await using server = await receiver((response, n) => status(n < 5 ? 500 : 200)(response));
  const { notifier, said, time } = notifierIn('/');
  notifier.send([webhook(server.url)], noticeOf(failed(7)));
  for (const pause of [1_000, 4_000, 16_000, 64_000]) await time.pass(pause);
  await notifier.idle();
  assert.deepEqual(
    server.got.map(({ headers }) => headers['x-czar-delivery']),
    Array(5).fill(`${runId}/7`),
  );
  assert.deepEqual(said, []);
  assert.deepEqual(time.delays(), []);
});

test('after the fifth try it is given up with a line that holds no secret, and others are told meanwhile', async () => {
  await using server = await receiver((response, n) => status(n === 2 ? 200 : 503)(response));
  const { notifier, said, time } = notifierIn('/');
  const to = [webhook(server.url)];
  notifier.send(to, noticeOf(failed(7)));
  await server.requests(1);
  notifier.send(to, noticeOf(failed(8)));
  await server.requests(2);
  for (const pause of [1_000, 4_000, 16_000, 64_000]) await time.pass(pause);
  await notifier.idle();
  assert.deepEqual(
    server.got.map(({ headers }) => headers['x-czar-delivery']),
    [7, 8, 7, 7, 7, 7].map((seq) => `${runId}/${seq}`),
  );
  const origin = new URL(server.url).origin;
  assert.deepEqual(said, [
    `notify: the webhook at ${origin} was not told of worker.failed (${runId}/7): it answered with status 503, at 5 tries`,
  ]);
});

test('a redirect is not followed, and a server that is gone is named', async () => {
  await using server = await receiver((response) => {
    response.writeHead(302, { Location: '/elsewhere' }).end();
  });
  const { notifier, said, time } = notifierIn('/');
  notifier.send([webhook(server.url)], noticeOf(failed(7)));
  for (const pause of [1_000, 4_000, 16_000, 64_000]) await time.pass(pause);
  await notifier.idle();
  assert.deepEqual([...new Set(server.got.map(({ url }) => url))], ['/hook/path-secret']);
  assert.match(said.join('\n'), /status 302, at 5 tries$/);
  await server[Symbol.asyncDispose]();
  const gone = notifierIn('/');
  gone.notifier.send([webhook(server.url)], noticeOf(failed(7)));
  for (const pause of [1_000, 4_000, 16_000, 64_000]) await gone.time.pass(pause);
  await gone.notifier.idle();
  assert.match(gone.said.join('\n'), /: ECONNREFUSED, at 5 tries$/);
});

test('an answer is waited for 10 s, and then the try has failed', async () => {
  await using server = await receiver((response, n) => {
    if (n > 1) status(200)(response);
  });
  const { notifier, said, time } = notifierIn('/');
  notifier.send([webhook(server.url)], noticeOf(failed(7)));
  await server.requests(1);
  await time.pass(10_000);
  await time.pass(1_000);
  await notifier.idle();
  assert.equal(server.got.length, 2);
  assert.deepEqual(said, []);
});

test('without its secret a webhook is told nothing', async () => {
  await using server = await receiver(status(200));
  const { notifier, said } = notifierIn('/', { HOOK: '' });
  notifier.send([webhook(server.url)], noticeOf(failed(7)));
  await notifier.idle();
  assert.equal(server.got.length, 0);
  assert.match(said.join('\n'), /the variable HOOK is not set$/);
});

test('a command gets the event as a line and its names in the environment, without a shell', async () => {
  using place = scratch();
  const { notifier, said } = notifierIn(place.folder, { CZAR_WORKER: 'of another' });
  const script =
    'cat >>told; echo "$CZAR_EVENT $CZAR_RUN ${CZAR_WORKER-none} $1" >>told; [ "$CZAR_EVENT" = run.complete ]';
  const to = { kind: 'command', argv: ['/bin/sh', '-c', script, 'sh', '$(touch x); y'] } as const;
  const complete: Event = { seq: 8, at: 1_000, run: runId, type: 'run.complete', data: {} };
  // What is named twice is told once.
  notifier.send([{ to }, { to: { ...to } }], noticeOf(failed(7)));
  notifier.send([{ to }], noticeOf(complete));
  await notifier.idle();
  const [first = '', second, third = '', fourth, ...rest] = readFileSync(
    join(place.folder, 'told'),
    'utf8',
  ).split('\n');
  assert.equal(JSON.parse(first).seq, 7);
  assert.equal(second, `worker.failed ${runId} a $(touch x); y`);
  assert.equal(JSON.parse(third).seq, 8);
  assert.equal(fourth, `run.complete ${runId} none $(touch x); y`);
  assert.deepEqual(rest, ['']);
  assert.deepEqual(said, [
    `notify: the command /bin/sh was not told of worker.failed (${runId}/7): it ended with exit code 1`,
  ]);
});

test('a command that is not there is a line', async () => {
  const { notifier, said } = notifierIn('/');
  const to = { kind: 'command', argv: ['/nonexistent/tell', 'token'] } as const;
  notifier.send([{ to }], noticeOf(failed(7)));
  await notifier.idle();
  assert.deepEqual(said, [
    `notify: the command /nonexistent/tell was not told of worker.failed (${runId}/7): it could not be started`,
  ]);
});

test('the desktop is told in words, none of them markup or an option, where there is a program for it', async () => {
  using place = scratch();
  for (const name of ['notify-send', 'osascript'])
    writeFileSync(
      join(place.folder, name),
      '#!/bin/sh\nfor each; do echo "[$each]"; done >shown\n',
      {
        mode: 0o755,
      },
    );
  const { notifier, said } = notifierIn(place.folder, {
    PATH: `${place.folder}:${process.env['PATH']}`,
  });
  notifier.send([{ to: { kind: 'desktop' } }], noticeOf(failed(7)));
  await notifier.idle();
  assert.deepEqual(said, []);
  const broke = process.platform === 'darwin' ? 'it <b>broke</b>' : 'it &lt;b&gt;broke&lt;/b&gt;';
  const shown = readFileSync(join(place.folder, 'shown'), 'utf8').trimEnd().split('\n');
  assert.deepEqual(shown.slice(-3), ['[--]', '[czar: a]', `[failed: ${broke}]`]);

  const without = notifierIn(place.folder, { PATH: join(place.folder, 'nothing') });
  without.notifier.send([{ to: { kind: 'desktop' } }], noticeOf(failed(7)));
  await without.notifier.idle();
  assert.match(without.said.join('\n'), /is not on the PATH$/);
});

test('what nobody takes is held up to a limit, in nobody’s way, and given up at the end', async () => {
  await using server = await receiver(() => {});
  const { notifier, said, time } = notifierIn('/');
  const to = webhook(server.url);
  for (let seq = 1; seq <= mostHeld + 5; seq += 1) notifier.send([to], noticeOf(failed(seq)));
  // Nothing has begun before the turn of the loop is over.
  assert.deepEqual(time.delays(), []);
  const origin = new URL(server.url).origin;
  assert.deepEqual(said, [
    `notify: ${mostHeld} events wait for the webhook at ${origin}: more are left out`,
  ]);
  await server.requests(1);
  const closed = notifier.close();
  await time.pass(2_000);
  await closed;
  assert.equal(said.length, mostHeld);
  assert.match(said.at(-1) ?? '', /\(20261121-1\/200\): czar has ended$/);
  await notifier.idle();
  assert.match(said.at(-1) ?? '', /\(20261121-1\/1\): czar has ended$/);
  assert.equal(said.length, mostHeld + 1);
  assert.equal(server.got.length, 1);
});

test('the end waits for what is under way, but tries nothing again and takes nothing more', async () => {
  let answer = (): void => {};
  await using server = await receiver((response, n) => {
    if (n === 1) status(500)(response);
    else answer = () => status(200)(response);
  });
  const { notifier, said, time } = notifierIn('/');
  const to = [webhook(server.url)];
  notifier.send(to, noticeOf(failed(1)));
  await server.requests(1);
  notifier.send(to, noticeOf(failed(2)));
  await server.requests(2);
  const closed = notifier.close();
  notifier.send(to, noticeOf(failed(3)));
  answer();
  await closed;
  assert.deepEqual(
    said.map((line) => line.slice(line.indexOf('('))),
    [`(${runId}/1): czar has ended`],
  );
  assert.equal(server.got.length, 2);
  assert.deepEqual(time.delays(), []);
});

test('events are told to those whom the plan of their run names', async () => {
  await using server = await receiver(status(200));
  const { notifier } = notifierIn('/');
  const target = (events: readonly string[]): NotifyTarget => ({ ...webhook(server.url), events });
  const world = new CoreWorld(planOf([{ id: 'a' }], { notify: [target(toldByDefault)] }));
  const nobody = new CoreWorld(planOf([{ id: 'a' }]));
  notifier.tell([failed(1)], nobody.state);
  notifier.tell(
    [failed(2), { seq: 3, at: 1, type: 'loop.ended', data: { reason: '' } }],
    world.state,
  );
  await notifier.idle();
  assert.deepEqual(
    server.got.map(({ headers }) => headers['x-czar-delivery']),
    [`${runId}/2`],
  );
});
