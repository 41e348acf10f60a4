import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { loadWorkers, planFolder } from '../../test/support/plan-folder.ts';
import type { WorkerDefinition } from '../core/plan.ts';
import { renderDiagnostics } from './diagnostics.ts';
import { technologyOf } from './technology.ts';

const config = `agents:
  default: general
  preferences: {api: special}
  rules:
    - {labels: {risk: high, team: core}, agent: careful}
    - {deliverables: [docs/, '*.md'], agent: writer}
    - {technology: python, agent: snake}
    - {technology: [react, typescript], labels: {ui: 'yes'}, agent: painter}
  fallback: [general, careful]
`;

/** The workers of files under this configuration, by id. */
function workersOf(
  files: Readonly<Record<string, string>>,
  yaml = config,
): ReadonlyMap<string, WorkerDefinition> {
  using folder = planFolder({
    '.czar/config.yaml': yaml,
    ...Object.fromEntries(
      Object.entries(files).map(([id, text]) => [`.czar/workers/${id}.md`, text]),
    ),
  });
  const { plan, diagnostics } = folder.load();
  assert.ok(plan !== null, renderDiagnostics(diagnostics));
  assert.deepEqual(
    diagnostics.filter(({ message }) => !message.startsWith('owns of')),
    [],
  );
  return new Map(plan.workers.map((worker) => [worker.id, worker]));
}

describe('agents.rules', () => {
  test('decide where neither the worker nor a preference does, the first that fits first', () => {
    const workers = workersOf({
      api: '---\ndeliverables: [src/api.py]\n---\n',
      own: '---\nagent: mine\ndeliverables: [src/own.py]\n---\n',
      both: '---\nlabels: {risk: high, team: core}\ndeliverables: [src/x.py]\n---\n',
      half: '---\nlabels: {risk: high}\ndeliverables: [src/x.py]\n---\n',
      guide: '---\ndeliverables: [docs/guide/index.html]\n---\n',
      ui: '---\nlabels: {ui: "yes"}\nowns: [src/ui/**/*.tsx]\n---\n',
      noui: '---\nowns: [src/ui/**/*.tsx]\n---\n',
      plain: '---\nmission: Tidy up\n---\n',
    });
    const chosen = (id: string): readonly [string | undefined, string | undefined] => [
      workers.get(id)?.agent.name,
      workers.get(id)?.agent.why,
    ];
    assert.deepEqual(chosen('api'), ['special', 'agents.preferences of api']);
    assert.deepEqual(chosen('own'), ['mine', 'written in its definition']);
    assert.deepEqual(chosen('both'), ['careful', 'agents.rules 1: labels risk=high, team=core']);
    assert.deepEqual(chosen('half'), ['snake', 'agents.rules 3: technology python']);
    assert.deepEqual(chosen('guide'), [
      'writer',
      'agents.rules 2: deliverables docs/guide/index.html',
    ]);
    assert.deepEqual(chosen('ui'), ['painter', 'agents.rules 4: labels ui=yes, technology react']);
    assert.deepEqual(chosen('noui'), ['general', 'agents.default']);
    assert.deepEqual(chosen('plain'), ['general', 'agents.default']);
  });

  test('without a condition, with an unknown technology or as a single rule are errors where they stand', () => {
    for (const [yaml, says] of [
      ['[{agent: a}]', /a rule needs labels, deliverables or technology/],
      ['[{technology: cobol, agent: a}]', /expected one of python, go/],
      ['{technology: go, agent: a}', /rules: expected a list/],
    ] as const) {
      using folder = planFolder({
        '.czar/config.yaml': `agents:\n  rules: ${yaml}\n`,
        '.czar/workers/a.md': '---\nrole: A\n---\n',
      });
      const { plan, diagnostics } = folder.load();
      assert.equal(plan, null);
      assert.match(renderDiagnostics(diagnostics), says);
      assert.equal(diagnostics[0]?.line, 2);
    }
  });
});

test('fallback is the worker’s own list, else that of the configuration, without its agent and without doubles', () => {
  const workers = workersOf({
    a: '---\nrole: A\n---\n',
    b: '---\nagent: mine\n---\n',
    c: '---\nagent: mine\nfallback: [Claude Code, mine, claude]\n---\n',
    d: '---\nfallback: []\n---\n',
  });
  const fallback = (id: string): unknown => workers.get(id)?.fallback;
  assert.deepEqual(fallback('a'), ['careful']);
  assert.deepEqual(fallback('b'), ['general', 'careful']);
  assert.deepEqual(fallback('c'), ['claude']);
  assert.equal(fallback('d'), undefined);
});

test('a fallback that is no name of an agent is an error', () => {
  const { plan, diagnostics } = loadWorkers({ a: '---\nfallback: [any]\n---\n' });
  assert.equal(plan, null);
  assert.match(renderDiagnostics(diagnostics), /expected the name of an agent/);
});

describe('the technology of a worker', () => {
  const of = (fields: Parameters<typeof technologyOf>[0]['fields'], instructions = ''): unknown =>
    technologyOf({ fields, instructions });

  test('is that of the files it delivers or owns, else of files in its text, else of words', () => {
    assert.equal(of({ deliverables: ['src/a.go'], mission: 'Rewrite the Python tool' }), 'go');
    assert.equal(of({ owns: ['lib/**/*.rs'] }), 'rust');
    assert.equal(of({}, 'Change `src/app.py` and tests/test_app.py.'), 'python');
    assert.equal(of({ role: 'Python developer' }), 'python');
    assert.equal(of({ mission: 'Build the page with React.' }), 'react');
    assert.equal(of({ tasks: ['A design spec for the start page'] }), 'design');
    assert.equal(of({ mission: 'The server is C++.' }), 'c');
  });

  test('is none where two are named as often, or none is', () => {
    assert.equal(of({ deliverables: ['a.go', 'b.py'] }), null);
    assert.equal(of({ mission: 'Let it go, and react to what javascripting does' }), null);
    assert.equal(of({ mission: 'Make it better' }), null);
  });

  test('is found in time that grows with the text alone', () => {
    assert.equal(of({}, 'a'.repeat(200_000)), null);
    assert.equal(of({}, '.'.repeat(200_000)), null);
    assert.equal(of({}, 'x.py '.repeat(40_000)), 'python');
  });
});
