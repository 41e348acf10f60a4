/** The log as users see it: events in three formats, derived files, the chain, any moment of the past, following. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { before, after, test } from 'node:test';
import { chainHash, genesis } from '../src/journal/chain.ts';
import { Scratch } from './support/scratch.ts';

let scratch: Scratch;

before(async () => {
  scratch = await Scratch.make();
  scratch.scripted(
    `. "$CZAR_SHELL"
czarina_log_task_start 'Say "hello"
  on two lines'
czarina_log_checkpoint 'half way'
czarina_log_task_complete 'Say "hello"
  on two lines'
echo '{"type": "usage", "input_tokens": 1000, "output_tokens": 500}'
echo "$CZAR_ATTEMPT" > $CZAR_WORKER.txt
[ "$CZAR_WORKER" = a ] || [ "$CZAR_ATTEMPT" = 2 ]`,
    'retry: {max_attempts: 2, initial: 0s}\nmax_parallel: 1\n',
  );
  scratch.worker('a');
  scratch.worker('b', 'dependencies: [a]\n');
  scratch.commitAll();
  const done = await scratch.czar('run');
  assert.equal(done.code, 0, done.stderr);
});
after(async () => scratch[Symbol.asyncDispose]());

function lines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

test('every event is a document of the same shape, and numbers and times have no gap', async () => {
  const events = await scratch.events();
  assert.ok(events.length > 20);
  for (const [index, event] of events.entries()) {
    assert.equal(event.seq, index + 1);
    assert.equal(event.v, 1);
    assert.match(event.ts, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.match(event.type, /^[a-z_]+\.[a-z_]+$/);
    assert.equal(typeof event.data, 'object');
    const known = ['v', 'seq', 'ts', 'run', 'worker', 'attempt', 'type', 'data'];
    assert.deepEqual(
      Object.keys(event).filter((key) => !known.includes(key)),
      [],
    );
    assert.ok(index === 0 || event.ts >= events[index - 1].ts);
  }
  const states = events.filter((event) => event.worker === 'b' && 'from' in event.data);
  let state: string | null = null;
  for (const event of states) {
    assert.equal(event.data.from, state, JSON.stringify(event));
    assert.equal(typeof event.data.reason, 'string');
    state = event.type === 'worker.started' ? 'starting' : event.type.slice('worker.'.length);
  }
  assert.equal(state, 'complete');
});

test('line shows every event as one line, classic the names of the old log, json the documents', async () => {
  const events = await scratch.events();
  const line = lines((await scratch.czar('events')).stdout);
  // How far reports were read is bookkeeping: in the log and the JSON, not in the text.
  const told = events.filter((event) => event.type !== 'attempt.read');
  assert.equal(line.length, told.length);
  for (const [index, text] of line.entries())
    assert.ok(
      text.startsWith(`${told[index].ts.slice(0, 19)}Z ${told[index].worker ?? '-'} `),
      text,
    );
  const json = lines((await scratch.czar('events', '--format', 'json')).stdout);
  assert.deepEqual(
    json.map((text) => JSON.parse(text)),
    events,
  );
  const classic = lines(
    (await scratch.czar('events', '--format', 'classic', '--worker', 'b')).stdout,
  );
  assert.deepEqual(
    classic.map((text) => text.split(' ')[2]),
    [
      'WORKER_START',
      'TASK_START',
      'CHECKPOINT',
      'TASK_COMPLETE',
      'ERROR',
      'WORKER_START',
      'TASK_START',
      'CHECKPOINT',
      'TASK_COMPLETE',
      'WORKER_COMPLETE',
    ],
    classic.join('\n'),
  );
  assert.match(classic.at(-1) ?? '', /^\S+Z b WORKER_COMPLETE tokens=3000\b/);
  assert.match(classic[1] ?? '', /task="Say \\"hello\\"\\n {2}on two lines"/);
  const task = events.find((event) => event.type === 'worker.task_started');
  assert.equal(task.data.task, 'Say "hello"\n  on two lines');
});

test('the derived files are the log line by line, and are made again when they are gone, torn or wrong', async () => {
  const folder = join(scratch.repo, '.czar/logs');
  const check = async (): Promise<void> => {
    const upTo = await scratch.events();
    assert.deepEqual(scratch.log(), upTo);
    const told = lines(readFileSync(join(folder, 'events.log'), 'utf8'));
    assert.equal(told.length, upTo.length);
    assert.deepEqual(
      told.filter((line) => !line.includes(' ATTEMPT_READ ')),
      lines((await scratch.czar('events')).stdout),
    );
  };
  await check();
  const again = async (): Promise<void> => {
    // Any loop brings them up to date; this one finds the run complete.
    assert.equal((await scratch.czar('run')).code, 0);
    await check();
  };
  rmSync(folder, { recursive: true });
  await again();
  assert.equal(readFileSync(join(folder, '.gitignore'), 'utf8').trim(), '*');
  writeFileSync(join(folder, 'events.jsonl'), '{"v":1,"seq":1,"ts":"');
  writeFileSync(join(folder, 'events.log'), 'something else\n'.repeat(7));
  await again();
});

test('a link in place of a derived file is replaced: what it leads to stays as it is', async () => {
  const logs = join(scratch.repo, '.czar/logs');
  const precious = join(scratch.base, 'precious.txt');
  writeFileSync(precious, 'precious\n');
  for (const name of ['events.log', 'events.jsonl', 'events.log.position', 'daemon.log']) {
    rmSync(join(logs, name), { force: true });
    symlinkSync(precious, join(logs, name));
  }
  assert.equal((await scratch.czar('run')).code, 0);
  assert.equal(readFileSync(precious, 'utf8'), 'precious\n');
  const events = await scratch.events();
  assert.deepEqual(scratch.log(), events);
  rmSync(join(logs, 'daemon.log'));
});

test('the chain over the stored events holds', () => {
  const database = new DatabaseSync(join(scratch.repo, '.git/czar/czar.db'), { readOnly: true });
  const rows = database.prepare('SELECT * FROM event ORDER BY seq').all() as any[];
  let hash = genesis;
  for (const [index, row] of rows.entries()) {
    assert.equal(row.seq, index + 1);
    hash = chainHash(hash, row);
    assert.equal(row.hash, hash);
  }
  const head = database.prepare('SELECT seq, hash FROM head').get() as any;
  assert.deepEqual([head.seq, head.hash], [rows.length, hash]);
  database.close();
});

test('status shows any moment of the past, by number and by time', async () => {
  const events = await scratch.events();
  const stateAt = async (at: string, worker: string): Promise<string> => {
    const document = await scratch.json('status', '--at', at);
    return document.workers.find((one: { id: string }) => one.id === worker).state;
  };
  const merged = events.find((event) => event.type === 'worker.complete' && event.worker === 'a');
  assert.equal(await stateAt(String(merged.seq), 'a'), 'complete');
  assert.equal(await stateAt(String(merged.seq - 1), 'a'), 'merging');
  const started = events.find((event) => event.type === 'worker.started' && event.worker === 'a');
  assert.equal(await stateAt(started.ts, 'b'), 'pending');
  const now = await scratch.json('status');
  assert.equal(now.run.state, 'complete');
  assert.equal(now.totals.complete, 2);
  assert.equal((await scratch.czar('status', '--at', String(events.length + 100))).code, 3);
  assert.equal((await scratch.czar('status', '--at', 'yesterday')).code, 2);
  const words = await scratch.czar('status', '--vocabulary', 'story');
  assert.match(words.stdout, / Approved /);
  assert.equal((await scratch.czar('status', '--vocabulary', 'story', '--json')).code, 2);
});

test('what agents printed and changed can be read', async () => {
  const logs = await scratch.czar('logs', 'b');
  assert.equal(logs.code, 0, logs.stderr);
  assert.match(logs.stdout, /usage/);
  const diff = await scratch.czar('diff', 'b');
  assert.match(diff.stdout, /\+2/);
  const path = (await scratch.czar('path', 'b')).stdout.trim();
  assert.ok(existsSync(join(path, 'WORKER_IDENTITY.md')), path);
});

test('following shows events as they come and ends with the pipe', async () => {
  await using other = await Scratch.make();
  other.config();
  other.worker('a');
  other.commitAll();
  const running = other.start('run');
  const agent = await other.stubs.agent('a');
  const following = other.start('events', '--follow');
  await following.seen('WORKER_START');
  await agent.run('czar', 'emit', 'checkpoint', 'Half of it');
  await following.seen('CHECKPOINT');
  await agent.write('a.txt', 'a\n');
  agent.exit();
  await following.seen('WORKER_COMPLETE');
  assert.equal((await running.finished).code, 0);
  following.child.kill('SIGINT');
  const { stdout } = await following.finished;
  const seen = lines(stdout);
  assert.deepEqual(seen, lines((await other.czar('events')).stdout).slice(0, seen.length));
});
