import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import type { Event, NewEvent } from '../core/events.ts';
import { emptyState, evolve } from '../core/evolve.ts';
import type { RunState } from '../core/state.ts';
import { chainHash } from './chain.ts';
import { networkFileSystemName } from './file-system.ts';
import { JournalError } from './journal.ts';
import { LogWriter, randomLog, samplePlan } from './sample-log.test.ts';
import { openForWriting } from './open-database.ts';
import { openJournal, openJournalForReading, SqliteJournal } from './sqlite.ts';

const choices = Array.from({ length: 120 }, (_, index) => index * 7919 + index);

test('a log survives closing, opening and going on', (t) => {
  const path = scratch(t);
  const events = randomLog(choices);
  const state = emptyState();
  for (const half of [events.slice(0, 60), events.slice(60)]) {
    using journal = openJournal(path);
    assert.deepEqual(journal.load(), state);
    for (const event of half) evolve(state, event);
    journal.append(half, state);
  }
  using journal = openJournal(path);
  assert.deepEqual(journal.load(), fold(journal.read()));
  assert.equal(journal.verifyChain().ok, true);
});

test('SQL cannot change or remove an event', (t) => {
  const path = filled(t);
  using db = new DatabaseSync(path);
  assert.throws(() => db.exec("UPDATE event SET data = '{}' WHERE seq = 3"), /never changed/);
  assert.throws(() => db.exec('DELETE FROM event WHERE seq = 3'), /never removed/);
});

const edits: Readonly<Record<string, string>> = {
  'data of an event': "UPDATE event SET data = replace(data, 'a', 'b') WHERE seq = 2",
  'the time of an event': 'UPDATE event SET at = at + 1 WHERE seq = 5',
  'the worker of an event':
    "UPDATE event SET worker = 'c' WHERE seq = (SELECT max(seq) FROM event WHERE worker = 'a')",
  'a removed event': 'DELETE FROM event WHERE seq = 7',
  'a removed end': 'DELETE FROM event WHERE seq = (SELECT max(seq) FROM event)',
  'a swapped pair':
    'UPDATE event SET seq = -seq WHERE seq IN (5, 6); UPDATE event SET seq = 11 + seq WHERE seq < 0',
};
for (const [what, sql] of Object.entries(edits)) {
  test(`verifying finds ${what}`, (t) => {
    const path = filled(t);
    tamper(path, sql);
    using journal = openJournal(path);
    const check = journal.verifyChain();
    assert.equal(check.ok, false);
  });
}

test('an edit that the chain covers is never folded', (t) => {
  const path = filled(t);
  tamper(
    path,
    'UPDATE event SET at = at + 1 WHERE seq = 5; UPDATE head SET projection_version = 0',
  );
  using journal = openJournal(path);
  assert.throws(() => journal.load(), isError('corrupt', /event 5/));
});

test('a log that lost its last events is not loaded', (t) => {
  const path = filled(t);
  tamper(path, 'DELETE FROM event WHERE seq > 100');
  using reader = openJournalForReading(path);
  assert.ok(reader !== null);
  assert.throws(() => reader.load(), isError('corrupt'));
});

test('damaged, missing or outdated projection rows are made anew from the log', (t) => {
  for (const sql of [
    "UPDATE projection SET body = replace(body, '\"pending\"', '\"complete\"') WHERE kind = 'worker'",
    "DELETE FROM projection WHERE kind = 'worker' AND part = 'b'",
    "DELETE FROM projection WHERE kind = 'plan'",
    "DELETE FROM projection WHERE kind = 'tree'",
    "DELETE FROM projection WHERE kind = 'seal'",
    'DELETE FROM projection WHERE run = (SELECT max(run) FROM projection)',
    "UPDATE projection SET part = 'x' WHERE kind = 'tree'",
    'UPDATE head SET epoch = epoch + 1',
    'UPDATE head SET projection_version = 999',
    'UPDATE head SET projection_seq = 1',
  ]) {
    const path = filled(t);
    tamper(path, sql);
    const expected = fold(randomLog(choices));
    using reader = openJournalForReading(path);
    assert.deepEqual(reader?.load(), expected, sql);
    {
      using journal = openJournal(path);
      const state = journal.load();
      assert.deepEqual(state, expected, sql);
      const data = { pid: 1, host: 'h', version: '0', epoch: state.epoch + 1 };
      const next: Event = { type: 'loop.started', seq: state.seq + 1, at: 1, data };
      evolve(state, next);
      journal.append([next], state);
    }
    using db = new DatabaseSync(path, { readOnly: true });
    const head = db.prepare('SELECT seq - projection_seq AS behind FROM head').get();
    assert.equal(head?.['behind'], 0);
  }
});

