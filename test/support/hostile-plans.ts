/**
 * Plan files that are made to hurt, by what is wrong with them: each must be refused with file and line, quickly, and
 * with nothing changed. One table for the loader and for the built CLI.
 */

/** A worker file, and the line on which its first problem stands where the file has lines at all. */
export interface HostileFile {
  readonly content: string | Uint8Array;
  readonly line?: number;
  readonly says?: RegExp;
}

const front = (...lines: readonly string[]): string => `---\n${lines.join('\n')}\n---\n`;
const field = (line: string, says: RegExp): HostileFile => ({
  content: front(line),
  line: 2,
  says,
});
const many = (count: number, line: (n: number) => string): string =>
  Array.from({ length: count }, (_, n) => line(n)).join('\n');

/** Characters that reorder, hide or imitate, and bytes that shells, refs and paths treat in a way of their own. */
const tricks: Readonly<Record<string, string>> = {
  'a right-to-left override': '\\u202E',
  'an isolate': '\\u2066',
  'a zero-width space': '\\u200B',
  'a word joiner': '\\u2060',
  'a byte-order mark': '\\uFEFF',
  'a line separator': '\\u2028',
  'half a character': '\\uD800',
  'a tab': '\\t',
  'a line break': '\\n',
  'a carriage return': '\\r',
  'a NUL': '\\0',
  'an escape': '\\e[2J',
  'a backspace': '\\b',
  'a delete': '\\x7F',
};

function ofTricks(): Readonly<Record<string, HostileFile>> {
  const found: Record<string, HostileFile> = {};
  for (const [name, trick] of Object.entries(tricks)) {
    found[`an id with ${name}`] = field(`id: "a${trick}b"`, /lower-case/);
    found[`a branch with ${name}`] = field(`branch: "feat/a${trick}b"`, /branch/);
    found[`a path with ${name}`] = field(`deliverables: ["a${trick}b"]`, /pattern/);
  }
  return found;
}

const ids: readonly string[] = [
  'Ä',
  'аdmin',
  'a b',
  'a/b',
  '../a',
  '.a',
  'a.',
  'a..b',
  '-a',
  'a$(id)',
  'a`id`',
  'a;id',
  'a|id',
  'a&b',
  "a'b",
  'a*',
  'a?',
  '~a',
  'A',
  'ａ',
  'a.lock',
  'all',
  '',
  'con:',
  'a\\\\b',
  'x'.repeat(65),
];

const branches: readonly string[] = [
  '--upload-pack=x',
  '-b',
  'a b',
  'a..b',
  'a@{1}',
  'a~1',
  'a^',
  'a:b',
  'a?',
  'a*',
  'a[b',
  'a\\\\b',
  '/a',
  'a/',
  'a//b',
  '.a',
  'a/.b',
  'a.',
  'a.lock',
  'a.lock/b',
  '@',
  'HEAD',
  'refs/heads/main',
  'czar',
  'czar/x',
  '',
  'x'.repeat(201),
  `${'é'.repeat(150)}`,
  'a$(id)',
  'a`id`',
  'a;id',
  'a|id',
  'a&b',
  'a>b',
  "a'b",
];

const paths: readonly string[] = [
  '/etc/passwd',
  '~/x',
  '../x',
  'a/../../x',
  '..',
  'C:/x',
  'a\\\\b',
  '.git/config',
  '.GIT/hooks/post-checkout',
  'vendor/.git/config',
  'GIT~1/config',
  '',
  '!a',
  '@(a|b)',
  '+(a)',
  'a[',
  'a]',
  '{a',
  'a}',
  '[z-a]',
  '[[:alpha:]]',
  `${'{a,b}'.repeat(12)}`,
  'x'.repeat(1025),
];

const expressions: readonly string[] = [
  '1',
  'run',
  'run.id ==',
  '(((',
  'workers.ghost.state == "complete"',
  'nothing.there',
  'run.id.matches("(a+)+b")',
  'run.id.matches("a*a*a*a*b")',
  'run.id.matches("(?=a)")',
  'run.id.matches("[")',
  'run.id.matches(run.base)',
  '[1,2].all(a, [1,2].all(b, a == b))',
  'cel.bind(a, "x", cel.bind(b, a + a, b == a))',
  `${'('.repeat(200)}true${')'.repeat(200)}`,
  Array(400).fill('true').join(' && '),
  `"${'x'.repeat(3000)}" == ""`,
];

