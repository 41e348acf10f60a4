/** What the log and its lock do when several processes meet, and when one is killed. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import test, { type TestContext } from 'node:test';
import type { Event } from '../src/core/events.ts';
import { emptyState, evolve } from '../src/core/evolve.ts';
import { acquireLock, readOwner } from '../src/journal/lock.ts';
import { openJournal } from '../src/journal/sqlite.ts';

test('a writer that is killed in the middle of appending loses nothing it was told is kept', async (t) => {
  const path = join(scratch(t), 'czar.db');
  for (let round = 0; round < 3; round += 1) {
    const script = `
      import { openJournal } from ${JSON.stringify(new URL('../src/journal/sqlite.ts', import.meta.url).href)};
      import { LogWriter, samplePlan } from ${JSON.stringify(new URL('../src/journal/sample-log.test.ts', import.meta.url).href)};
      import { writeSync } from 'node:fs';
      import { evolve } from ${JSON.stringify(new URL('../src/core/evolve.ts', import.meta.url).href)};
      const journal = openJournal(process.argv[1]);
      const state = journal.load();
      const put = (events) => {
        const batch = events.map((event, index) => ({ ...event, seq: state.seq + 1 + index, at: 1 }));
        for (const event of batch) evolve(state, event);
        journal.append(batch, state);
        writeSync(1, state.seq + '\\n');
      };
      put([{ type: 'loop.started', data: { pid: 1, host: 'h', version: '0', epoch: state.epoch + 1 } }]);
      if (!state.runs.has('r')) put([{ type: 'run.started', run: 'r', data: { plan: samplePlan(['a']), base: { ref: 'b', commit: 'c', dirty: 0 }, integration: 'i', target: null, scope: null } }]);
      for (;;) put(['x', 'y', 'z'].map((name) => ({ type: 'worker.checkpoint', run: 'r', worker: 'a', data: { name } })));
    `;
    const child = spawn(process.execPath, ['--input-type=module', '-e', script, path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.setEncoding('utf8');
    for await (const chunk of child.stdout) {
      said += String(chunk);
      if (said.split('\n').length > 20 + round * 7) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    const acknowledged = Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
    using journal = openJournal(path);
    assert.ok(acknowledged > 20);
    assert.ok(journal.head().seq >= acknowledged);
    assert.equal(journal.verifyChain().ok, true);
    assert.deepEqual(journal.load(), fold(journal.read()));
    const names = [...journal.read({ types: ['worker.checkpoint'] })].length;
    assert.equal(names % 3, 0, 'a batch is there whole or not at all');
  }
});

const owner = { pid: process.pid, start: '1', socket: '/tmp/s', version: '1.0.0' };

/** A process that tries to take the lock of a folder, says what came of it, and goes on until it is ended. */
const contender = `
  import { acquireLock } from ${JSON.stringify(new URL('../src/journal/lock.ts', import.meta.url).href)};
  const taken = acquireLock(process.argv[1], { pid: process.pid, start: '1', socket: null, version: '1.0.0' });
  process.stdout.write(('lock' in taken ? 'won' : 'lost') + '\\n');
  process.stdin.resume();
  process.stdin.on('end', () => process.exit());
`;

test('fault 13: of twenty processes at once exactly one takes the lock, and its death frees it', async (t) => {
  const folder = scratch(t);
  const children = Array.from({ length: 20 }, () => contend(t, folder));
  const words = await Promise.all(children.map(firstWord));
  assert.equal(words.filter((word) => word === 'won').length, 1);
  assert.equal(words.filter((word) => word === 'lost').length, 19);
  const winner = children[words.indexOf('won')];
  assert.ok(winner !== undefined);
  assert.equal(readOwner(folder)?.pid, winner.pid);
  winner.kill('SIGKILL');
  await once(winner, 'exit');
  const taken = acquireLock(folder, owner);
  assert.ok('lock' in taken);
  assert.deepEqual(readOwner(folder), owner);
  taken.lock.release();
  for (const child of children) child.stdin.end();
  await Promise.all(
    children
      .filter((child) => child.exitCode === null && child.signalCode === null)
      .map((child) => once(child, 'exit')),
  );
});

test('a second try within the process that holds the lock neither takes nor drops it', async (t) => {
  const folder = scratch(t);
  const first = acquireLock(folder, owner);
  assert.ok('lock' in first);
  assert.deepEqual(acquireLock(folder, owner), { owner });
  const other = contend(t, folder);
  assert.equal(await firstWord(other), 'lost');
  other.stdin.end();
  first.lock.release();
  assert.equal(readOwner(folder), null);
  first.lock.release();
  const again = contend(t, folder);
  assert.equal(await firstWord(again), 'won');
  again.stdin.end();
  await once(again, 'exit');
});

test('fault 32: an owner file that cannot be read says nothing and hinders nobody', (t) => {
  const folder = scratch(t);
  for (const text of [
    '',
    '{',
    '[]',
    '{"pid":-1,"start":"","socket":null,"version":""}',
    '{"pid":1}',
  ]) {
    writeFileSync(join(folder, 'owner.json'), text);
    assert.equal(readOwner(folder), null);
    const taken = acquireLock(folder, owner);
    assert.ok('lock' in taken);
    taken.lock.release();
  }
});

function contend(t: TestContext, folder: string): ChildProcessByStdio<Writable, Readable, null> {
  const child = spawn(process.execPath, ['--input-type=module', '-e', contender, folder], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  t.after(() => child.kill('SIGKILL'));
  return child;
}

async function firstWord(child: ChildProcessByStdio<Writable, Readable, null>): Promise<string> {
  let said = '';
  child.stdout.setEncoding('utf8');
  while (!said.includes('\n')) {
    const [chunk] = await once(child.stdout, 'data');
    said += String(chunk);
  }
  return said.trim();
}

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'czar-log-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function fold(events: Iterable<Event>): unknown {
  const state = emptyState();
  for (const event of events) evolve(state, event);
  return state;
}
