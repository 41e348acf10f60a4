/** The golden log of branches that are pushed. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, runId } from '../support/core-world.ts';

/** A remote that is away at first, and that does not take what has landed. */
export function pushLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }], { push: true }));
  let away = 1;
  world.rest((intent) => {
    if (intent.kind !== 'push') return null;
    const { run, refs, key } = intent;
    away -= 1;
    const failed = { worker: null, attempt: null, key, effect: 'push' } as const;
    if (away >= 0) return { kind: 'effect-failed', run, ...failed, error: 'no remote answers' };
    const main = refs['refs/heads/main'];
    const left = main === undefined ? {} : { 'refs/heads/main': 'rejected (fetch first)' };
    return { kind: 'pushed', run, remote: 'origin', refs, left };
  });
  assert.equal(world.run.state, 'complete');
  const land = { kind: 'land', run: runId, target: 'main', mode: 'merge', partial: false } as const;
  assert.ok(world.ask({ ...land, onto: 'main-1' }).ok);
  world.rest();
  return world.log.map((event) => encodeEvent(event));
}