function quotedEach(
  name: string,
  values: readonly string[],
  line: (value: string) => string,
): Readonly<Record<string, HostileFile>> {
  return Object.fromEntries(
    values.map((value, n) => [
      `${name} ${n}: ${value.slice(0, 24)}`,
      { content: front(line(value)), line: 2 },
    ]),
  );
}

const anchors = 'bcdefgh'.split('');

/** Worker files, each of which is wrong by itself. */
export const hostileWorkers: Readonly<Record<string, HostileFile>> = {
  ...ofTricks(),
  ...quotedEach('an id', ids, (value) => `id: "${value}"`),
  ...quotedEach('a branch', branches, (value) => `branch: "${value}"`),
  ...quotedEach('a pattern', paths, (value) => `owns: ["${value}"]`),
  ...quotedEach(
    'a copied path',
    ['*', 'a?', '../x', '/x', '.git'],
    (value) => `copy: ["${value}"]`,
  ),
  ...quotedEach('an expression', expressions, (value) => `when: '${value.replaceAll("'", "''")}'`),
  'nothing at all': { content: '', line: 1 },
  'nothing but blanks': { content: ' \n\t\n', line: 1 },
  'nothing but a byte-order mark': { content: '\uFEFF', line: 1 },
  'random bytes': {
    content: Uint8Array.from({ length: 4096 }, (_, n) => (n * 7919 + (n >> 3)) & 255),
    line: 1,
  },
  'a program': { content: Uint8Array.from([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0]), line: 1 },
  'UTF-16': { content: Buffer.from(`\uFEFF${front('role: x')}`, 'utf16le'), line: 1 },
  'Latin-1': { content: Buffer.from(front('role: \u00e9'), 'latin1'), line: 1 },
  'an overlong encoding': {
    content: Uint8Array.from([0x2d, 0x2d, 0x2d, 0x0a, 0xc0, 0xaf]),
    line: 1,
  },
  'a NUL at the end': { content: `${front('role: x')}\0`, line: 1, says: /NUL/ },
  'line ends of old Macs': { content: '---\rrole: x\r---\r', line: 1 },
  'ten megabytes': { content: 'x'.repeat(10 * 1024 * 1024), line: 1, says: /larger than/ },
  'deep brackets': { content: front(`tasks: ${'['.repeat(300_000)}`), line: 2, says: /nesting/ },
  'deep braces': { content: front(`tasks: ${'{a: '.repeat(100_000)}`), line: 2, says: /nesting/ },
  'deep indentation': { content: front(many(600, (n) => `${' '.repeat(n)}a:`)), says: /nesting/ },
  'deep dashes': { content: front(`tasks:\n${'- '.repeat(200_000)}x`), says: /nesting/ },
  'deep questions': { content: front(`tasks:\n${'? '.repeat(200_000)}x`), says: /nesting/ },
  'aliases that multiply': {
    content: front(
      `a: &a [x,x,x,x,x,x,x,x,x]\n${anchors.map((name, n) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[n]}`).join(',')}]`).join('\n')}`,
    ),
    says: /alias/,
  },
  'very many anchors': { content: front(many(5000, (n) => `k${n}: &a${n} 1`)), says: /anchors/ },
  'an alias to itself': { content: front('tasks: &x [*x]'), line: 2 },
  'an alias to nothing': { content: front('role: *nothing'), line: 2, says: /alias/ },
  'a merge key': { content: front('<<: {role: x}'), line: 2, says: /unknown key/ },
  'a key that is a list': { content: front('? [a, b]', ': 1'), line: 2, says: /unknown key/ },
  'a key that is nothing': { content: front('~: 1'), line: 2, says: /unknown key/ },
  'a key that is a number': { content: front('1: 1'), line: 2, says: /unknown key/ },
  'the prototype as a key': { content: front('__proto__: {role: x}'), line: 2, says: /__proto__/ },
  'the prototype among labels': {
    content: front('labels: {__proto__: x}'),
    line: 2,
    says: /__proto__/,
  },
  'the constructor as a key': { content: front('constructor: x'), line: 2, says: /unknown key/ },
  'a key that stands twice': { content: front('role: x', 'role: y'), line: 3, says: /twice/ },
  'a key that stands twice inside': {
    content: front('budget: {tokens: 1, tokens: 2}'),
    line: 2,
    says: /twice/,
  },
  'a key that stands very often': {
    content: front(many(5000, () => 'role: x')),
    line: 3,
    says: /twice/,
  },
  'very many unknown keys': {
    content: front(many(20_000, (n) => `k${n}: 1`)),
    line: 2,
    says: /unknown key/,
  },
  'tabs for blanks': { content: front('budget:', '\ttokens: 5'), line: 3, says: /not YAML/ },
  'a vertical tab': { content: front('role: a\u000bb: c'), line: 2 },
  'an open bracket': { content: front('tasks: [a'), says: /not YAML/ },
  'an open quote': { content: front('role: "a'), says: /not YAML/ },
  'two documents': { content: 'worker: {id: a}\n---\nworker: {id: b}\n', line: 2 },
  'a list for a worker': { content: front('- a'), line: 2 },
  'a text for a worker': { content: front('just a text'), line: 2 },
  'a worker in a worker': { content: 'worker: {worker: {id: a}}\n', line: 1, says: /unknown key/ },
  'a set': { content: front('tasks: !!set {a, b}'), line: 2 },
  'binary data': { content: front('role: !!binary aGVsbG8='), line: 2 },
  'a number beyond all': { content: front('budget: {tokens: 1e400}'), line: 2 },
  'a very long number': { content: front(`budget: {tokens: ${'9'.repeat(400)}}`), line: 2 },
  'a negative budget': { content: front('budget: {cost_usd: -1}'), line: 2 },
  'a budget that is no number': { content: front('budget: {cost_usd: .nan}'), line: 2 },
  'half a token': { content: front('budget: {tokens: 1.5}'), line: 2 },
  'a duration of ages': { content: front('timeout: 999999999999h'), line: 2 },
  'a very long duration': { content: front(`timeout: "${'9'.repeat(50_000)}"`), line: 2 },
  'very many tasks': { content: front(`tasks: [${'t,'.repeat(60_000)}]`), line: 2 },
  'very many dependencies': { content: front(`dependencies: [${'d,'.repeat(60_000)}]`), line: 2 },
  'a dependency on itself': { content: front('id: self', 'dependencies: [self]'), line: 3 },
  'a dependency that is a list': { content: front('dependencies: [[a]]'), line: 2 },
  'a dependency without a worker': { content: front('dependencies: [{kind: output}]'), line: 2 },
  'an agent that is a sentence': { content: front('agent: "rm -rf / ; echo"'), line: 2 },
  'a very long agent': { content: front(`agent: "${'a-'.repeat(400)}"`), line: 2 },
  'a very long mission': { content: front(`mission: "${'x'.repeat(200_000)}"`), line: 2 },
  'a command of blanks': { content: front('verify: "  "'), line: 2 },
  'an environment of commands': { content: front('setup: [{run: x}]'), line: 2 },
  prose: { content: 'Some words.\nAnd more of them.\n', line: 1, says: /no worker file/ },
  'a heading of blanks': { content: `# T\n\n## a${' '.repeat(800_000)}b\n`, line: 1 },
  'items of blanks': { content: `# T\n\n## Tasks\n-${' '.repeat(800_000)}\n`, line: 1 },
  'stars without end': { content: `# T\n${'**'.repeat(200_000)}\n`, line: 1 },
  'a bold branch with marks without end': {
    content: `# T\n**Role:** x${'`'.repeat(400_000)}y\n**Branch:** --x\n`,
    line: 3,
  },
  'a bold field over very many lines': {
    content: `# T\n**Mission:** x\n${'y\n'.repeat(100_000)}\n**Branch:** a b\n`,
    says: /blanks/,
  },
  'bold dependencies of blanks': {
    content: `# T\n**Dependencies:** x${' '.repeat(400_000)}y\n**Branch:** a..b\n`,
    line: 3,
  },
  'very many headings': { content: `# T\n${'## h\n### i\n- [ ] t\n'.repeat(20_000)}`, line: 1 },
};

