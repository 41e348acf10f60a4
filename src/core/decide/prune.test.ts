import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CoreWorld, endOf, planOf, runId, type Script } from '../../../test/support/core-world.ts';
import type { Rejection } from '../commands.ts';
import { decide } from '../decide.ts';

/** Why what the run holds cannot be deleted now; null when it can. */
function refused(world: CoreWorld, runs = [runId]): Rejection | null {
  const command = { kind: 'prune', by: 'user', runs, outputs: runs, refs: [], aside: [] } as const;
  const decision = decide(world.state, command, world.now);
  if (!decision.ok) return decision.rejection;
  assert.deepEqual(decision.events, [
    { type: 'prune.started', data: { by: 'user', outputs: runs, refs: [], aside: [] } },
  ]);
  return null;
}

test('nothing of a run is pruned while it lives or lands', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  assert.equal(refused(world)?.exit, 4);
  world.rest();
  assert.equal(world.run.state, 'complete');
  assert.equal(refused(world), null);
  assert.match(refused(world, [runId, 'another'])?.what ?? '', /another/);
  const land = { target: 'main', mode: 'merge', partial: true, onto: 'base' } as const;
  assert.equal(world.code({ kind: 'land', run: runId, ...land }), 0);
  assert.equal(refused(world)?.exit, 4, 'it lands');
  world.rest();
  assert.equal(refused(world), null);
});

test('a run of which refs are to be published keeps everything, and so does one that was taken up again', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
  const failing: Script = (intent) =>
    intent.kind === 'watch' && intent.worker === 'b'
      ? endOf(intent, { how: 'exited', code: 1 })
      : null;
  world.rest(failing, ({ kind }) => kind === 'publish');
  assert.equal(world.run.state, 'failed');
  assert.equal(refused(world)?.exit, 4);
  world.rest();
  assert.equal(refused(world), null);
  assert.equal(world.code({ kind: 'retry', run: runId, worker: 'b', note: null, clean: false }), 0);
  assert.match(refused(world)?.what ?? '', /goes on again/);
});
