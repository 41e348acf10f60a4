/** The golden log of targets that enter a live run. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, runId } from '../support/core-world.ts';

/** One that conflicts, one that enters between two merges, and the landing after it. */
export function syncLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
  world.rest(undefined, ({ kind }) => kind === 'watch');
  const sync = { kind: 'sync', run: runId, target: 'main' } as const;
  assert.ok(world.ask({ ...sync, onto: 'main-1' }).ok);
  world.rest(
    ({ kind }) =>
      kind === 'build-landing'
        ? { kind: 'landing-refused', run: runId, reason: 'main conflicts', files: ['f'] }
        : null,
    ({ kind }) => kind === 'watch',
  );
  assert.ok(world.ask({ ...sync, onto: 'main-2' }).ok);
  world.rest();
  assert.equal(world.run.state, 'complete');
  const land = { kind: 'land', run: runId, target: 'main', mode: 'merge', partial: false } as const;
  assert.ok(world.ask({ ...land, onto: 'main-2' }).ok);
  world.rest();
  return world.log.map((event) => encodeEvent(event));
}
