/** Logs of every earlier version fold to the state that they folded to then: `test/golden/README.md`. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test from 'node:test';
import { difference, goldenLogs, plainState, type GoldenLog } from '../../test/support/golden.ts';
import { emptyState, evolve } from '../core/evolve.ts';
import { activityKept } from '../core/evolve/worker-parts.ts';
import { chainHash, genesis } from './chain.ts';
import { checksum } from './checksum.ts';
import { decodeEvent, eventTypes } from './codec.ts';
import { projectionVersion } from './projection.ts';
import { openJournal, openJournalForReading } from './sqlite.ts';
import { untouched } from './worker-row.ts';

/** Types that nothing writes yet. */
const unwritten: readonly string[] = [];

const logs = goldenLogs();

for (const log of logs) {
  test(`fault 15: the log ${log.name} folds to the state of its time`, () => {
    const state = emptyState();
    let hash = genesis;
    for (const row of log.rows) {
      hash = chainHash(hash, row);
      assert.equal(hash, row.hash, `event ${row.seq}`);
      evolve(state, decodeEvent(row));
    }
    assert.equal(difference(log.state, plainState(state)), null);
  });

  test(`fault 15: the log ${log.name} in a database of its time is taken over as it is`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'czar-golden-'));
    try {
      const path = join(folder, 'czar.db');
      store(path, log);
      const loaded = [];
      for (const open of [openJournalForReading, openJournal, openJournal, openJournalForReading]) {
        using journal = open(path);
        assert.ok(journal !== null);
        // Read while the log is open: what ended is read when it is asked for.
        loaded.push(plainState(journal.load()));
        assert.equal(journal.verifyChain().ok, true);
      }
      for (const state of loaded) {
        assert.equal(difference(log.state, state), null);
        assert.deepEqual(state, loaded[0]);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

test('the golden logs hold every type of event that is written', () => {
  const seen = new Set(logs.flatMap(({ rows }) => rows.map(({ type }) => type)));
  const missing = Object.keys(eventTypes).filter((type) => !seen.has(type));
  assert.deepEqual(missing, unwritten, 'add a golden log that has them: test/golden/README.md');
});

test('fault 14: a version with other types of events has another version of rows', () => {
  // Rows of a version that this one does not know are folded anew, and that meets the unknown event. Change both lines.
  assert.deepEqual(
    { version: projectionVersion, types: Object.keys(eventTypes).length },
    { version: 35, types: 99 },
    'a new type of event raises projectionVersion',
  );
});

test('what rows of workers leave out is the same in each version of them', () => {
  // Rows say in what a worker differs from this one: another one raises projectionVersion. Change both lines.
  assert.deepEqual(
    { version: projectionVersion, untouched: checksum(JSON.stringify(untouched)) },
    { version: 35, untouched: '47f962f8227bc0f0' },
  );
});

test('a difference between states is found wherever it is, and what was added is none', () => {
  const state = { runs: [['a', { n: 1, list: [1, 2] }]] };
  assert.equal(
    difference(state, { more: 1, runs: [['a', { n: 1, list: [1, 2], more: null }]] }),
    null,
  );
  assert.equal(difference(state, { runs: [['a', { n: 2, list: [1, 2] }]] }), 'state.runs.0.1.n');
  assert.equal(
    difference(state, { runs: [['a', { n: 1, list: [1] }]] }),
    'state.runs.0.1.list.length',
  );
  assert.equal(difference(state, { runs: [['a', { list: [1, 2] }]] }), 'state.runs.0.1.n');
  const latest = Array.from({ length: activityKept + 2 }, (_, index) => index);
  assert.equal(difference({ latest }, { latest: latest.slice(2) }), null);
  assert.equal(difference({ latest }, { latest: latest.slice(3) }), 'state.latest.length');
  assert.equal(difference({ latest }, { latest: latest.slice(0, -2) }), 'state.latest.0');
});

/** Puts the events into a new file as they were stored, with rows of the state that no version has written. */
function store(path: string, { rows }: GoldenLog): void {
  openJournal(path).close();
  using db = new DatabaseSync(path);
  const insert = db.prepare(
    `INSERT INTO event (seq, v, at, run, worker, attempt, type, data, hash)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  for (const { seq, v, at, run, worker, attempt, type, data, hash } of rows)
    insert.run(seq, v, at, run, worker, attempt, type, data, hash);
  const last = rows.at(-1);
  const epoch = rows.filter(({ type }) => type === 'loop.started').length;
  db.prepare('UPDATE head SET seq = ?, hash = ?, epoch = ?').run(
    last?.seq ?? 0,
    last?.hash ?? genesis,
    epoch,
  );
}