/** Configurations, each of which is wrong by itself. */
export const hostileConfigs: Readonly<Record<string, HostileFile>> = {
  'random bytes': hostileWorkers['random bytes'] ?? { content: '' },
  'ten megabytes': { content: `# ${'x'.repeat(10 * 1024 * 1024)}`, line: 1 },
  'a text': { content: 'hello', line: 1 },
  'a list': { content: '- a\n- b\n', line: 1 },
  'a number': { content: '5', line: 1 },
  'an unknown key': { content: 'max_paralel: 4\n', line: 1 },
  'the prototype': { content: '__proto__: {x: 1}\n', line: 1 },
  'the prototype among agents': {
    content: 'agents: {define: {__proto__: {command: [x]}}}\n',
    line: 1,
  },
  'deep nesting': { content: `notify: ${'['.repeat(200_000)}`, line: 1 },
  'no workers at once': { content: 'max_parallel: 0\n', line: 1 },
  'workers without end': { content: 'max_parallel: 1e9\n', line: 1 },
  'half a worker': { content: 'max_parallel: 1.5\n', line: 1 },
  'a base on two lines': { content: 'base: "a\\nb"\n', line: 1 },
  'a target that is an option': { content: 'target: --force\n', line: 1 },
  'a target with a zero-width space': { content: 'target: "ma\\u200Bin"\n', line: 1 },
  'an agent that is a path': { content: 'agents: {default: ../../bin/sh}\n', line: 1 },
  'an agent without a command': { content: 'agents: {define: {x: {adapter: command}}}\n', line: 1 },
  'an agent with an empty command': { content: 'agents: {define: {x: {command: []}}}\n', line: 1 },
  'a command that is a line of a shell': {
    content: 'agents: {define: {x: {command: "rm -rf /"}}}\n',
    line: 1,
  },
  'a command with a NUL': { content: 'agents: {define: {x: {command: ["a\\0b"]}}}\n', line: 1 },
  'a variable that is an assignment': {
    content: 'agents: {define: {x: {command: [a], env: ["A=b"]}}}\n',
    line: 1,
  },
  'an adapter of nobody': {
    content: 'agents: {define: {x: {adapter: telepathy, command: [a]}}}\n',
    line: 1,
  },
  'a protected way out': { content: 'protect: ["../**"]\n', line: 1 },
  'a duration without a unit': { content: 'grace: 5\n', line: 1 },
  'a size of ages': { content: 'max_file_size: 9999999999999999GB\n', line: 1 },
  'a key that stands twice': { content: 'barrier: none\nbarrier: wave\n', line: 2 },
  'an alias bomb': { content: hostileWorkers['aliases that multiply']?.content ?? '' },
};

