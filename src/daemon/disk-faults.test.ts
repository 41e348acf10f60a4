/**
 * The real core and loop over a log whose disk fails: at the k-th write of a reference run, for every k, once or until
 * the trouble ends. The world of the effects is small and remembers what was done to it.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { rmSync } from 'node:fs';
import { test } from 'node:test';
import { endOf, planOf, runId, success } from '../../test/support/core-world.ts';
import { skip, smallDisk } from '../../test/support/small-disk.ts';
import type { Command, Outcome } from '../core/commands.ts';
import type { Event } from '../core/events.ts';
import type { Intent } from '../core/intents.ts';
import { JournalError, type Journal } from '../journal/journal.ts';
import { MemoryJournal } from '../journal/memory.ts';
import { openJournal } from '../journal/sqlite.ts';
import { Loop } from './loop.ts';
import type { Scheduler } from './scheduler.ts';

const start: Command = {
  kind: 'start-run',
  by: 'user',
  run: runId,
  plan: planOf(
    [
      { id: 'a', verify: ['test a'] },
      {
        id: 'b',
        on: ['a'],
        retry: { maxAttempts: 2, backoff: 'fixed', initialMs: 0, maxMs: 0, from: 'clean' },
      },
      { id: 'c', on: ['a'] },
      { id: 'd', on: ['b', 'c'] },
    ],
    { checks: ['test all'] },
  ),
  base: { ref: 'main', commit: 'base', dirty: 0 },
  integration: `czar/${runId}-integration`,
  target: 'main',
  scope: null,
};

/** Delays are not waited for. */
const atOnce: Scheduler = {
  immediate: (step) => {
    setImmediate(step);
  },
  timer: (step) => {
    const timer = setImmediate(step);
    return () => clearImmediate(timer);
  },
};

const kept = {
  ref: `refs/czar/kept/${runId}/b/1`,
  commit: 'k',
  files: ['half'],
  leftOut: [],
  why: 'it failed',
};

/** What was done outside the log: it survives loops. Its effects are idempotent, as the real ones are. */
class Outside {
  readonly launched = new Map<string, number>();
  readonly merged = new Set<string>();

  async perform(
    intent: Intent,
    log: Journal,
    report: (outcome: Outcome) => Promise<void>,
  ): Promise<Outcome> {
    if (intent.kind === 'launch') {
      const begun = [...log.read({ worker: intent.worker, types: ['worker.started'] })];
      const attempt = `${intent.worker}/${intent.attempt}`;
      assert.ok(
        begun.some((event) => event.attempt === intent.attempt),
        `${attempt} is launched without a record`,
      );
      this.launched.set(attempt, (this.launched.get(attempt) ?? 0) + 1);
    }
    if (intent.kind === 'watch') {
      const { run, worker, attempt } = intent;
      const name = `half of ${worker}/${attempt}`;
      const said = [...log.read({ worker, types: ['worker.checkpoint'] })];
      if (!said.some((event) => event.attempt === attempt)) {
        const reports = [{ kind: 'checkpoint', name } as const];
        const at = { reportOffset: 1, outputOffset: 0 };
        await report({ kind: 'reports', run, worker, attempt, reports, refused: [], ...at });
      }
      return endOf(intent, { how: 'exited', code: `${worker}/${attempt}` === 'b/1' ? 3 : 0 });
    }
    if (intent.kind === 'commit-merge') this.merged.add(intent.worker);
    const outcome = success(intent);
    if (intent.kind === 'collect' && intent.commit === 'none' && outcome.kind === 'collected')
      return { ...outcome, work: outcome.work && { ...outcome.work, kept: [kept] } };
    return outcome;
  }
}

/** How appends go wrong: `fails` is asked before the k-th one (from 1), `after` it was stored. */
interface Trouble {
  readonly before: (k: number, sofar: number) => void;
  readonly after?: (k: number) => void;
}

const none: Trouble = { before: () => {} };

interface Told {
  /** Events, without those of loops. */
  readonly story: readonly string[];
  readonly appends: number;
  /** How many loops it took, and how often one said that it cannot write. */
  readonly loops: number;
  readonly stalls: number;
  /** The most launches of one attempt: more than one only where a loop finds the launch of another. */
  readonly launches: number;
}

