import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  compareNatural,
  expandAll,
  findCycles,
  reach,
  remainingPath,
  waveOf,
  waves,
  type GraphNode,
  type UnexpandedNode,
} from './graph.ts';

const node = (id: string, ...on: readonly string[]): GraphNode => ({
  id,
  edges: on.map((one) => ({ on: one })),
});

/** Graphs of up to 12 workers with any edges, cycles included. */
const anyGraph = fc.integer({ min: 1, max: 12 }).chain((size) =>
  fc
    .array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 4 }), {
      minLength: size,
      maxLength: size,
    })
    .map((edges) => edges.map((on, index) => node(`w${index}`, ...on.map((one) => `w${one}`)))),
);

/** Graphs without cycles: edges lead to earlier workers only; the workers come in any order. */
const acyclic = anyGraph
  .map((nodes) =>
    nodes.map(({ id, edges }, index) => ({
      id,
      edges: edges.filter(({ on }) => Number(on.slice(1)) < index),
    })),
  )
  .chain((nodes) => fc.shuffledSubarray(nodes, { minLength: nodes.length }));

test('waves are the levels by longest path, sorted within each', () => {
  const seed2 = [
    node('qa', 'templates'),
    node('templates', 'foundation', 'workflows', 'patterns', 'testing', 'security'),
    node('testing', 'foundation'),
    node('security', 'foundation'),
    node('patterns', 'foundation'),
    node('workflows'),
    node('foundation'),
  ];
  assert.deepEqual(waves(seed2), [
    ['foundation', 'workflows'],
    ['patterns', 'security', 'testing'],
    ['templates'],
    ['qa'],
  ]);
});

test('a worker without edges is in the first wave', () => {
  assert.deepEqual(waves([node('a'), node('b', 'a'), node('alone')]), [['a', 'alone'], ['b']]);
});

test('every worker comes in a later wave than all that it depends on, and directly after the last of them', () => {
  fc.assert(
    fc.property(acyclic, (nodes) => {
      const wave = waveOf(nodes);
      for (const { id, edges } of nodes) {
        const before = edges.map(({ on }) => wave.get(on) ?? 0);
        assert.equal(wave.get(id), Math.max(0, ...before) + 1);
      }
    }),
  );
});

test('the order in which workers are given changes no wave', () => {
  fc.assert(
    fc.property(acyclic, (nodes) => {
      assert.deepEqual(waves(nodes), waves([...nodes].reverse()));
    }),
  );
});

test('the longest remaining path of a worker is one more than that of its dependents', () => {
  fc.assert(
    fc.property(acyclic, (nodes) => {
      const rest = remainingPath(nodes);
      for (const { id } of nodes) {
        const after = nodes
          .filter(({ edges }) => edges.some(({ on }) => on === id))
          .map((one) => rest.get(one.id) ?? 0);
        assert.equal(rest.get(id), Math.max(0, ...after) + 1);
      }
    }),
  );
});

test('a cycle is found exactly when some worker reaches itself, and is a real path', () => {
  fc.assert(
    fc.property(anyGraph, (nodes) => {
      const cycles = findCycles(nodes);
      const knotted = nodes
        .filter(({ id }) => reach(nodes, id, 'dependencies').has(id))
        .map(({ id }) => id);
      assert.equal(cycles.length > 0, knotted.length > 0);
      const covered = new Set<string>();
      for (const cycle of cycles) {
        assert.equal(cycle[0], cycle.at(-1));
        cycle.slice(1).forEach((on, index) => {
          const from = nodes.find(({ id }) => id === cycle[index]);
          assert.ok(
            from?.edges.some((edge) => edge.on === on),
            `${cycle.join(' → ')}`,
          );
        });
        const first = cycle[0] ?? '';
        covered.add(first);
        const [there, back] = [
          reach(nodes, first, 'dependencies'),
          reach(nodes, first, 'dependents'),
        ];
        for (const id of there) if (back.has(id)) covered.add(id);
      }
      assert.deepEqual([...covered].sort(), [...knotted].sort());
    }),
  );
});

test('a cycle begins with the id that sorts first', () => {
  assert.deepEqual(findCycles([node('b', 'a'), node('a', 'b')]), [['a', 'b', 'a']]);
  assert.deepEqual(findCycles([node('a', 'a')]), [['a', 'a']]);
});

test('a chain of ten thousand workers is no problem', () => {
  const chain = Array.from({ length: 10_000 }, (_, i) =>
    i === 0 ? node('w0') : node(`w${i}`, `w${i - 1}`),
  );
  assert.equal(waves(chain).length, 10_000);
  assert.deepEqual(findCycles(chain), []);
});

test('all means every worker that does not depend on the one that says it', () => {
  const nodes: readonly UnexpandedNode[] = [
    { id: 'a', on: [], all: false, qa: false },
    { id: 'middle', on: ['a'], all: true, qa: false },
    { id: 'late', on: ['middle'], all: false, qa: false },
    { id: 'other', on: [], all: true, qa: false },
    { id: 'qa', on: [], all: true, qa: true },
  ];
  const expanded = expandAll(nodes);
  assert.deepEqual(expanded.get('middle'), []);
  assert.deepEqual(expanded.get('other'), ['a', 'late']);
  assert.deepEqual(expanded.get('qa'), ['a', 'middle', 'late', 'other']);
});

test('all never closes a circle, and qa comes after everything that does not wait for it', () => {
  const words = fc.tuple(anyGraph, fc.nat(11), fc.nat(11));
  fc.assert(
    fc.property(words, ([graph, other, last]) => {
      const nodes = graph.map(({ id, edges }, index) => ({
        id,
        on: edges.map(({ on }) => on).filter((on) => Number(on.slice(1)) < index),
        all: index === other || index === last,
        qa: index === last,
      }));
      const added = expandAll(nodes);
      const whole = nodes.map(({ id, on }) => node(id, ...on, ...(added.get(id) ?? [])));
      assert.deepEqual(findCycles(whole), []);
      const qa = nodes.find((one) => one.qa);
      if (qa === undefined) return;
      const before = reach(whole, qa.id, 'dependencies');
      const after = reach(whole, qa.id, 'dependents');
      for (const { id } of nodes) assert.ok(id === qa.id || before.has(id) || after.has(id));
    }),
  );
});

test('what is written to come after qa is no part of the others’ all', () => {
  const expanded = expandAll([
    { id: 'foundation', on: [], all: false, qa: false },
    { id: 'templates', on: [], all: true, qa: false },
    { id: 'qa', on: [], all: true, qa: true },
    { id: 'release', on: ['qa'], all: false, qa: false },
  ]);
  assert.deepEqual(expanded.get('templates'), ['foundation']);
  assert.deepEqual(expanded.get('qa'), ['foundation', 'templates']);
});

test('numbers in names count as numbers', () => {
  assert.deepEqual(['w10', 'w2', 'w02', 'a'].sort(compareNatural), ['a', 'w02', 'w2', 'w10']);
});