test('a log of a newer czar is refused with a sentence', (t) => {
  const path = filled(t);
  tamper(path, 'PRAGMA user_version = 2');
  const newer = isError('newer', /newer czar.*use that version/);
  assert.throws(() => openJournal(path), newer);
  assert.throws(() => openJournalForReading(path), newer);
});

test('fault 14: an event that this version does not know is refused, not skipped', (t) => {
  const path = filled(t);
  {
    using db = new DatabaseSync(path);
    const last = db.prepare('SELECT * FROM event ORDER BY seq DESC LIMIT 1').get();
    const row = {
      seq: Number(last?.['seq']) + 1,
      v: 1,
      at: Number(last?.['at']),
      run: null,
      worker: null,
      attempt: null,
      type: 'worker.teleported',
      data: '{}',
    };
    const hash = chainHash(String(last?.['hash']), row);
    db.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
      ...Object.values(row),
      hash,
    );
    db.prepare('UPDATE head SET seq = ?, hash = ?, projection_version = 99').run(row.seq, hash);
  }
  using reader = openJournalForReading(path);
  assert.throws(() => [...(reader?.read() ?? [])], isError('newer', /worker\.teleported/));
  assert.throws(() => reader?.load(), isError('newer', /worker\.teleported/));
  using journal = openJournal(path);
  assert.throws(() => journal.load(), isError('newer', /worker\.teleported/));
});

test('a file that is no log is refused', (t) => {
  const path = scratch(t);
  writeFileSync(
    path,
    'this is not a database, and it is long enough to be read as one\n'.repeat(100),
  );
  assert.throws(() => openJournal(path), isError('corrupt'));
});

test('before the first event there is nothing to read', (t) => {
  assert.equal(openJournalForReading(scratch(t)), null);
});

test('a reader sees each batch whole and cannot write', (t) => {
  const path = scratch(t);
  const log = new LogWriter();
  using journal = openJournal(path);
  journal.append([log.loopStarted(1), log.runStarted('r', samplePlan(['a']))], log.state);
  using reader = openJournalForReading(path);
  assert.ok(reader !== null);
  assert.equal(reader.head().seq, 2);
  const next = [log.enter('r', 'a', 'ready'), log.enter('r', 'a', 'starting')];
  assert.throws(() => reader.append(next, log.state), isError('read-only'));
  journal.append(next, log.state);
  assert.equal(reader.load().runs.get('r')?.workers.get('a')?.state, 'starting');
});

test('fault 12: a log whose file was replaced or removed takes no more events', (t) => {
  for (const remove of [(path: string) => renameSync(path, `${path}.old`), rmSync]) {
    const path = scratch(t);
    const log = new LogWriter();
    using journal = openJournal(path);
    journal.append([log.loopStarted(1)], log.state);
    remove(path);
    assert.equal(journal.isCurrent(), false);
    assert.throws(() => journal.append([log.loopStarted(2)], log.state), isError('replaced'));
  }
});

test('a full disk refuses the batch, keeps what is there, and goes on when there is space', (t) => {
  const path = scratch(t);
  const log = new LogWriter();
  {
    using journal = openJournal(path);
    journal.append([log.loopStarted(1), log.runStarted('r', samplePlan(['a']))], log.state);
  }
  const db = openForWriting(path);
  db.exec('PRAGMA max_page_count = 40');
  using journal = new SqliteJournal(path, db, true);
  const big = log.add({
    type: 'worker.checkpoint',
    run: 'r',
    worker: 'a',
    data: { name: 'x'.repeat(500_000) },
  });
  assert.throws(
    () => journal.append([big], log.state),
    (error: unknown) => {
      assert.ok(error instanceof JournalError);
      assert.equal(error.reason, 'full');
      assert.equal(error.consequence, 'retry');
      return true;
    },
  );
  assert.equal(journal.head().seq, 2);
  db.exec('PRAGMA max_page_count = 1000000');
  journal.append([big], log.state);
  assert.equal(journal.head().seq, 3);
  assert.deepEqual(journal.load(), fold(journal.read()));
});

