import assert from 'node:assert/strict';
import test from 'node:test';
import { CoreWorld, planOf, success } from '../../test/support/core-world.ts';
import { why } from './why.ts';

test('a finding that is a sentence ends once, and a file that two gates name is named once', () => {
  const say = (files: readonly string[], findings: readonly string[]): string => {
    const world = new CoreWorld(planOf([{ id: 'a' }], { maxRework: 0 }));
    world.rest((intent) => {
      const outcome = success(intent);
      if (outcome.kind !== 'judged') return null;
      const [verdict] = outcome.verdicts;
      if (verdict === undefined) return null;
      const red = { ...verdict, result: 'fail', files, findings } as const;
      return {
        ...outcome,
        verdicts: [
          { ...red, gate: 'ownership' },
          { ...red, gate: 'protect' },
        ],
      };
    });
    assert.equal(world.worker('a').state, 'blocked');
    assert.deepEqual(world.worker('a').block?.files, [...new Set(files)]);
    return why(world.state, world.run, world.worker('a'), world.now);
  };
  assert.match(say([], ['It lacks a file.']), /: It lacks a file\.$/);
  assert.match(say(['x.ts', 'y.ts'], []), /ownership, protect failed: x\.ts, y\.ts\.$/);
});

test('a worker that was cancelled is said to be that once', () => {
  const world = new CoreWorld(planOf([{ id: 'a' }]));
  world.ask({ kind: 'cancel', run: world.run.id, worker: 'a' });
  assert.equal(why(world.state, world.run, world.worker('a'), world.now), 'a was cancelled.');
});
