/** The golden log of a conflict whose resolution removed lines of another worker. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, success } from '../support/core-world.ts';

/** `b` conflicts with `a`, and what it removed is judged by the `verify` of `a` and reviewed. */
export function resolutionLog(): readonly StoredEvent[] {
  const workers = ['a', 'b'].map((id) => ({ id, verify: [`test ${id}`] }));
  const world = new CoreWorld(planOf(workers, { checks: ['all'], maxParallel: 1 }));
  let conflicts = 1;
  world.rest((intent) => {
    if (intent.kind === 'build-merge' && intent.worker === 'b' && conflicts > 0) {
      conflicts -= 1;
      const { run, worker, base, tip } = intent;
      return {
        kind: 'merge-conflict',
        run,
        worker,
        base,
        tip,
        files: ['a.txt'],
        messages: ['CONFLICT'],
      };
    }
    const outcome = success(intent);
    if (outcome.kind !== 'judged' || outcome.worker !== 'b' || conflicts > 0) return null;
    const removed = [{ path: 'a.txt', lines: ['of a'], more: 2 }];
    const onto = world.run.tip ?? '';
    return { ...outcome, resolved: { onto, removed } };
  });
  assert.equal(world.run.state, 'complete');
  assert.ok(world.log.some(({ type }) => type === 'merge.resolved'));
  return world.log.map((event) => encodeEvent(event));
}
