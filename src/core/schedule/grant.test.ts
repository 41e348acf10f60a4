import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, planOf } from '../../../test/support/core-world.ts';
import { claimHolder } from './grant.ts';
import type { RunState, WorkerState } from '../state.ts';

test('a claim is lent to every dependency that was sent back, not to the first alone', () => {
  const owns = ['x/**'];
  const world = new CoreWorld(
    planOf([
      { id: 'a', owns },
      { id: 'b', owns },
      { id: 'c', owns },
      { id: 'other', owns },
    ]),
  );
  const changed: Readonly<Record<string, Partial<WorkerState>>> = {
    a: { state: 'active' },
    b: { state: 'ready' },
    c: { state: 'merging', claims: true, superseded: ['a', 'b'] },
    other: { state: 'ready' },
  };
  const run: RunState = {
    ...world.run,
    workers: new Map(
      [...world.run.workers].map(([id, worker]) => [id, { ...worker, ...changed[id] }]),
    ),
  };
  const holderFor = (id: string): string | null => {
    const worker = run.workers.get(id);
    return worker === undefined ? null : claimHolder(run, worker);
  };
  assert.equal(holderFor('a'), null);
  assert.equal(holderFor('b'), null);
  assert.equal(holderFor('other'), 'c');
});

test('a worker with the name of what every object has claims what it owns, and no more', () => {
  const plan = planOf([
    { id: 'constructor', owns: ['src/**'] },
    { id: 'c', owns: ['docs/**'] },
  ]);
  const world = new CoreWorld({ ...plan, overlaps: {} });
  world.rest();
  assert.equal(world.run.state, 'complete');
});
