// The three forms of worker files.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkers, planFolder } from '../../test/support/plan-folder.ts';
import { waves } from '../core/graph.ts';
import type { WorkerDefinition } from '../core/plan.ts';
import { findHome } from './home.ts';
import { onlyHome } from './config-layers.ts';
import { loadPlan, type LoadedPlan } from './load.ts';
import { template } from './new-worker.ts';

function only(loaded: LoadedPlan): WorkerDefinition {
  assert.ok(loaded.plan !== null, JSON.stringify(loaded.diagnostics));
  const [worker] = loaded.plan.workers;
  assert.ok(worker !== undefined);
  return worker;
}

function fixture(name: string): LoadedPlan {
  const root = new URL(`../../test/fixtures/plans/${name}`, import.meta.url).pathname;
  const home = findHome({ root, czarDir: null, cwd: root });
  assert.ok(!('error' in home));
  return loadPlan({ root, home, sources: onlyHome });
}

/** What does not depend on the form: everything but text, source and hash. */
function essence(worker: WorkerDefinition): object {
  const { source: _source, hash: _hash, instructions: _instructions, ...rest } = worker;
  return rest;
}

test('the bare YAML form with its comment line loads as it stands', () => {
  const worker = only(fixture('seed1'));
  assert.equal(worker.id, 'foundation');
  assert.equal(worker.role, 'Extract Python and agent standards');
  assert.deepEqual(worker.edges, []);
  assert.equal(worker.budget?.tokens, 150_000);
  assert.deepEqual(worker.deliverables, ['agent-rules/python/', 'agent-rules/agents/']);
});

test('the graph in which templates and qa both depend on all has four waves', () => {
  const { plan } = fixture('seed2');
  assert.deepEqual(waves(plan?.workers ?? []), [
    ['foundation', 'workflows'],
    ['patterns', 'security', 'testing'],
    ['templates'],
    ['qa'],
  ]);
});

test('all forms yield the same worker', () => {
  const fields = [
    'role: Code',
    'agent: claude',
    'branch: feat/api',
    'mission: Build the API.',
    'first_action: Read the notes.',
  ];
  const others = { base: '---\nrole: x\n---\n' };
  const forms = [
    `---\n${fields.join('\n')}\ndependencies: [base]\n---\n\n## Tasks\n\n- [ ] One\n- [x] Two\n`,
    `---\nworker:\n  ${fields.join('\n  ')}\n  dependencies: base\n---\n\n## Tasks\n\n- [ ] One\n- [x] Two\n`,
    `# .czar/workers/api.md\n\nworker:\n  ${fields.join('\n  ')}\n  dependencies:\n    - base\n  tasks: [One, Two]\n`,
    [
      '# Worker: api',
      '',
      '**Role:** Code',
      '**Agent:** Claude Code (recommended)',
      '**Branch:** `feat/api`',
      '**Dependencies:** `base` (must be merged)',
      '**Mission:** Build the',
      'API.',
      '**First Action:** Read the notes.',
      '',
      '## Tasks',
      '',
      '### Task 1',
      '- [ ] One',
      '```',
      '- [ ] not a task',
      '```',
      '- [x] Two',
      '- no box',
    ].join('\n'),
  ];
  const workers = forms.map((api) => {
    const { plan, diagnostics } = loadWorkers({ ...others, api });
    assert.deepEqual(diagnostics, []);
    const worker = plan?.workers.find((one) => one.id === 'api');
    assert.ok(worker !== undefined);
    return worker;
  });
  for (const worker of workers) assert.deepEqual(essence(worker), essence(workers[0] ?? worker));
  assert.deepEqual(workers[0]?.tasks, ['One', 'Two']);
  assert.deepEqual(workers[0].edges, [
    {
      on: 'base',
      kind: 'output',
      requires: 'complete',
      allowSkipped: false,
      inputs: [],
      reason: null,
      via: 'explicit',
    },
  ]);
});

test('sections of the Markdown form say what no bold field has said', () => {
  const worker = only(
    loadWorkers({
      docs: [
        '# Worker: docs',
        '**Role:** Writer',
        '**Dependencies:** None',
        '**Token Budget:** 150K',
        '**Priority:** 1',
        '',
        '## Mission',
        'Write the manual.',
        '',
        '## 🚀 YOUR FIRST ACTION',
        'Open docs/index.md.',
        '',
        '## Deliverables',
        '- `docs/manual.md`: the manual',
        '- docs/images/',
        '',
        '## Success Criteria',
        '- [ ] It can be read',
      ].join('\n'),
    }),
  );
  assert.equal(worker.mission, 'Write the manual.');
  assert.equal(worker.firstAction, 'Open docs/index.md.');
  assert.deepEqual(worker.deliverables, ['docs/manual.md', 'docs/images/']);
  assert.deepEqual(worker.successCriteria, ['It can be read']);
  assert.equal(worker.budget?.tokens, 150_000);
  assert.equal(worker.priority, 'critical');
  assert.match(worker.instructions, /^# Worker: docs/);
});

test('what the Markdown form says and nobody understands is quoted in a warning', () => {
  const { plan, diagnostics } = loadWorkers({
    a: [
      '# Worker: a',
      '**Role:** x',
      '**Dependncies:** b',
      '**Agent:** whoever is free!',
      '**Dependencies:** the usual suspects',
      '**Phase:** soon',
      '',
      '## Deliverables',
      '- A working CLI',
    ].join('\n'),
  });
  assert.ok(plan !== null);
  const words = ['"b"', '"whoever is free!"', '"the usual suspects"', '"soon"', '"A working CLI"'];
  for (const word of words) {
    const found = diagnostics.find((one) => one.message.includes(word));
    assert.equal(found?.severity, 'warning', word);
  }
  assert.match(diagnostics[0]?.hint ?? '', /dependencies/);
});

test('the template of a new worker loads without a problem', () => {
  const { diagnostics, plan } = loadWorkers({ x: template('x') });
  assert.deepEqual(diagnostics, []);
  assert.equal(plan?.workers[0]?.tasks[0], 'The first task');
});

test('names of agents are read as people write them', () => {
  for (const [text, name] of [
    ['Aider (recommended)', 'aider'],
    ['Claude Code', 'claude'],
    ['my-agent', 'my-agent'],
    ['any', 'claude'],
  ] as const) {
    assert.equal(only(loadWorkers({ a: `---\nagent: ${text}\n---\n` })).agent.name, name);
  }
});

test('the id is the name of the file unless it is written', () => {
  assert.equal(only(loadWorkers({ 'some-name': '---\nrole: x\n---\n' })).id, 'some-name');
  assert.equal(only(loadWorkers({ 'some-name': '---\nid: other\n---\n' })).id, 'other');
});

test('files that are no worker files are named, not read', () => {
  using folder = planFolder({
    '.czar/workers/a.md': '---\nrole: x\n---\n',
    '.czar/workers/README.md': 'Hello.\n',
    '.czar/workers/a.md~': 'old',
    '.czar/workers/sub/b.md': '---\nrole: x\n---\n',
  });
  const { plan, notes, diagnostics } = folder.load();
  assert.equal(plan?.workers.length, 1);
  assert.deepEqual(diagnostics, []);
  assert.match(notes.join('\n'), /a\.md~, sub/);
  assert.match(notes.join('\n'), /README\.md/);
});