/** Czarina configurations, each of which is wrong by itself. */
export const hostileCzarina: Readonly<Record<string, HostileFile>> = {
  'random bytes': hostileWorkers['random bytes'] ?? { content: '' },
  'ten megabytes': { content: `{"workers": ["${'x'.repeat(10 * 1024 * 1024)}"]}`, line: 1 },
  'deep nesting': { content: '['.repeat(500_000), line: 1 },
  'half a document': { content: '{"workers": [', line: 1 },
  'no object': { content: '[]', line: 1 },
  'no workers': { content: '{"project": "x"}', line: 1 },
  'workers that are no list': { content: '{"workers": {"a": {}}}', line: 1 },
  'workers that are anything': { content: '{"workers": [null, 1, "a", [], true]}', line: 1 },
  'an id that leads out': { content: '{"workers": [{"id": "../../x"}]}', line: 1 },
  'an id that is an object': { content: '{"workers": [{"id": {"a": 1}}]}', line: 1 },
  'a branch that is an option': { content: '{"workers": [{"id": "a", "branch": "--x"}]}', line: 1 },
  'a branch that is a list': { content: '{"workers": [{"id": "a", "branch": ["x"]}]}', line: 1 },
  'two with one id': { content: '{"workers": [{"id": "a"},\n{"id": "a"}]}', line: 2 },
  'a circle': {
    content:
      '{"workers": [{"id": "a", "dependencies": ["b"]},\n{"id": "b", "dependencies": ["a"]}]}',
    line: 1,
  },
  'a dependency on nobody': {
    content: '{"workers": [{"id": "a", "dependencies": ["ghost"]}]}',
    line: 1,
  },
  'more dependencies than can be': {
    content: JSON.stringify({ workers: [{ id: 'a', dependencies: Array(5000).fill('b') }] }),
    line: 1,
  },
  'more edges than can be': {
    content: JSON.stringify({
      workers: Array.from({ length: 3000 }, (_, n) => ({ id: `w${n}`, phase: n % 2 })),
    }),
    line: 1,
    says: /dependencies/,
  },
  'the prototype': { content: '{"__proto__": {"x": 1}, "workers": [{"id": "a"}]}', line: 1 },
};

/** Every field with values that it cannot have. */
export function wrongTypes(fields: readonly string[]): Readonly<Record<string, HostileFile>> {
  const values: Readonly<Record<string, string>> = {
    'a list of lists': '[[[]]]',
    'a list of maps': '[{a: {b: c}}]',
    'a map': '{nobody: {knows: this}}',
    'a date': '!!timestamp 2001-01-01T00:00:00Z',
    nothing: '~',
    'no number': '.nan',
    'a negative number': '-1.5',
  };
  return Object.fromEntries(
    fields.flatMap((name) =>
      Object.entries(values).map(([what, value]) => [
        `${name}: ${what}`,
        { content: front(`${name}: ${value}`), line: 2 },
      ]),
    ),
  );
}
