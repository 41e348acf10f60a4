// Files that are made to hurt: each gives a problem in a sentence, quickly, and never a throw.
import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { loadWorkers, planFolder } from '../../test/support/plan-folder.ts';
import { hasErrors } from './diagnostics.ts';
import { looseAgent, looseDependencies } from './loose.ts';

const front = (yaml: string): string => `---\n${yaml}\n---\n`;
const letters = 'bcdefgh'.split('');

const files: Readonly<Record<string, readonly [string | Uint8Array, RegExp]>> = {
  'deep flow nesting': [front(`tasks: ${'['.repeat(500_000)}`), /levels of nesting/],
  'deep flow nesting with closing brackets in texts': [
    front(`tasks: ${'[ "]" , '.repeat(50_000)}`),
    /levels of nesting/,
  ],
  'deep block nesting': [
    front(Array.from({ length: 700 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')),
    /levels of nesting/,
  ],
  'a long row of dashes': [front(`tasks:\n${'- '.repeat(300_000)}x`), /levels of nesting/],
  'aliases that multiply': [
    front(
      `a: &a [x,x,x,x,x,x,x,x,x]\n${letters.map((name, i) => `${name}: &${name} [${Array<string>(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}`,
    ),
    /alias/,
  ],
  'many anchors': [
    front(Array.from({ length: 500 }, (_, i) => `k${i}: &a${i} 1`).join('\n')),
    /anchors/,
  ],
  'an alias to itself': [front('tasks: &x [*x]'), /./],
  'very many keys': [front(Array.from({ length: 30_000 }, (_, i) => `k${i}: 1`).join('\n')), /./],
  'a file of more than a megabyte': [
    front(`mission: ${'x'.repeat(1_100_000)}`),
    /larger than 1024 KiB/,
  ],
  'a NUL character': ['---\nrole: a\0b\n---\n', /NUL/],
  'bytes that are no UTF-8': [new Uint8Array([0x2d, 0x2d, 0x2d, 0x0a, 0xff, 0xfe]), /UTF-8/],
  'UTF-16': [new Uint8Array([0xff, 0xfe, 0x2d, 0x00]), /UTF-8/],
  'control characters in a text': [front('role: "a\\e[31mb"'), /control characters/],
  'a tag': [front('role: !!binary aGVsbG8='), /expected a text/],
  'a key that is the prototype': [front('__proto__: {a: 1}'), /unknown key "__proto__"/],
  'two documents': ['worker:\n  id: a\n---\nworker:\n  id: b\n', /not YAML/],
};

for (const [name, [text, says]] of Object.entries(files)) {
  test(`${name}: a problem, within a second or two`, () => {
    using folder = planFolder({ '.czar/workers/a.md': text });
    const began = performance.now();
    const { diagnostics, plan } = folder.load();
    assert.equal(plan, null);
    assert.ok(
      diagnostics.some((one) => one.severity === 'error' && says.test(one.message)),
      JSON.stringify(diagnostics.slice(0, 3)),
    );
    assert.ok(performance.now() - began < 5000);
  });
}

test('a link that leads out of the repository is not read', () => {
  using outside = planFolder({ 'secret.md': front('role: secret') });
  using folder = planFolder({ '.czar/workers/b.md': front('role: x') });
  symlinkSync(join(outside.root, 'secret.md'), join(folder.root, '.czar/workers/a.md'));
  const { diagnostics } = folder.load();
  assert.deepEqual(
    diagnostics.map((one) => [one.file, one.message]),
    [['.czar/workers/a.md', 'the file is a link that leads out of the repository']],
  );
});

test('a worker and an agent may have the name of what every object has', () => {
  using folder = planFolder({
    '.czar/config.yaml':
      'agents: {define: {constructor: {command: [a]}}, preferences: {constructor: constructor}}\n',
    '.czar/workers/constructor.md': front('owns: [src/**]'),
    '.czar/workers/b.md': front('owns: [src/b]\nagent: constructor\ndependencies: [constructor]'),
  });
  const { plan, diagnostics } = folder.load();
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(plan?.overlaps, { b: ['constructor'], constructor: ['b'] });
  assert.deepEqual(
    plan?.workers.map(({ id, agent }) => [id, agent.name]),
    [
      ['b', 'constructor'],
      ['constructor', 'constructor'],
    ],
  );
});

test('a folder with the name of a worker file is a problem of that file', () => {
  using folder = planFolder({ '.czar/workers/a.md/x.md': 'x' });
  assert.match(folder.load().diagnostics[0]?.message ?? '', /not a regular file/);
});

test('a byte-order mark and Windows line ends make no difference', () => {
  const text = '---\nrole: x\ntasks: [a]\n---\n\nSome text\nover two lines.\n';
  const plain = loadWorkers({ a: text }).plan;
  const windows = loadWorkers({ a: `\ufeff${text.replaceAll('\n', '\r\n')}` }).plan;
  assert.ok(plain !== null && windows !== null);
  assert.equal(windows.revision, plain.revision);
  assert.equal(windows.workers[0]?.instructions, 'Some text\nover two lines.');
});

test('whatever stands in a worker file, loading it gives a plan or an error', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      '---\n',
      'worker:\n',
      '  id: a\n',
      'role: x\n',
      '# T\n',
      '**Role:** x\n',
      '- [ ] t\n',
      '## Tasks\n',
      'dependencies: [',
      ']',
      '{',
      '&a ',
      '*a',
      ': ',
      '\t',
      '"',
      '|\n',
      '```\n',
      '\r',
      '!!map ',
    ),
    fc.string({ maxLength: 8 }),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const { plan, diagnostics } = loadWorkers({ a: pieces.join('') });
      assert.equal(plan === null, hasErrors(diagnostics));
    }),
    { numRuns: 300 },
  );
});

test('whatever people write as an agent or dependencies, it is a name or it is given back', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const agent = looseAgent(text);
      if (typeof agent === 'string') assert.match(agent, /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/);
      for (const one of looseDependencies(text)) {
        if (one.kind === 'id') assert.match(one.on, /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/);
      }
    }),
  );
});
