import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { CoreWorld, planOf, type WorkerSketch } from '../../../test/support/core-world.ts';
import { live, there, takes, start } from '../../../test/support/resource-world.ts';
import type { ResourceMode } from '../plan.ts';
import { heldOf, inUse, isBarred } from './resources.ts';

describe('in every plan', () => {
  const modes: readonly ResourceMode[] = ['share', 'read', 'write', 'exclusive'];
  const request = fc.record({
    amount: fc.integer({ min: 0, max: 3 }),
    mode: fc.constantFrom(...modes),
  });
  const workers = fc.array(
    fc.record({ x: fc.option(request), y: fc.option(request), high: fc.boolean() }),
    { minLength: 1, maxLength: 7 },
  );

  test('no resource is ever held beyond what there is, nobody waits for ever, and nothing is left', () => {
    fc.assert(
      fc.property(
        fc.array(workers, { minLength: 1, maxLength: 2 }),
        fc.record({ x: fc.integer({ min: 1, max: 3 }), y: fc.integer({ min: 1, max: 3 }) }),
        fc.infiniteStream(fc.nat()),
        (runs, amounts, choices) => {
          const capacities = { x: there(amounts.x), y: there(amounts.y) };
          const plans = runs.map((sketches) =>
            planOf(
              sketches.map(({ x, y, high }, index): WorkerSketch => {
                const asked = { ...(x === null ? {} : { x }), ...(y === null ? {} : { y }) };
                return { id: `w${index}`, priority: high ? 'high' : 'low', resources: asked };
              }),
              { resources: capacities, agingMs: 10_000 },
            ),
          );
          const world = new CoreWorld(plans[0] ?? assert.fail());
          for (const [index, plan] of plans.entries())
            if (index > 0) start(world, `20261121-${index + 1}`, plan);
          for (let step = 0; ; step += 1) {
            assert.ok(step < 2_000, 'it comes to rest');
            checkHeld(world, amounts);
            const intents = world.intents();
            const next = intents[(choices.next().value ?? 0) % Math.max(1, intents.length)];
            if (next === undefined) break;
            world.now += 3_000;
            world.perform(next);
          }
          for (const run of world.state.runs.values()) assert.equal(run.state, 'complete');
          assert.deepEqual(inUse(world.state, world.now).holders, []);
        },
      ),
      { numRuns: 200 },
    );
  });

  function checkHeld(world: CoreWorld, amounts: Readonly<Record<string, number>>): void {
    const { holders } = inUse(world.state, world.now);
    for (const [name, amount] of Object.entries(amounts)) {
      assert.ok(heldOf(name, amount, holders) <= amount, `${name} is held beyond ${amount}`);
      const mine = holders.filter((one) => one.name === name);
      for (const [index, one] of mine.entries())
        for (const two of mine.slice(index + 1))
          assert.ok(!isBarred(one.request.mode, two.request.mode), `${name}: side by side`);
    }
  }

  test('a big request starts though small ones never end to come', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 4 }),
        fc.infiniteStream(fc.nat()),
        (levels, choices) => {
          const small = Array.from({ length: 60 }, (_, index): WorkerSketch => ({
            id: `s${index}`,
            priority: 'high',
            on: index < 2 ? [] : [`s${index - 2}`],
            ...takes('gpu'),
          }));
          const world = new CoreWorld(
            planOf([{ id: 'big', priority: 'low', ...takes('gpu', 2) }, ...small], {
              resources: { gpu: there(2) },
              agingMs: levels * 10_000,
              maxParallel: 8,
            }),
          );
          while (world.worker('big').state === 'ready' || world.worker('big').state === 'pending') {
            // While anything else goes on, the last of the small ones does not end: never is everything free.
            const all = world.intents();
            const held = live(world).filter((id) => world.worker(id).attempt?.phase !== 'ended');
            const others = all.filter(({ kind }) => kind !== 'watch' || held.length > 1);
            const intents = others.length > 0 ? others : all;
            const next = intents[(choices.next().value ?? 0) % Math.max(1, intents.length)];
            world.now += 1_000;
            world.perform(next ?? assert.fail('nothing goes on'));
          }
          for (const last of ['s58', 's59'])
            assert.equal(world.worker(last).state, 'pending', 'small ones are left in both lines');
        },
      ),
      { numRuns: 30 },
    );
  });
});
