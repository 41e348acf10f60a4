import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { planFolder, type PlanFolder } from '../../test/support/plan-folder.ts';
import { findCycles } from '../core/graph.ts';
import { onlyHome } from './config-layers.ts';
import { addWorker } from './new-worker.ts';

const ids = ['a', 'b', 'c', 'd', 'e'];

/** A person writes a worker's dependencies anew, or adds a worker behind some. */
const edit = fc.oneof(
  fc.record({
    kind: fc.constant('write' as const),
    id: fc.constantFrom(...ids),
    on: fc.oneof(
      { weight: 5, arbitrary: fc.subarray(ids, { maxLength: 2 }) },
      { weight: 1, arbitrary: fc.constant('all' as const) },
    ),
  }),
  fc.record({ kind: fc.constant('add' as const), after: fc.subarray(ids, { maxLength: 2 }) }),
);

const file = (id: string): string => `.czar/workers/${id}.md`;

function write(folder: PlanFolder, id: string, on: readonly string[] | 'all'): void {
  folder.write({ [file(id)]: `---\ndependencies: ${JSON.stringify(on)}\n---\n` });
}

test('fault 50: whatever is edited, a plan has no cycle or is refused whole, and what is added is refused without a trace', () => {
  let [cyclic, refused] = [0, 0];
  fc.assert(
    fc.property(fc.array(edit, { minLength: 4, maxLength: 12 }), (edits) => {
      using folder = planFolder({});
      const written = new Map<string, readonly string[] | 'all'>(ids.map((id) => [id, []]));
      for (const id of ids) write(folder, id, []);
      for (const one of edits) {
        const before = folder.load().plan;
        if (one.kind === 'write') {
          written.set(one.id, one.on);
          write(folder, one.id, one.on);
        } else {
          const names = readdirSync(join(folder.root, '.czar/workers'));
          const worker = { text: 'more', id: null, agent: null, owns: [], verify: [] };
          const place = { root: folder.root, home: folder.home(), sources: onlyHome };
          const added = addWorker(place, { ...worker, after: one.after });
          if (added.kind === 'written') written.set(added.id, one.after);
          else {
            assert.deepEqual(readdirSync(join(folder.root, '.czar/workers')), names);
            assert.equal(folder.load().plan?.revision, before?.revision);
            refused += 1;
          }
          assert.ok(before === null || folder.load().plan !== null, 'adding broke no plan');
        }
        const { plan, diagnostics } = folder.load();
        const said = diagnostics.filter(({ severity }) => severity === 'error');
        const nodes = [...written].map(([id, on]) => ({
          id,
          edges: on === 'all' ? [] : on.map((other) => ({ on: other })),
        }));
        // `all` alone may make a cycle too: which one is the business of the graph's own tests.
        const circle = findCycles(nodes).length > 0;
        assert.ok(!circle || plan === null);
        if (plan === null) {
          cyclic += 1;
          for (const { message } of said) assert.match(message, /circle|itself/);
          assert.ok(said.length > 0);
          if (![...written.values()].includes('all')) assert.ok(circle);
        } else assert.deepEqual(findCycles(plan.workers), []);
      }
    }),
    { numRuns: 40 },
  );
  assert.ok(cyclic > 20 && refused > 0, `${cyclic} ${refused}`);
});
