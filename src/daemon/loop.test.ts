import assert from 'node:assert/strict';
import { test } from 'node:test';
import { endOf, planOf, runId, success } from '../../test/support/core-world.ts';
import type { Command } from '../core/commands.ts';
import { limitsOf } from '../core/limits.ts';
import type { Event } from '../core/events.ts';
import { JournalError, type Journal } from '../journal/journal.ts';
import { MemoryJournal } from '../journal/memory.ts';
import { Loop, type LoopPorts, type Perform } from './loop.ts';
import type { Scheduler } from './scheduler.ts';

const hello = { kind: 'loop-started', pid: 1, host: 'test', version: '0' } as const;

const start: Command = {
  kind: 'start-run',
  by: 'user',
  run: runId,
  plan: planOf([{ id: 'a' }]),
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

function loopOver(
  journal: Journal,
  perform: Perform = async () => null,
  more: Partial<LoopPorts> = {},
): Loop {
  const ports: LoopPorts = {
    journal,
    perform,
    when: () => true,
    now: () => 1_000,
    scheduler: atOnce,
    committed: () => {},
    ...more,
  };
  return new Loop(ports);
}

test('the machine is looked at once in each turn while a run lives, and before anything starts', async () => {
  const journal = new MemoryJournal();
  const log: Event[] = [];
  let [looks, free] = [0, 0];
  const loop = loopOver(journal, async (intent) => success(intent), {
    machine: () => {
      looks += 1;
      return { cpu: 4, memory: 8e9, disk: 100e9, free };
    },
    committed: (events) => {
      log.push(...events);
      // The disk is looked at again by itself.
      if (events.some(({ type }) => type === 'disk.low')) free = 50e9;
    },
  });
  await loop.send(hello);
  assert.equal(looks, 0, 'no run lives');
  await loop.send(start);
  await loop.until((state) => state.runs.get(runId)?.state === 'complete');
  const types = log
    .map(({ type }) => type)
    .filter((type) => /machine|disk|(?:loop|run|worker).started/.test(type));
  assert.deepEqual(types, [
    'loop.started',
    'run.started',
    'machine.observed',
    'disk.low',
    'machine.observed',
    'worker.started',
  ]);
  const before = looks;
  await loop.send({ kind: 'tick' });
  assert.equal(looks, before, 'it has ended');
  await loop.end('over');
});

test('who waits for a moment that passes in the middle of a turn is woken all the same', async () => {
  for (const initialMs of [20, 21, 22]) {
    let now = 1_000;
    const loop = loopOver(
      new MemoryJournal(),
      async (intent) =>
        intent.kind === 'watch' && intent.attempt === 1
          ? endOf(intent, { how: 'exited', code: 1 })
          : success(intent),
      // Time passes whenever somebody looks at the clock.
      { now: () => (now += 1) },
    );
    const retry = {
      maxAttempts: 2,
      backoff: 'fixed',
      initialMs,
      maxMs: 30,
      from: 'clean',
    } as const;
    await loop.send(hello);
    await loop.send({ ...start, plan: planOf([{ id: 'a', retry }]) });
    const complete = (): boolean => loop.state.runs.get(runId)?.state === 'complete';
    for (let n = 0; n < 500 && !complete(); n += 1) await new Promise((on) => setImmediate(on));
    assert.ok(complete(), `a is ${loop.state.runs.get(runId)?.workers.get('a')?.state}`);
    await loop.end('over');
  }
});

/** A journal whose disk is full for the batches that match. */
function fullFor(
  inner: Journal,
  full: (batch: readonly Event[]) => boolean,
): Journal & { readonly refused: () => number } {
  let refused = 0;
  return {
    append: (batch, state) => {
      if (full(batch)) {
        refused += 1;
        throw new JournalError('full', 'the disk is full');
      }
      inner.append(batch, state);
    },
    read: (query) => inner.read(query),
    load: () => inner.load(),
    head: () => inner.head(),
    close: () => {},
    refused: () => refused,
  };
}

test('S12: a loop that was taken over stays fenced when a full disk made it load the log again', async () => {
  const log = new MemoryJournal();
  let full = false;
  const old = loopOver(fullFor(log, () => full));
  await old.send(hello);
  const young = loopOver(log);
  await young.send(hello);
  full = true;
  assert.equal((await old.send(start)).ok, false);
  full = false;
  await assert.rejects(old.send(start), /taken over/);
  assert.equal(log.load().runs.size, 0);
  await young.end('done');
});

test('a loop whose start cannot be logged does nothing and takes nothing', async () => {
  const log = new MemoryJournal();
  const before = loopOver(log);
  await before.send(hello);
  await before.send(start);
  await before.end('done');
  let performed = 0;
  const loop = loopOver(
    fullFor(log, () => true),
    async () => {
      performed += 1;
      return null;
    },
  );
  assert.equal((await loop.send(hello)).ok, false);
  await assert.rejects(loop.send({ kind: 'tick' }), /full/);
  assert.equal(performed, 0);
});

test('what an effect reports while the disk is full is reported again until it is in the log', async () => {
  const log = new MemoryJournal();
  let times = 0;
  const journal = fullFor(log, (batch) => {
    if (!batch.some((event) => event.type === 'worker.checkpoint')) return false;
    times += 1;
    return times <= 2;
  });
  const loop = loopOver(journal, async (intent, { report }) => {
    if (intent.kind === 'watch') {
      const { run, worker, attempt } = intent;
      await report({
        kind: 'reports',
        run,
        worker,
        attempt,
        reports: [{ kind: 'checkpoint', name: 'half' }],
        refused: [],
        reportOffset: 1,
        outputOffset: 0,
      });
    }
    return success(intent);
  });
  await loop.send(hello);
  await loop.send(start);
  await loop.until((state) => state.runs.get(runId)?.state === 'complete');
  assert.equal(journal.refused(), 2);
  const checkpoints = [...log.read({ types: ['worker.checkpoint'] })];
  assert.equal(checkpoints.length, 1);
  await loop.end('done');
});

test('a publish that nobody wants any more runs out, and what it did is recorded', async () => {
  const log = new MemoryJournal();
  const { promise: shown, resolve: show } = Promise.withResolvers<void>();
  let told: AbortSignal | null = null;
  const loop = loopOver(log, async (intent, { signal }) => {
    if (intent.kind === 'watch')
      return new Promise((ended) => signal.addEventListener('abort', () => ended(null)));
    if (intent.kind === 'publish') {
      told ??= signal;
      await shown;
    }
    return success(intent);
  });
  await loop.send(hello);
  await loop.send(start);
  await loop.until((state) => state.runs.get(runId)?.workers.get('a')?.state === 'active');
  assert.ok(told !== null, 'the integration branch is shown as soon as there is one');
  const integration = `refs/heads/${loop.state.runs.get(runId)?.integration ?? ''}`;
  const tip = loop.state.runs.get(runId)?.tip ?? '';
  const refs = { [integration]: tip };
  await loop.send({ kind: 'published', run: runId, refs, diverged: {} });
  assert.equal((told as AbortSignal).aborted, false);
  show();
  await loop.end('closed');
});

test('a batch that is being merged is merged, though the queue is told to test each merge meanwhile', async () => {
  const { promise: told, resolve: tell } = Promise.withResolvers<void>();
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  const log: Event[] = [];
  let commits = 0;
  const policies = { mergeQueue: 'batch', checks: ['all'], maxParallel: 2 } as const;
  const loop = loopOver(
    new MemoryJournal(),
    async (intent) => {
      if (intent.kind === 'commit-merge') {
        commits += 1;
        begin();
        await told;
      }
      return success(intent);
    },
    { committed: (events) => log.push(...events) },
  );
  await loop.send(hello);
  await loop.send({ ...start, plan: planOf([{ id: 'a' }, { id: 'b' }], policies) });
  await begun;
  const limits = {
    ...limitsOf(planOf([], policies).policies),
    mergeQueue: 'speculative' as const,
  };
  await loop.send({ kind: 'set-limits', by: 'user', run: runId, limits, sources: null });
  tell();
  await loop.until((state) => state.runs.get(runId)?.state === 'complete');
  const count = (type: string): number => log.filter((event) => event.type === type).length;
  assert.deepEqual([count('worker.merged'), count('merge.started')], [2, 2]);
  assert.equal(commits, 1, 'integration moved once');
  assert.equal(count('limits.changed'), 1);
  await loop.end('over');
});

test('a full disk is said once and once more when there is space, and whoever waits for the loop may end it meanwhile', async () => {
  const log = new MemoryJournal();
  const said: string[] = [];
  let full = false;
  const journal = fullFor(log, () => full);
  const loop = loopOver(
    journal,
    async (intent, { signal }) => {
      if (intent.kind !== 'watch') return success(intent);
      return new Promise((ended) => signal.addEventListener('abort', () => ended(null)));
    },
    { stalled: (why) => said.push(why === null ? 'goes on' : why.reason) },
  );
  await loop.send(hello);
  await loop.send(start);
  await loop.until((state) => state.runs.get(runId)?.workers.get('a')?.state === 'active');
  let offset = 0;
  const report = async (): Promise<boolean> => {
    const said = { kind: 'checkpoint', name: 'x' } as const;
    offset += 1;
    const at = { reportOffset: offset, outputOffset: 0 };
    const of = { run: runId, worker: 'a', attempt: 1 };
    return (await loop.send({ kind: 'reports', ...of, reports: [said], refused: [], ...at })).ok;
  };
  full = true;
  for (let n = 0; n < 3; n += 1) assert.equal(await report(), false);
  full = false;
  assert.equal(await report(), true);
  assert.deepEqual(said, ['full', 'goes on']);
  full = true;
  assert.equal(await report(), false);
  loop.drain();
  await loop.until(() => loop.stalled);
  await loop.end('closed');
  assert.equal(log.load().runs.get(runId)?.workers.get('a')?.state, 'active');
  assert.deepEqual(said, ['full', 'goes on', 'full']);
});

test('faults 35 and 36: a loop that comes back after another has taken over writes nothing more and launches nothing twice', async () => {
  const journal = new MemoryJournal();
  const watched = Promise.withResolvers<void>();
  const back = Promise.withResolvers<void>();
  const launched: string[] = [];
  const old = loopOver(journal, async (intent) => {
    if (intent.kind === 'launch') launched.push(`old ${intent.worker}/${intent.attempt}`);
    if (intent.kind !== 'watch') return success(intent);
    watched.resolve();
    // Its host is away until the other loop has done everything.
    await back.promise;
    return success(intent);
  });
  await old.send(hello);
  await old.send(start);
  await watched.promise;
  const next = loopOver(journal, async (intent) => {
    if (intent.kind === 'launch') launched.push(`next ${intent.worker}/${intent.attempt}`);
    return success(intent);
  });
  await next.send({ ...hello, pid: 2 });
  await next.until((state, idle) => idle && state.runs.get(runId)?.state === 'complete');
  const { seq } = journal.load();
  back.resolve();
  await assert.rejects(
    old.until(() => false),
    /taken over/,
  );
  await assert.rejects(old.send({ kind: 'tick' }), /taken over/);
  assert.equal(journal.load().seq, seq);
  assert.deepEqual(launched, ['old a/1']);
});

test('what is durable is told before an answer, before the next turn, and before the loop has ended', async () => {
  const journal = new MemoryJournal();
  const told: number[] = [];
  const loop = loopOver(journal, async (intent) => success(intent), {
    committed: (events) => told.push(...events.map(({ seq }) => seq)),
  });
  const all = (): readonly number[] => Array.from({ length: journal.head().seq }, (_, i) => i + 1);
  await loop.send(hello);
  assert.deepEqual(told, all());
  await loop.send(start);
  assert.deepEqual(told, all());
  await loop.until((state) => state.runs.get(runId)?.workers.get('a')?.state === 'verifying');
  assert.deepEqual(told, all());
  await loop.until((state) => state.runs.get(runId)?.state === 'complete');
  assert.deepEqual(told, all());
  await loop.end('done');
  assert.deepEqual(told, all());
});
