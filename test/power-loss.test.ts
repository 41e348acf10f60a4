/**
 * Power that is lost at any instant: the system calls of a process on its log are taken down, and the log is opened as
 * the disk may hold it after any of them.
 *
 * Takes a few of all disks; with CZAR_EVERY_INSTANT=1 ten thousand.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { emptyState, evolve } from '../src/core/evolve.ts';
import { randomLog } from '../src/journal/sample-log.test.ts';
import { openJournal } from '../src/journal/sqlite.ts';
import { mayTrace } from './support/may-trace.ts';
import { traceFiles, TracedDisk } from './support/traced-disk.ts';

const disks = process.env['CZAR_EVERY_INSTANT'] === '1' ? 10_000 : 100;
const batch = 5;
/** Enough that the write-ahead log is brought into the database and begun anew. */
const choices = Array.from({ length: 1_000 }, (_, index) => index * 7919 + index);

/** Appends to a log and says after each batch up to which event it is kept; then closes it. */
const writer = `
  import { writeSync } from 'node:fs';
  import { openJournal } from ${url('../src/journal/sqlite.ts')};
  import { randomLog } from ${url('../src/journal/sample-log.test.ts')};
  import { emptyState, evolve } from ${url('../src/core/evolve.ts')};
  const events = randomLog(${JSON.stringify(choices)});
  const state = emptyState();
  const journal = openJournal(process.argv[1]);
  for (let from = 0; from < events.length; from += ${batch}) {
    const part = events.slice(from, from + ${batch});
    for (const event of part) evolve(state, event);
    journal.append(part, state);
    writeSync(1, 'kept ' + state.seq + '\\n');
  }
  journal.close();
`;

test(
  'fault 4: whenever power is lost, what was acknowledged is there, and the state is one that was',
  { skip: mayTrace() },
  (t) => {
    const folder = realpathSync(mkdtempSync(join(tmpdir(), 'czar-power-')));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const argv = [process.execPath, '--input-type=module', '-e', writer, join(folder, 'log.db')];
    const names = ['log.db', 'log.db-wal', 'log.db-journal'];
    const calls = traceFiles(argv, folder, names);
    const events = randomLog(choices);
    const syncs = calls.filter(({ kind }) => kind === 'sync').length;
    assert.ok(syncs > events.length / batch, `${syncs} syncs`);

    const pick = random(20_261_129);
    const image = join(folder, 'image');
    const disk = new TracedDisk();
    let [done, kept, missing, folded] = [0, 0, 0, emptyState()];
    const instants = Array.from({ length: disks }, () => pick(calls.length + 1));
    for (const instant of instants.toSorted((a, b) => a - b)) {
      for (const call of calls.slice(done, instant)) {
        if (call.kind === 'said') kept = Number(/^kept (\d+)\n$/.exec(call.text)?.[1] ?? kept);
        disk.take(call);
      }
      done = instant;
      rmSync(image, { recursive: true, force: true });
      missing += disk.lay(image, pick);
      const said = `after ${done} of ${calls.length} calls, ${kept} events were acknowledged`;
      using journal = openJournal(join(image, 'log.db'));
      const state = journal.load();
      assert.ok(state.seq >= kept, `${said}, ${state.seq} are there`);
      assert.ok(state.seq <= kept + batch, said);
      if (state.seq < folded.seq) folded = emptyState();
      for (const event of events.slice(folded.seq, state.seq)) evolve(folded, event);
      assert.deepEqual(state, folded, said);
      assert.equal(journal.verifyChain().ok, true, said);
    }
    assert.equal(kept > events.length / 2 && missing > disks, true, `${kept}, ${missing}`);
  },
);

function url(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

/** Numbers from 0 below a bound, always the same for a seed (a linear congruential generator). */
function random(seed: number): (below: number) => number {
  let state = (seed * 2_654_435_761) >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
