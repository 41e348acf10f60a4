/** The golden log of kept work that is dropped. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, endOf, planOf, runId } from '../support/core-world.ts';

/** Of what two failed attempts left, the older is dropped, while the worker is tried again. */
export function keptLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }]));
  world.rest((intent) => {
    if (intent.kind === 'watch') return endOf(intent, { how: 'exited', code: 1 });
    if (intent.kind !== 'collect') return null;
    const { run, worker, attempt } = intent;
    const ref = `refs/czar/kept/${run}/${worker}/${attempt}`;
    const kept = [{ ref, commit: `k${attempt}`, files: ['f'], leftOut: [], why: 'it failed' }];
    return { kind: 'collected', run, worker, attempt, work: null, kept };
  });
  const ref = `refs/czar/kept/${runId}/a/1`;
  const drop = { kind: 'drop-kept', run: runId, worker: 'a', ref, elsewhere: false } as const;
  assert.equal(world.code({ ...drop, force: false }), 4);
  assert.equal(world.code({ ...drop, force: true }), 0);
  world.rest();
  assert.equal(world.code({ kind: 'retry', run: runId, worker: 'a', note: null, clean: true }), 0);
  world.rest();
  assert.equal(world.run.state, 'complete');
  return world.log.map((event) => encodeEvent(event));
}
