/** The contract of the event store, run against both implementations. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import fc from 'fast-check';
import type { Event } from '../core/events.ts';
import { emptyState, evolve, type FoldState } from '../core/evolve.ts';
import { genesis } from './chain.ts';
import { JournalError, type Journal } from './journal.ts';
import { MemoryJournal } from './memory.ts';
import { LogWriter, randomLog, samplePlan } from './sample-log.test.ts';
import { openJournal } from './sqlite.ts';

const implementations: Readonly<Record<string, (use: (journal: Journal) => void) => void>> = {
  memory: (use) => use(new MemoryJournal()),
  sqlite: (use) => {
    const folder = mkdtempSync(join(tmpdir(), 'czar-journal-'));
    const journal = openJournal(join(folder, 'state', 'czar.db'));
    try {
      use(journal);
    } finally {
      journal.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
};

for (const [name, withJournal] of Object.entries(implementations)) {
  describe(`the event store in ${name}`, () => {
    test('an empty log has no events, sequence 0 and an empty state', () => {
      withJournal((journal) => {
        assert.deepEqual([...journal.read()], []);
        assert.deepEqual(journal.head(), { seq: 0, hash: genesis });
        assert.deepEqual(journal.load(), emptyState());
      });
    });

    test('what was appended is read back as it was, in order', () => {
      withJournal((journal) => {
        const events = randomLog(tape(300));
        appendAll(journal, events, 7);
        assert.deepEqual([...journal.read()], JSON.parse(JSON.stringify(events)));
        assert.equal(journal.head().seq, events.length);
        assert.match(journal.head().hash, /^[0-9a-f]{64}$/);
      });
    });

    test('more events than a page holds are read without a gap, in both directions', () => {
      withJournal((journal) => {
        const log = new LogWriter();
        const events = [log.loopStarted(1), log.runStarted('r', samplePlan(['a']))];
        for (let n = 0; n < 2500; n += 1) events.push(checkpoint(log, `n${n}`));
        journal.append(events, log.state);
        const seqs = [...journal.read()].map((event) => event.seq);
        assert.deepEqual(
          seqs,
          events.map((event) => event.seq),
        );
        const back = [...journal.read({ newestFirst: true })].map((event) => event.seq);
        assert.deepEqual(back, seqs.toReversed());
      });
    });

    test('a query restricts by position, run, worker, type and number', () => {
      withJournal((journal) => {
        const events = randomLog(tape(300));
        appendAll(journal, events, 50);
        const seqs = (query: Parameters<Journal['read']>[0]): readonly number[] =>
          [...journal.read(query)].map((event) => event.seq);
        const expected = (keep: (event: Event) => boolean): readonly number[] =>
          events.filter(keep).map((event) => event.seq);
        assert.deepEqual(
          seqs({ after: 10, upTo: 20 }),
          expected((e) => e.seq > 10 && e.seq <= 20),
        );
        assert.deepEqual(
          seqs({ run: '20251226-1', worker: 'a' }),
          expected((e) => e.run === '20251226-1' && e.worker === 'a'),
        );
        assert.deepEqual(
          seqs({ types: ['worker.ready', 'worker.usage'], limit: 3 }),
          expected((e) => e.type === 'worker.ready' || e.type === 'worker.usage').slice(0, 3),
        );
        assert.deepEqual(
          seqs({ worker: 'b', newestFirst: true, limit: 2, upTo: 250 }),
          expected((e) => e.worker === 'b' && e.seq <= 250)
            .toReversed()
            .slice(0, 2),
        );
        assert.deepEqual(seqs({ run: 'no such run' }), []);
        assert.deepEqual(seqs({ limit: 0 }), []);
      });
    });

    test('a batch that leaves a gap, repeats or goes back is refused whole', () => {
      withJournal((journal) => {
        const log = new LogWriter();
        journal.append([log.loopStarted(1), log.runStarted('r', samplePlan(['a']))], log.state);
        const next = ['3', '4', '5', '6'].map((name) => checkpoint(log, name));
        for (const wrong of [next.slice(1), [...next.slice(0, 2), ...next.slice(3)]]) {
          assert.throws(() => journal.append(wrong, log.state), /is next/);
          assert.equal(journal.head().seq, 2);
        }
        journal.append(next, log.state);
        assert.throws(() => journal.append(next, log.state), /is next/);
        assert.equal([...journal.read()].length, 6);
      });
    });

    test('a loop that was overtaken may append nothing more', () => {
      withJournal((journal) => {
        const log = new LogWriter();
        journal.append([log.loopStarted(1), log.runStarted('r', samplePlan(['a']))], log.state);
        journal.append([log.loopStarted(2)], log.state);
        const late = checkpoint(log, 'late');
        const old = { ...log.state, epoch: 1 };
        assert.throws(() => journal.append([late], old), isError('fenced'));
        assert.throws(() => {
          journal.append([{ ...log.loopStarted(2), seq: late.seq }], log.state);
        }, isError('fenced'));
        assert.equal(journal.head().seq, 3);
        journal.append([late], log.state);
      });
    });

    test('loading gives what folding the log gives, whatever happened and however it was batched', () => {
      fc.assert(
        fc.property(
          fc.array(fc.nat(), { maxLength: 60 }),
          fc.integer({ min: 1, max: 9 }),
          (choices, size) => {
            withJournal((journal) => {
              const events = randomLog(choices);
              appendAll(journal, events, size);
              assert.deepEqual(journal.load(), fold(journal.read()));
            });
          },
        ),
        { numRuns: name === 'sqlite' ? 40 : 20 },
      );
    });

    test('a loaded state belongs to the caller: folding into it changes no later load', () => {
      withJournal((journal) => {
        const events = randomLog(tape(50));
        appendAll(journal, events.slice(0, 30), 30);
        const state = journal.load();
        for (const event of events.slice(30)) evolve(state, event);
        assert.equal(journal.load().seq, 30);
        journal.append(events.slice(30), state);
        assert.deepEqual(journal.load(), fold(journal.read()));
      });
    });
  });
}

function tape(length: number): readonly number[] {
  return Array.from({ length }, (_, index) => (index * 7919 + index * index) % 100_003);
}

function checkpoint(log: LogWriter, name: string): Event {
  return log.add({ type: 'worker.checkpoint', run: 'r', worker: 'a', data: { name } });
}

function appendAll(journal: Journal, events: readonly Event[], size: number): void {
  const state = emptyState();
  for (let from = 0; from < events.length; from += size) {
    const batch = events.slice(from, from + size);
    // A loop start in the middle of a batch raises the epoch for the whole of it.
    for (const event of batch) evolve(state, event);
    journal.append(batch, state);
  }
}

function fold(events: Iterable<Event>): FoldState {
  const state = emptyState();
  for (const event of events) evolve(state, event);
  return state;
}

function isError(reason: string): (error: unknown) => boolean {
  return (error) => error instanceof JournalError && error.reason === reason;
}
