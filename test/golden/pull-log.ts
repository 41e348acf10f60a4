/** The golden log of a run that becomes a pull request. */
import assert from 'node:assert/strict';
import { withFollowUps } from '../../src/daemon/follow-ups.ts';
import { encodeEvent, type StoredEvent } from '../../src/journal/codec.ts';
import { CoreWorld, planOf, runId } from '../support/core-world.ts';

/** Opened, and merged there. */
export function pullLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.rest();
  const pull = { kind: 'request-pull', run: runId, target: 'main', partial: false } as const;
  assert.equal(world.code(pull), 0);
  const url = 'https://example.org/pulls/1';
  const found = { kind: 'record-pull', run: runId, number: 1, url, program: 'gh' } as const;
  const tip = world.run.tip ?? '';
  assert.equal(world.code({ ...found, tip, state: 'open' }), 0);
  assert.equal(world.code({ ...found, tip, state: 'merged' }), 0);
  return world.log.map((event) => encodeEvent(event));
}

/** What was said of it went back: to a follow-up, and after a round to nobody. */
export function sentBackLog(): readonly StoredEvent[] {
  const world = new CoreWorld(planOf([{ id: 'a' }, { id: 'b', on: ['a'] }], { maxRework: 1 }));
  world.rest();
  const number = 1;
  const url = 'https://example.org/pulls/1';
  for (const [id, text] of [
    ['comment:1', 'this is wrong'],
    ['comment:2', 'still wrong'],
  ] as const) {
    const pull = { kind: 'request-pull', run: runId, target: 'main', partial: false } as const;
    assert.equal(world.code(pull), 0);
    const tip = world.run.tip ?? '';
    const found = { kind: 'record-pull', run: runId, number, url, program: 'gh', tip } as const;
    assert.equal(world.code({ ...found, state: 'open' }), 0);
    const about = { kind: 'comment', by: 'ada', file: 'a.txt', line: 1, owner: 'a' } as const;
    const remarks = [{ id, text, ...about }];
    const made = withFollowUps(world.run, { number, remarks });
    assert.equal(world.code({ kind: 'send-back', run: runId, number, tip, remarks, ...made }), 0);
    world.rest();
  }
  return world.log.map((event) => encodeEvent(event));
}
