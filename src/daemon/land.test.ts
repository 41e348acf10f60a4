import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf, runId, success } from '../../test/support/core-world.ts';
import type { Event } from '../core/events.ts';
import type { Policies } from '../core/plan.ts';
import { MemoryJournal } from '../journal/memory.ts';
import { land, outcome } from './land.ts';
import { Loop, type LoopPorts } from './loop.ts';
import { eventLoop } from './scheduler.ts';

test('a landing whose checkout could not follow has landed, and its result names the files', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  const order = { run: runId, target: 'main', mode: 'merge', partial: false } as const;
  world.ask({ kind: 'land', ...order, onto: 'base' });
  const notUpdated = ['a.txt'];
  world.rest((intent) =>
    intent.kind === 'commit-landing'
      ? { kind: 'landed', run: runId, commit: intent.commit, notUpdated }
      : null,
  );
  const result = outcome(world.log, runId);
  assert.deepEqual(result, { kind: 'landed', target: 'main', commit: 'landing', notUpdated });
});

/** A run that is complete, in a loop. */
async function complete(
  ports: Partial<LoopPorts>,
  policies: Partial<Policies> = {},
): Promise<Loop> {
  const loop = new Loop({
    journal: new MemoryJournal(),
    now: () => 1_000,
    when: () => true,
    committed: () => {},
    perform: async (intent) => success(intent),
    ...ports,
  });
  await loop.send({ kind: 'loop-started', pid: 1, host: 'test', version: '0' });
  await loop.send({
    kind: 'start-run',
    by: 'user',
    run: runId,
    plan: planOf([{ id: 'a' }], policies),
    base: { ref: 'main', commit: 'base', dirty: 0 },
    integration: `czar/${runId}-integration`,
    target: 'main',
    scope: null,
  });
  await loop.until((state) => state.runs.get(runId)?.state === 'complete');
  return loop;
}

test('a landing that was carried through and of which nobody was told yet is not asked for once more', async () => {
  const log: Event[] = [];
  const held: (() => void)[] = [];
  let holds = false;
  const loop = await complete({
    committed: (events) => log.push(...events),
    scheduler: {
      ...eventLoop,
      immediate: (act) => {
        if (!holds) return eventLoop.immediate(act);
        held.push(act);
        return () => {};
      },
    },
    perform: async (intent) => {
      if (intent.kind === 'commit-landing') holds = true;
      return success(intent);
    },
  });
  const order = { run: runId, target: 'main', mode: 'merge', partial: false } as const;
  await loop.send({ kind: 'land', ...order, onto: 'base', by: 'user' });
  while (loop.state.runs.get(runId)?.landed == null) {
    await new Promise(setImmediate);
    held.shift()?.();
  }
  const count = (type: string) => log.filter((event) => event.type === type).length;
  assert.equal(count('run.landed'), 0);
  const landed = land({ loop, place: null as never }, order, log);
  holds = false;
  for (const act of held.splice(0)) act();
  assert.equal((await landed).kind, 'landed');
  assert.equal(count('land.started'), 1);
  await loop.end('over');
});

test('a landing that the loop carried through as it began is over when it is pushed too', async () => {
  const log: Event[] = [];
  const pushing = Promise.withResolvers<void>();
  const loop = await complete(
    {
      committed: (events) => log.push(...events),
      perform: async (intent) => {
        if (intent.kind === 'push' && 'refs/heads/main' in intent.refs) await pushing.promise;
        return success(intent);
      },
    },
    { push: true },
  );
  const order = { run: runId, target: 'main', mode: 'merge', partial: false } as const;
  await loop.send({ kind: 'land', ...order, onto: 'base', by: 'user' });
  await loop.until((state) => state.runs.get(runId)?.landed !== null);
  const place = null as never;
  const landed = land({ loop, place }, order, log);
  await new Promise(setImmediate);
  pushing.resolve();
  assert.equal((await landed).kind, 'landed');
  const pushed = log.flatMap((event) =>
    event.type === 'refs.pushed' ? Object.keys(event.data.refs) : [],
  );
  assert.ok(pushed.includes('refs/heads/main'));
  await loop.end('over');
});
