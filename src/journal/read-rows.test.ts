import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import test, { type TestContext } from 'node:test';
import type { NewEvent } from '../core/events.ts';
import { emptyState, evolve } from '../core/evolve.ts';
import { restlessRuns } from '../core/restless.ts';
import { LogWriter, samplePlan } from './sample-log.test.ts';
import { rowSum } from './seal.ts';
import { openJournal, openJournalForReading } from './sqlite.ts';

test('a loop begins without the rows of a run that is at rest, and reads them when they are asked for', (t) => {
  const path = scratch(t);
  const log = endedAndRunning(path);
  const rows = (): unknown => {
    using db = new DatabaseSync(path);
    return db.prepare('SELECT * FROM projection ORDER BY kind, run, part').all();
  };
  const whole = rows();
  for (const [what, sql] of Object.entries({
    'a worker that is another': `UPDATE projection SET body = replace(body, '"a"', '"c"') WHERE run = 'ended' AND kind = 'worker'`,
    'a worker that is missing': `DELETE FROM projection WHERE run = 'ended' AND kind = 'worker' AND part = 'b'`,
    'a plan that is missing': `DELETE FROM projection WHERE run = 'ended' AND kind = 'plan'`,
  })) {
    tamper(path, sql);
    using journal = openJournal(path);
    const state = journal.load();
    assert.deepEqual([...state.runs.keys()], ['ended', 'running'], what);
    assert.equal(state.runs.get('ended')?.state, 'complete', what);
    assert.deepEqual(
      restlessRuns(state).map((run) => run.id),
      ['running'],
      what,
    );
    assert.notDeepEqual(rows(), whole, `${what}: nobody asked`);
    assert.deepEqual(state, log.state, what);
    assert.deepEqual(rows(), whole, `${what}: made anew from the log`);
  }
});

test('a run that was at rest goes on from rows that were read late', (t) => {
  const path = scratch(t);
  const log = endedAndRunning(path);
  {
    using journal = openJournal(path);
    const state = journal.load();
    const again: NewEvent = { type: 'run.running', run: 'ended', data: { reason: 'again' } };
    const batch = [log.add(again), log.enter('ended', 'b', 'ready')];
    for (const event of batch) evolve(state, event);
    assert.deepEqual(
      restlessRuns(state).map((run) => run.id),
      ['ended', 'running'],
    );
    journal.append(batch, state);
  }
  for (const open of [openJournal, openJournalForReading]) {
    const folded = emptyState();
    using journal = open(path);
    assert.deepEqual(journal?.load(), log.state);
    for (const event of journal?.read() ?? []) evolve(folded, event);
    assert.deepEqual(folded, log.state);
  }
});

test('the own row of a run at rest is not believed when it is of another moment', (t) => {
  const path = scratch(t);
  const log = endedAndRunning(path);
  const own = { kind: 'run', run: 'ended', part: '' };
  let body = '';
  {
    using db = new DatabaseSync(path);
    const found = db.prepare("SELECT body FROM projection WHERE kind = 'run' AND run = 'ended'");
    body = String(found.get()?.['body']).replace('"complete"', '"failed"');
  }
  const sum = rowSum(own, body);
  tamper(
    path,
    `UPDATE projection SET body = '${body}', sum = '${sum}' WHERE kind = 'run' AND run = 'ended'`,
  );
  using journal = openJournal(path);
  assert.equal(journal.load().runs.get('ended')?.state, 'complete');
  assert.deepEqual(journal.load(), log.state);
});

/** A log with a run that ended and one that goes on; gives the writer that told it. */
function endedAndRunning(path: string): LogWriter {
  const log = new LogWriter();
  const events = [
    log.loopStarted(1),
    log.runStarted('ended', samplePlan(['a', 'b'])),
    log.add({ type: 'run.complete', run: 'ended', data: {} }),
    log.runStarted('running', samplePlan(['a', 'b'])),
  ];
  using journal = openJournal(path);
  journal.append(events, log.state);
  return log;
}

function scratch(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'czar-rows-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, 'czar.db');
}

function tamper(path: string, sql: string): void {
  using db = new DatabaseSync(path);
  db.exec(sql);
}