/** Plays the run to its end over the log; a loop that ends with an error is followed by another one. */
async function play(
  open: () => Journal,
  trouble: Trouble,
  relief: () => void = () => {},
): Promise<Told> {
  const outside = new Outside();
  let [appends, loops, stalls, failures] = [0, 0, 0, 0];
  for (;;) {
    loops += 1;
    assert.ok(loops < 12, 'the run does not come to its end');
    const log = open();
    const journal: Journal = {
      append: (batch, state) => {
        appends += 1;
        try {
          trouble.before(appends, failures);
          log.append(batch, state);
          trouble.after?.(appends);
        } catch (error) {
          failures += 1;
          throw error;
        }
      },
      read: (query) => log.read(query),
      load: () => log.load(),
      head: () => log.head(),
      close: () => {},
    };
    let loop: Loop | null = null;
    try {
      const live = new Loop({
        journal,
        perform: async (intent, { report }) => {
          assert.equal(live.state.seq, log.head().seq, `${intent.key} before its event is durable`);
          return outside.perform(intent, log, report);
        },
        when: () => true,
        now: () => 1_000,
        scheduler: atOnce,
        stalled: (why) => {
          stalls += why === null ? 0 : 1;
          if (why !== null) relief();
        },
        committed: () => {},
      });
      loop = live;
      if (!(await live.send({ kind: 'loop-started', pid: 1, host: 'test', version: '0' })).ok)
        throw new JournalError('full', 'the loop could not begin');
      while (!live.state.runs.has(runId)) await live.send(start);
      await live.until((state, idle) => idle && state.runs.get(runId)?.state === 'complete');
      await live.end('done');
      const told = storyOf(log.read());
      assert.deepEqual(log.load().runs, live.state.runs);
      assert.deepEqual([...outside.merged].sort(), ['a', 'b', 'c', 'd']);
      log.close();
      const launches = Math.max(...outside.launched.values());
      return { story: told, appends, loops, stalls, launches };
    } catch (error) {
      if (!(error instanceof JournalError)) throw error;
      relief();
      log.close();
      await loop?.end('failed').catch(() => {});
    }
  }
}

/** What happened to the run and to each worker, in its order. */
function storyOf(events: Iterable<Event>): readonly string[] {
  const told = [...events].filter((event) => !event.type.startsWith('loop.'));
  return told
    .map(
      ({ type, worker = '', attempt = '', data }) =>
        `${worker} ${attempt} ${type} ${JSON.stringify(data)}`,
    )
    .sort();
}

const reasons = ['full', 'locked', 'io', 'read-only'] as const;

test('faults 7, 9 and 11: whichever write of the log fails, once or for a while, the run ends as if nothing had happened', async () => {
  const memory = (): (() => Journal) => {
    const log = new MemoryJournal();
    return () => log;
  };
  const reference = await play(memory(), none);
  assert.ok(reference.appends > 25, `${reference.appends} writes`);
  assert.equal(reference.loops, 1);
  for (let k = 1; k <= reference.appends; k += 1) {
    for (const reason of reasons) {
      for (const times of [1, 4]) {
        const fails: Trouble = {
          before: (at, failures) => {
            if (at >= k && failures < times) throw new JournalError(reason, `write ${at}`);
          },
        };
        const told = await play(memory(), fails);
        const said = `write ${k}, ${reason}, ${times} times`;
        assert.deepEqual(told.story, reference.story, said);
        // A loop whose disk failed or cannot be written ends; what may pass is waited for.
        const ends = reason === 'io' || reason === 'read-only' || k === 1;
        // The goodbye of a loop is the last write, and nothing depends on it.
        if (ends && k < reference.appends) assert.ok(told.loops > 1, said);
        else assert.deepEqual([told.loops, told.launches], [1, 1], said);
      }
    }
    const stored: Trouble = {
      before: () => {},
      after: (at) => {
        if (at === k) throw new JournalError('io', 'the disk failed after the write');
      },
    };
    const told = await play(memory(), stored);
    assert.deepEqual(told.story, reference.story, `write ${k} fails after it was stored`);
  }
});

test(
  'fault 7: a disk that is full before any write of the log stops launches, and nothing else',
  { skip },
  async () => {
    using disk = smallDisk(4 * 1024 * 1024);
    const path = join(disk.path, 'czar.db');
    const fresh = (): void => {
      for (const ending of ['', '-wal', '-shm']) rmSync(`${path}${ending}`, { force: true });
    };
    const open = (): Journal => openJournal(path);
    const reference = await play(open, none);
    for (let k = 1; k <= reference.appends; k += 1) {
      fresh();
      const fills: Trouble = {
        before: (at) => {
          if (at === k) disk.fill();
        },
      };
      const told = await play(open, fills, disk.free);
      disk.free();
      assert.deepEqual(told.story, reference.story, `full before write ${k}`);
      assert.equal(told.stalls + told.loops, k === 1 ? told.loops : 2, `full before write ${k}`);
    }
  },
);
