/** The golden log of permissions that are asked for while an attempt runs, and of questions that it waits with. */
import assert from 'node:assert/strict';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, runId } from '../support/core-world.ts';

/** Asked, allowed, denied, answered, and given up; what is still open stays open at the end. */
export function permissionLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b' }]));
  world.rest(undefined, ({ kind }) => kind === 'watch');
  const request = { kind: 'command', title: 'Push', command: 'git push' } as const;
  world.send({
    kind: 'reports',
    run: runId,
    worker: 'a',
    attempt: 1,
    reports: [
      { kind: 'permission', id: 'p1', request },
      { kind: 'permission', id: 'p2', request: { kind: 'edit', title: 'Edit', path: '/etc/x' } },
      { kind: 'permission', id: 'p3', request },
      { kind: 'gave-up', id: 'p3' },
      { kind: 'ask', text: 'which?', wait: { id: 'q1', ms: 60_000 } },
      { kind: 'permission', id: 'p4', request },
    ],
    refused: [],
    reportOffset: 1000,
    outputOffset: 0,
  });
  const workers = ['a/p1'];
  assert.ok(world.ask({ kind: 'approve', run: runId, workers }).ok);
  assert.ok(world.ask({ kind: 'deny', run: runId, workers: ['a/p2'], why: 'not there' }).ok);
  assert.ok(world.ask({ kind: 'answer', run: runId, worker: 'a', text: 'this' }).ok);
  world.perform(world.intent('answer') ?? assert.fail());
  world.send({ kind: 'loop-ended', reason: 'closed' });
  return world.log.map((event) => encodeEvent(event));
}
