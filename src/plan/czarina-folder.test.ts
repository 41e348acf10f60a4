// Czarina projects as they are found: config.json, worker files, knowledge, phases.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFolder } from '../../test/support/plan-folder.ts';
import { waves } from '../core/graph.ts';

const config = (workers: readonly object[], more: object = {}): string =>
  JSON.stringify({ project: { name: 'rules', version: '1' }, workers, ...more }, null, '\t');

test('config.json says which workers there are, and a file adds to its entry', () => {
  using folder = planFolder({
    '.czarina/config.json': config(
      [
        {
          id: 'core',
          role: 'code',
          agent: 'Aider (recommended)',
          branch: 'cz/core',
          token_budget: '1.2M',
          phase: 1,
          description: 'x',
        },
        {
          id: 'docs',
          agent: 'Claude Code',
          dependencies: ['core'],
          token_budget: { projected: 5000, max: 9000 },
          priority: 2,
        },
      ],
      { daemon: { enabled: true } },
    ),
    '.czarina/workers/core.md':
      '# Worker Identity: core\n\n**Role:** other\n**Mission:** Make it.\n\n## Tasks\n- [ ] One\n',
    '.czarina/workers/core-knowledge.md': 'Remember the milk.\n',
    '.czarina/workers/docs.md': 'Only prose, no fields.\n',
    '.czarina/workers/stray.md': '**Role:** nobody\n',
    '.czarina/workers/CZAR.md': 'I am the Czar.\n',
    '.czarina/config-old.json': '{}',
  });
  const { plan, diagnostics, notes } = folder.load();
  assert.ok(plan !== null, JSON.stringify(diagnostics));
  const [docs, core] = plan.workers;
  assert.deepEqual(
    [core?.id, core?.role, core?.agent.name, core?.branch],
    ['core', 'code', 'aider', 'cz/core'],
  );
  assert.equal(core?.budget?.tokens, 1_200_000);
  assert.equal(core.mission, 'Make it.');
  assert.deepEqual(core.tasks, ['One']);
  assert.match(core.instructions, /Make it\.[^]*Remember the milk\.$/);
  assert.deepEqual(
    [docs?.id, docs?.priority, docs?.agent.name, docs?.budget?.tokens],
    ['docs', 'high', 'claude', 5000],
  );
  assert.equal(docs?.instructions, 'Only prose, no fields.');
  assert.equal(plan.name, 'rules');
  assert.ok(diagnostics.every((one) => /budget/.test(one.message)));
  const said = notes.join('\n');
  for (const word of ['daemon', 'description', 'stray.md', 'CZAR.md', 'config-old.json']) {
    assert.ok(said.includes(word), `${word} in ${said}`);
  }
});

test('phases are barriers', () => {
  using folder = planFolder({
    '.czarina/config.json': config([
      { id: 'a', phase: 1 },
      { id: 'b', phase: 1 },
      { id: 'c', phase: 3, dependencies: ['a'] },
      { id: 'd', phase: 4 },
      { id: 'free' },
    ]),
  });
  const { plan } = folder.load();
  assert.deepEqual(waves(plan?.workers ?? []), [['a', 'b', 'free'], ['c'], ['d']]);
  const edges = plan?.workers.find(({ id }) => id === 'c')?.edges.map(({ on, via }) => [on, via]);
  assert.deepEqual(edges, [
    ['a', 'explicit'],
    ['b', 'phase'],
  ]);
});

test('dependencies in prose are understood, or quoted', () => {
  using folder = planFolder({
    '.czarina/config.json': config([
      { id: 'a', phase: 1 },
      { id: 'b', phase: 1 },
      { id: 'x', dependencies: [] },
      { id: 'y', dependencies: 'ALL Phase 1 + `x` + whatever comes' },
      { id: 'z', dependencies: ['None'] },
      { id: 'last', dependencies: ['all'] },
    ]),
  });
  const { plan, diagnostics } = folder.load();
  const on = (id: string) =>
    plan?.workers.find((one) => one.id === id)?.edges.map((edge) => edge.on);
  assert.deepEqual(on('y'), ['a', 'b', 'x']);
  assert.deepEqual(on('z'), []);
  assert.deepEqual(on('last'), ['a', 'b', 'x', 'y', 'z']);
  assert.deepEqual(
    diagnostics.map((one) => [one.severity, one.message]),
    [['warning', '"whatever comes" is no dependency that is understood']],
  );
});

test('a wrong entry is an error with its place in config.json', () => {
  using folder = planFolder({
    '.czarina/config.json':
      '{\n  "workers": [\n    {"id": "Bad Id"},\n    {"id": "ok", "dependencies": ["ghost"]},\n    5\n  ]\n}\n',
  });
  const { plan, diagnostics } = folder.load();
  assert.equal(plan, null);
  assert.deepEqual(
    diagnostics.map((one) => `${one.line}:${one.column}`),
    ['3:12', '4:35', '5:5'],
  );
});

test('a config.json without workers is an error, and a broken one too', () => {
  for (const text of ['{}', '{"workers": {}}', '[]', '{"workers": [', '']) {
    using folder = planFolder({ '.czarina/config.json': text });
    const { plan, diagnostics, found } = folder.load();
    assert.equal(plan, null);
    assert.ok(diagnostics.length > 0 && found > 0, text);
  }
});

test('without a config.json every worker file counts', () => {
  using folder = planFolder({
    '.czarina/workers/a.md': '**Role:** x\n',
    '.czarina/workers/a-knowledge.md': 'Known.\n',
    '.czarina/workers/CZAR.md': '**Role:** czar\n',
  });
  const { plan, notes } = folder.load();
  assert.deepEqual(
    plan?.workers.map(({ id }) => id),
    ['a'],
  );
  assert.match(plan?.workers[0]?.instructions ?? '', /Known\.$/);
  assert.match(notes.join('\n'), /CZAR\.md/);
});

test('config.yaml sets the policies of a Czarina project too', () => {
  using folder = planFolder({
    '.czarina/config.json': config([{ id: 'a' }]),
    '.czarina/config.yaml': 'max_parallel: 2\n',
  });
  assert.equal(folder.load().plan?.policies.maxParallel, 2);
});
