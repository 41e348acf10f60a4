// Proves that the linter refuses what ARCHITECTURE.md forbids, by linting a made-up source tree with
// our configuration: a mistyped pattern is dropped by the linter without a word.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

/** Each folder of src/ with the folders that it may import. */
const arrows: Readonly<Record<string, readonly string[]>> = {
  core: [],
  plan: ['core'],
  journal: ['core'],
  process: ['core'],
  git: ['core', 'process'],
  agents: ['core', 'process'],
  bridge: ['core', 'process', 'agents'],
  wire: ['core', 'process', 'agents'],
  gates: ['core', 'process', 'git', 'agents'],
  context: ['core'],
  report: ['core'],
  engine: ['core', 'journal'],
  daemon: [
    'core',
    'plan',
    'journal',
    'process',
    'git',
    'agents',
    'gates',
    'context',
    'report',
    'engine',
  ],
  upkeep: ['core', 'plan', 'journal', 'process', 'git', 'agents', 'gates', 'report', 'daemon'],
  api: ['core', 'report', 'daemon'],
  mcp: ['api'],
  cli: ['core', 'api', 'plan', 'report', 'daemon', 'upkeep'],
  web: ['core', 'report', 'api'],
};
const folders = Object.keys(arrows);

const root = fileURLToPath(new URL('..', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'czar-arrows-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('every folder of src has its arrows here', () => {
  const entries = readdirSync(join(root, 'src'), { withFileTypes: true });
  const present = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  assert.deepEqual(
    present.filter((name) => !folders.includes(name)),
    [],
  );
});

test('a folder may import exactly the folders that its arrows name', () => {
  const files = Object.fromEntries(
    folders.flatMap((from) =>
      folders.map((to) => [`src/${from}/${to}.ts`, `import '../${to}/a.ts';\nimport './b.ts';\n`]),
    ),
  );
  const refused = pairs((from, to) => from !== to && !arrows[from]?.includes(to));
  assert.deepEqual(lint(files), refused);
});

test('an arrow holds for every form of import, for tests and for nested folders', () => {
  const files = {
    'src/plan/forms.ts': [
      `import { a } from '../journal/a.ts';`,
      `import type { b } from '../journal/a.ts';`,
      `export { c } from '../journal/a.ts';`,
      `export * from '../journal/a.ts';`,
      `export const d = [a, import('../journal/a.ts')];`,
      `export type e = b;`,
    ].join('\n'),
    'src/plan/forms.test.ts': `import '../journal/a.ts';\nimport '../../test/rig.ts';\n`,
    'src/plan/deep/er/forms.ts': `import '../../../journal/a.ts';\nimport '../../../core/a.ts';\n`,
  };
  assert.deepEqual(lint(files), [
    'src/plan/deep/er/forms.ts:1',
    'src/plan/forms.test.ts:1',
    ...[1, 2, 3, 4, 5].map((line) => `src/plan/forms.ts:${line}`),
  ]);
});

test('only process spawns and only journal opens databases', () => {
  const text = `import 'node:child_process';\nimport 'node:sqlite';\nimport 'node:fs';\n`;
  const files = Object.fromEntries(
    [...folders, 'unheard-of'].map((name) => [`src/${name}/doors.ts`, text]),
  );
  const expected = Object.keys(files)
    .flatMap((file) => [`${file}:1`, `${file}:2`, `${file}:3`])
    .filter((place) => !place.endsWith(':3') || place.startsWith('src/core/'))
    .filter((place) => place !== 'src/process/doors.ts:1' && place !== 'src/journal/doors.ts:2');
  assert.deepEqual(lint(files), expected.toSorted());
});

test('core has no packages, no Node, no clock and no chance', () => {
  const impure = [
    `import 'zod';`,
    `import 'node:path';`,
    `export * from '@marcbachmann/cel-js';`,
    `import '../../test/rig.ts';`,
    `export const now = () => Date.now();`,
    `export const date = () => new Date();`,
    `export const chance = () => Math.random();`,
    `export const later = () => setTimeout(now, 1);`,
    `export const env = () => process.env;`,
    `export const tick = () => performance.now();`,
    `export const id = () => crypto.randomUUID();`,
  ];
  const tests = [
    `import 'node:test';`,
    `import 'node:assert/strict';`,
    `import 'fast-check';`,
    `import '../../test/rig.ts';`,
    `export const date = new Date(0);`,
    `import 'node:fs';`,
    `import 'zod';`,
    `import '../git/a.ts';`,
  ];
  assert.deepEqual(
    lint({
      'src/core/impure.ts': impure.join('\n'),
      'src/core/pure.ts': `import './graph.ts';\nexport const half = (n: number) => Math.floor(n / 2);\n`,
      'src/core/some.test.ts': tests.join('\n'),
    }),
    [
      ...impure.map((_, index) => `src/core/impure.ts:${index + 1}`),
      'src/core/some.test.ts:6',
      'src/core/some.test.ts:7',
      'src/core/some.test.ts:8',
    ].toSorted(byPlace),
  );
});

test('the house rules that need types, cycles and sizes are on', () => {
  const files = {
    'src/plan/types.ts': [
      `import { test } from 'node:test';`,
      `const slow = async () => 1;`,
      `slow();`,
      `test('a name', () => {});`,
      `export function f(x: 'a' | 'b'): number {`,
      `  switch (x) {`,
      `    case 'a':`,
      `      return 1;`,
      `  }`,
      `  return 2;`,
      `}`,
      `export const g = (x: any) => x;`,
      `export default f;`,
    ].join('\n'),
    'src/plan/one.ts': `import { two } from './two.ts';\nexport const one = () => two;\n`,
    'src/plan/two.ts': `import { one } from './one.ts';\nexport const two = () => one;\n`,
    'src/plan/long.ts': `export const a = 1;\n${'// a comment\n'.repeat(400)}`,
    'src/plan/full.ts': `export const a = 1;\n${'// a comment\n'.repeat(399)}`,
    'tsconfig.json': JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['src'] }),
  };
  const found = lint(files, ['--type-aware']);
  assert.deepEqual(
    found.map((place) => place.replace(/(long\.ts):\d+/, '$1')),
    [
      'src/plan/long.ts',
      'src/plan/one.ts:1',
      'src/plan/two.ts:1',
      'src/plan/types.ts:3',
      'src/plan/types.ts:6',
      'src/plan/types.ts:12',
      'src/plan/types.ts:13',
    ],
  );
});

/** Lints a tree of these files alone; gives each place complained about once, as `path:line`. */
function lint(files: Readonly<Record<string, string>>, options: readonly string[] = []): string[] {
  const folder = mkdtempSync(join(scratch, 'tree-'));
  cpSync(join(root, '.oxlintrc.json'), join(folder, '.oxlintrc.json'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const oxlint = spawnSync(
    join(root, 'node_modules/.bin/oxlint'),
    ['-f', 'unix', ...options, 'src'],
    {
      cwd: folder,
      encoding: 'utf8',
    },
  );
  const places = oxlint.stdout.matchAll(/^(src\/[^:]+:\d+):/gm);
  return [...new Set([...places].map(([, place = '']) => place))].toSorted(byPlace);
}

function pairs(wanted: (from: string, to: string) => boolean): string[] {
  return folders
    .flatMap((from) =>
      folders.filter((to) => wanted(from, to)).map((to) => `src/${from}/${to}.ts:1`),
    )
    .toSorted(byPlace);
}

function byPlace(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true });
}
