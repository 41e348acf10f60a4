import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf, runId, success } from '../../test/support/core-world.ts';
import type { Event } from '../core/events.ts';
import { MemoryJournal } from '../journal/memory.ts';
import { land, outcome } from './land.ts';
import { Loop } from './loop.ts';

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

test('a landing that the loop carried through as it began is over when it is pushed too', async () => {
  const log: Event[] = [];
  const pushing = Promise.withResolvers<void>();
  const loop = new Loop({
    journal: new MemoryJournal(),
    now: () => 1_000,
    when: () => true,
    committed: (events) => log.push(...events),
    perform: async (intent) => {
      if (intent.kind === 'push' && 'refs/heads/main' in intent.refs) await pushing.promise;
      return success(intent);
    },
  });
  await loop.send({ kind: 'loop-started', pid: 1, host: 'test', version: '0' });
  await loop.send({
    kind: 'start-run',
    by: 'user',
    run: runId,
    plan: planOf([{ id: 'a' }], { push: true }),
    base: { ref: 'main', commit: 'base', dirty: 0 },
    integration: `czar/${runId}-integration`,
    target: 'main',
    scope: null,
  });
  await loop.until((state) => state.runs.get(runId)?.state === 'complete');
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
