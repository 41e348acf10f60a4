import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { Notices, type LoopNotice } from '../daemon/notices.ts';
import { hear } from './hear.ts';
import { serve } from './serve.ts';

function socketFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'czar-hear-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'own/s');
}

async function serving(socket: string, notices: Notices): Promise<AsyncDisposable> {
  const never = (): Promise<never> => Promise.reject(new Error('not asked'));
  const asked = { steer: never, begin: never, end: never, prune: never };
  const { hear: hearing } = notices;
  const served = await serve(socket, {
    refuse: () => null,
    refused: () => {},
    ...asked,
    hear: hearing,
  });
  assert.ok(!('refused' in served));
  return served;
}

test('whoever listens hears what is said from then on, and at once that the log cannot be written', async (t) => {
  const socket = socketFor(t);
  const notices = new Notices();
  const served = await serving(socket, notices);
  notices.note('nobody hears this');
  notices.stalled({ reason: 'full', message: 'no space' });
  const heard: LoopNotice[] = [];
  const enough = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const over = hear(
    { socket },
    {
      signal: new AbortController().signal,
      opened: opened.resolve,
      heard: (notice) => {
        heard.push(notice);
        if (heard.length === 4) enough.resolve();
      },
    },
  );
  await opened.promise;
  notices.note('one');
  notices.log('two');
  notices.stalled(null);
  await enough.promise;
  assert.deepEqual(heard, [
    { kind: 'stalled', reason: 'full', message: 'no space' },
    { kind: 'note', text: 'one' },
    { kind: 'log', text: 'two' },
    { kind: 'writable' },
  ]);
  await served[Symbol.asyncDispose]();
  await over;
  notices.note('and nobody this');
  assert.equal(heard.length, 4);
});

test('where nobody listens, or an older loop that says nothing, hearing is over at once', async (t) => {
  const socket = socketFor(t);
  const signal = new AbortController().signal;
  let opened = 0;
  const options = { signal, opened: () => (opened += 1), heard: () => assert.fail('heard') };
  await hear({ socket }, options);
  const folder = mkdtempSync(join(tmpdir(), 'czar-hear-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const older = createServer((_asked, response) => response.writeHead(404).end());
  t.after(() => older.close());
  await new Promise<void>((resolve) => older.listen(join(folder, 's'), resolve));
  await hear({ socket: join(folder, 's') }, options);
  assert.ok(opened >= 2);
});

test('who ends hearing is heard no more', async (t) => {
  const socket = socketFor(t);
  const notices = new Notices();
  await using _served = await serving(socket, notices);
  const end = new AbortController();
  const opened = Promise.withResolvers<void>();
  const over = hear({ socket }, { signal: end.signal, opened: opened.resolve, heard: () => {} });
  await opened.promise;
  end.abort();
  await over;
});
