import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Event } from './events.ts';
import { noticeTypes, toldByDefault, toldOf } from './notify.ts';
import type { NotifyTarget } from './plan.ts';

const target = (more: Partial<NotifyTarget> = {}): NotifyTarget => ({
  to: { kind: 'desktop' },
  events: toldByDefault,
  ...more,
});

const place = { seq: 7, at: 1_000, run: '20261121-1' };
const blocked = (blockedBy: string | null): Event => ({
  ...place,
  type: 'worker.blocked',
  worker: 'a',
  data: {
    from: 'active',
    reason: 'stands',
    blockedBy,
    block: { kind: 'question', text: 'which?', step: 'attempt', findings: [], files: [] },
  },
});
const complete: Event = { ...place, type: 'run.complete', data: {} };
const ready: Event = {
  ...place,
  type: 'worker.ready',
  worker: 'a',
  data: { from: 'pending', reason: 'go', notBefore: null, counts: null, tree: null },
};

test('what a person must act on is told by default, and what is blocked by a failure never', () => {
  const all = target({ events: noticeTypes });
  const some = target();
  assert.deepEqual(toldOf([some, all], blocked(null)), [some, all]);
  assert.deepEqual(toldOf([some, all], blocked('other')), []);
  assert.deepEqual(toldOf([some, all], complete), [some, all]);
  assert.deepEqual(toldOf([some, all], ready), [all]);
});

test('a target for some workers is told of those, and of the run', () => {
  const mine = target({ workers: ['a', 'b'] });
  const others = target({ workers: ['c'] });
  assert.deepEqual(toldOf([mine, others], blocked(null)), [mine]);
  assert.deepEqual(toldOf([mine, others], complete), [mine, others]);
});
