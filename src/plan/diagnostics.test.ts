// How problems are gathered and shown.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkers, planFolder } from '../../test/support/plan-folder.ts';
import { renderDiagnostics } from './diagnostics.ts';

const front = (...lines: readonly string[]): string => `---\n${lines.join('\n')}\n---\n\nText.\n`;

test('everything that is wrong in all files is said in one go, by file and line', () => {
  const { diagnostics } = loadWorkers({
    w10: front('prioritty: high', 'timeout: soon', 'agent: "!"'),
    w2: front('role: 1', 'owns: [/x]'),
    b: front('dependencies: [ghost]'),
  });
  assert.deepEqual(
    diagnostics.map((one) => `${one.file.slice('.czar/workers/'.length)}:${one.line}`),
    ['b.md:2', 'w2.md:2', 'w2.md:3', 'w10.md:2', 'w10.md:3', 'w10.md:4'],
  );
});

test('a problem is shown with its line, a caret below the place, and what to do', () => {
  const { diagnostics } = loadWorkers({ a: front('role: x', 'dependancies: [b]') });
  assert.equal(
    renderDiagnostics(diagnostics),
    [
      '.czar/workers/a.md:3:1: error: unknown key "dependancies"',
      '3 | dependancies: [b]',
      '  | ^^^^^^^^^^^^ did you mean "dependencies"?',
      '',
    ].join('\n'),
  );
});

test('the caret stands below the place also behind wide characters and in very long lines', () => {
  const { diagnostics } = loadWorkers({
    a: front(`tasks: [日本語, {a: 1}]`),
    b: front(`tasks: ["${'x'.repeat(500)}", {a: 1}]`),
  });
  for (const block of renderDiagnostics(diagnostics).split('\n\n')) {
    const [, source = '', caret = ''] = block.split('\n');
    const column = caret.indexOf('^');
    assert.equal(source.replace(/[日本語]/g, 'ww').slice(column, column + 6), '{a: 1}');
    assert.ok(source.length < 200);
  }
});

test('claims that overlap are no problem between workers that come one after the other', () => {
  const { diagnostics, plan } = loadWorkers({
    a: front('owns: [src/**]'),
    b: front('dependencies: [a]', 'owns: [src/**]'),
  });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(plan?.overlaps, { a: ['b'], b: ['a'] });
});

test('what is wrong in config.yaml is said there', () => {
  using folder = planFolder({
    '.czar/config.yaml': 'max_paralel: 4\nagents:\n  define:\n    x: {adapter: command}\n',
    '.czar/workers/a.md': front('role: x'),
  });
  const { diagnostics, plan } = folder.load();
  assert.equal(plan, null);
  assert.deepEqual(
    diagnostics.map((one) => [one.line, one.message, one.hint]),
    [
      [1, 'unknown key "max_paralel"', 'did you mean "max_parallel"?'],
      [
        4,
        'agents.define.x: the adapter command needs a command',
        'command: [program, argument, …]',
      ],
    ],
  );
  folder.write({
    '.czar/config.yaml':
      'agents:\n  define:\n    x: {adapter: command}\nisolation: worktree\nmirror: link\n',
  });
  assert.deepEqual(
    folder.load().diagnostics.map((one) => [one.severity, one.line, one.message]),
    [
      ['error', 3, 'agents.define.x: the adapter command needs a command'],
      ['warning', 5, 'mirror: this version does not act on it'],
    ],
  );
});

test('a mistake in a field hides none in the other fields of the file', () => {
  const { diagnostics } = loadWorkers({
    a: front(
      'bogus: 1',
      'role: x',
      'role: y',
      'dependencies: [5, ghost, {on: b, knd: output}]',
      'owns: [/abs, "src/**"]',
      'when: "bad =="',
    ),
    b: front('id: Not An Id', 'dependencies: [a]'),
    c: 'worker:\n  owns: [src/x]\nrole: x\n',
  });
  const said = diagnostics.map((one) => `${one.file.slice(-4)}:${one.line}: ${one.message}`);
  for (const expected of [
    'a.md:2: unknown key "bogus"',
    'a.md:4: the key "role" stands here twice',
    'a.md:5: none of the accepted forms, found the number 5',
    'a.md:5: "a" depends on "ghost", which does not exist',
    'a.md:5: unknown key "knd"',
    'a.md:6: an absolute pattern',
    'a.md:7: when: ',
    'b.md:2: id: the id "Not An Id" must be',
    'the dependencies go in a circle',
    'c.md:2: owns of "c" overlaps',
    'c.md:3: role: this stands beside worker',
  ]) {
    assert.ok(
      said.find((one) => one.includes(expected)) !== undefined,
      `${expected}\n${said.join('\n')}`,
    );
  }
  assert.equal(said.length, 11, said.join('\n'));
});

test('a figure, a duration and a review that are written otherwise say how they are written', () => {
  const { diagnostics } = loadWorkers({
    a: front('timeout: 30', 'budget: {tokens: 100k}', 'review: yes'),
    b: front('budget: {tokens: 1_500_000, limit: 1.5M}', 'retry: {max_attempts: two}'),
  });
  assert.deepEqual(
    diagnostics.map(({ message, hint }) => [message, hint]),
    [
      ['timeout: expected a duration such as 30s, 10m or 1h30m, found the number 30', null],
      ['tokens: expected a number, found a text', 'write it in digits: 100000'],
      ['review: expected none, agent, human, or {by: …, quorum: …}, found a text', null],
      ['tokens: expected a number, found a text', 'write it in digits: 1500000'],
      ['limit: expected a number, found a text', 'write it in digits: 1500000'],
      ['max_attempts: expected a number, found a text', null],
    ],
  );
});

test('hidden files are no workers: an editor puts them there while somebody writes', () => {
  const { diagnostics, plan, notes } = loadWorkers({ a: front('role: x'), '.#a': 'user@host.1\n' });
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    plan?.workers.map(({ id }) => id),
    ['a'],
  );
  assert.deepEqual(notes, ['.czar/workers: not worker files, not read: .#a.md']);
});

test('an expression that names a dependency which is refused has no problem of its own', () => {
  const { diagnostics } = loadWorkers({
    a: front('dependencies: [ghost]', 'when: workers.ghost.state == "complete"'),
  });
  assert.deepEqual(
    diagnostics.map((one) => one.message),
    ['"a" depends on "ghost", which does not exist'],
  );
});

test('a field that is not acted on is warned of once, with the number of workers', () => {
  const text = front('labels: {gpu: a}');
  const { diagnostics } = loadWorkers({ a: text, b: text, c: text });
  assert.deepEqual(
    diagnostics.map((one) => `${one.file}: ${one.message}`),
    ['.czar/workers/a.md: labels (3 workers): this version does not act on it'],
  );
});

test('to depend on a worker whose file is wrong is no further problem', () => {
  const { diagnostics } = loadWorkers({
    'file-name': front('id: a', 'rolle: x'),
    b: front('dependencies: [a]'),
  });
  assert.deepEqual(
    diagnostics.map((one) => one.message),
    ['unknown key "rolle"'],
  );
});