test('fault 16: loading a log of 100,000 events reads none of them', (t) => {
  const path = scratch(t);
  const log = new LogWriter();
  const events: Event[] = [log.loopStarted(1), log.runStarted('r', samplePlan(['a', 'b']))];
  while (events.length < 100_000) {
    events.push(
      log.add({
        type: 'worker.checkpoint',
        run: 'r',
        worker: 'a',
        data: { name: `${events.length}` },
      }),
    );
  }
  {
    using journal = openJournal(path);
    journal.append(events, log.state);
  }
  tamper(path, "UPDATE event SET data = 'unreadable' WHERE seq < 100000");
  using reader = openJournalForReading(path);
  assert.equal(reader?.load().seq, 100_000);
});

test('the current state is the whole one without the runs that ended before, and needs no others', (t) => {
  const path = scratch(t);
  const log = new LogWriter();
  const ending: Readonly<Record<string, NewEvent | null>> = {
    old: { type: 'run.complete', run: 'old', data: {} },
    running: null,
    waiting: { type: 'run.waiting', run: 'waiting', data: { workers: [] } },
    landing: { type: 'run.complete', run: 'landing', data: {} },
    newest: { type: 'run.failed', run: 'newest', data: { workers: [], reason: 'red' } },
  };
  const events = [log.loopStarted(1)];
  for (const [id, end] of Object.entries(ending)) {
    events.push(log.runStarted(id, samplePlan(['a', 'b'])));
    if (end !== null) events.push(log.add(end));
  }
  events.push(
    log.add({
      type: 'land.started',
      run: 'landing',
      data: { target: 'main', mode: 'merge', partial: false, onto: 'c0', tip: 'c1', date: 1 },
    }),
  );
  {
    using journal = openJournal(path);
    journal.append(events, log.state);
  }
  const read = (named: string | null): ReadonlyMap<string, RunState> => {
    using reader = openJournalForReading(path);
    assert.ok(reader !== null);
    return reader.loadCurrent(named).runs;
  };
  const now: readonly string[] = ['running', 'waiting', 'landing', 'newest'];
  const cases: readonly (readonly [string | null, readonly string[]])[] = [
    [null, now],
    ['newest', now],
    ['old', ['old', 'running', 'waiting', 'landing']],
    ['nobody', Object.keys(ending)],
  ];
  for (const [named, ids] of cases) {
    const whole = [...log.state.runs].filter(([id]) => ids.includes(id));
    assert.deepEqual([...read(named)], whole, String(named));
  }
  // Damage in a row that is not asked for does not matter; in one that is, the log is folded.
  tamper(path, `UPDATE projection SET body = replace(body, '"a"', '"c"') WHERE run = 'old'`);
  assert.deepEqual([...read(null).keys()], now);
  assert.deepEqual(read('old'), log.state.runs);
});

test('network file systems are known by their number', () => {
  if (process.platform !== 'linux') return;
  assert.equal(networkFileSystemName(0x6969), 'NFS');
  assert.equal(networkFileSystemName(0xff534d42), 'SMB');
  assert.equal(networkFileSystemName(0xef53), null);
});

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'czar-sqlite-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'czar.db');
}

function filled(t: TestContext): string {
  const path = scratch(t);
  assert.equal(existsSync(path), false);
  using journal = openJournal(path);
  const state = emptyState();
  const events = randomLog(choices);
  for (const event of events) evolve(state, event);
  journal.append(events, state);
  return path;
}

function tamper(path: string, sql: string): void {
  using db = new DatabaseSync(path);
  db.exec('DROP TRIGGER event_is_never_changed; DROP TRIGGER event_is_never_removed;');
  db.exec(sql);
}

function fold(events: Iterable<Event>): unknown {
  const state = emptyState();
  for (const event of events) evolve(state, event);
  return state;
}

function isError(reason: string, says = /./): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof JournalError, String(error));
    assert.equal(error.reason, reason);
    assert.match(error.message, says);
    return true;
  };
}
