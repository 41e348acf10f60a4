/** The golden log of a run that becomes a pull request. */
import assert from 'node:assert/strict';
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
