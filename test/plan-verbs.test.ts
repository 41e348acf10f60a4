// The command line's frame and the plan verbs, as the built program in a repository of its own.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';

const launcher = join(import.meta.dirname, '../bin/czar');

class Repository implements Disposable {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), 'czar-verbs-')));

  constructor(files: Readonly<Record<string, string>> = {}) {
    mkdirSync(join(this.root, '.git'));
    for (const [file, text] of Object.entries(files)) this.write(file, text);
  }

  write(file: string, text: string): void {
    mkdirSync(dirname(join(this.root, file)), { recursive: true });
    writeFileSync(join(this.root, file), text);
  }

  read(file: string): string {
    return readFileSync(join(this.root, file), 'utf8');
  }

  czar(...args: readonly string[]): {
    readonly code: number | null;
    readonly stdout: string;
    readonly stderr: string;
  } {
    const { status, stdout, stderr } = spawnSync(launcher, args, {
      cwd: this.root,
      encoding: 'utf8',
      env: { PATH: join(this.root, 'bin'), HOME: this.root },
    });
    return { code: status, stdout, stderr };
  }

  json(...args: readonly string[]): unknown {
    const { stdout, stderr } = this.czar(...args, '--json');
    assert.equal(stdout.trimEnd().split('\n').length, 1, stdout + stderr);
    return JSON.parse(stdout);
  }

  [Symbol.dispose](): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

const plan = {
  '.czar/workers/a.md': '---\nrole: First\nbudget: {tokens: 150000}\n---\n',
  '.czar/workers/b.md': '---\ndependencies: [a]\n---\n',
  '.czar/workers/c.md': '---\ndependencies: [{on: a, kind: sequential}]\n---\n',
};

test('an unknown verb is wrong usage and names the nearest one', () => {
  using repository = new Repository();
  const { code, stdout, stderr } = repository.czar('validat');
  assert.equal(code, 2);
  assert.equal(stdout, '');
  assert.match(stderr, /there is no verb "validat"\n {2}next: did you mean czar validate\?/);
});

test('an unknown option without a verb is wrong usage', () => {
  using repository = new Repository(plan);
  for (const args of [
    ['--bogus'],
    ['--bogus', 'plan', 'waves'],
    ['--json', '-x', 'plan', 'waves'],
  ]) {
    const { code, stderr } = repository.czar(...args);
    assert.equal(code, 2, args.join(' '));
    assert.match(stderr, /there is no option "--?\w+"/);
  }
  assert.equal(repository.czar(`--repo=${repository.root}`, 'plan', 'waves').code, 0);
  assert.equal(repository.czar('--json').code, 0);
});

test('help lists the verbs, and says what one of them takes', () => {
  using repository = new Repository();
  const all = repository.czar('help');
  assert.equal(all.code, 0);
  assert.match(all.stdout, /^ {2}validate +\S/m);
  for (const args of [
    ['help', 'plan'],
    ['plan', '--help'],
  ]) {
    const one = repository.czar(...args);
    assert.equal(one.code, 0, one.stderr);
    assert.match(one.stdout, /waves[^]*graph[^]*--json/);
  }
  assert.equal(repository.czar('help', 'nothing').code, 2);
  for (const args of [
    ['emit', '--help'],
    ['help', 'emit'],
  ]) {
    const { code, stdout } = repository.czar(...args);
    assert.equal(code, 0, args.join(' '));
    assert.match(stdout, /usage: czar emit/);
  }
});

test('wrong options are wrong usage, in at most three lines, and one document with --json', () => {
  using repository = new Repository(plan);
  for (const args of [['validate', '--nope'], ['plan'], ['plan', 'graph', '--format', 'png']]) {
    const { code, stdout, stderr } = repository.czar(...args);
    assert.equal(code, 2, args.join(' '));
    assert.equal(stdout, '');
    assert.ok(stderr.trimEnd().split('\n').length <= 3, stderr);
    assert.doesNotMatch(stderr, /^\s+at .*:\d+:\d+/m);
  }
  const { stdout } = repository.czar('plan', 'wavs', '--json');
  assert.deepEqual(Object.keys(JSON.parse(stdout)), ['v', 'error']);
});

test('global options may stand before and behind the verb', () => {
  using repository = new Repository(plan);
  const expected = '{"v":1,"waves":[["a"],["b","c"]]}\n';
  assert.equal(repository.czar('--json', 'plan', 'waves').stdout, expected);
  assert.equal(repository.czar('plan', 'waves', '--json', '--quiet').stdout, expected);
  const { stdout } = repository.czar('--repo', repository.root, 'plan', 'waves', '--json');
  assert.equal(stdout, expected);
});

test('validate says everything at once and exits with 2; a good plan with 0; none at all with 3', () => {
  using repository = new Repository(plan);
  const good = repository.czar('validate');
  assert.equal(good.code, 0, good.stderr);
  assert.match(good.stdout, /valid: 3 workers in 2 waves, 0 errors, 0 warnings/);
  repository.write('.czar/config.yaml', 'mirror: {}\n');
  const warned = repository.czar('validate');
  assert.equal(warned.code, 0, warned.stderr);
  assert.match(warned.stdout, /config\.yaml:\d+:1: warning: mirror[^]*0 errors, 1 warning/);
  repository.write('.czar/workers/b.md', '---\ndependencies: [c]\nrolle: x\n---\n');
  repository.write('.czar/workers/c.md', '---\ndependencies: [c, ghost]\n---\n');
  const bad = repository.czar('validate');
  assert.equal(bad.code, 2);
  assert.match(
    bad.stdout,
    /b\.md:3:1: error: unknown key "rolle"\n3 \| rolle: x\n {2}\| \^{5} did you mean "role"\?\n/,
  );
  assert.match(
    bad.stdout,
    /depends on itself[^]*depends on "ghost"[^]*not valid: 3 workers, 3 errors/,
  );
  const document = repository.json('validate');
  assert.ok(typeof document === 'object' && document !== null && 'diagnostics' in document);
  assert.ok(Array.isArray(document.diagnostics) && document.diagnostics.length === 4);
  const part = repository.czar('validate', '.czar/workers/c.md');
  assert.doesNotMatch(part.stdout, /rolle/);
  using empty = new Repository();
  assert.equal(empty.czar('validate').code, 3);
  assert.equal(empty.czar('plan', 'show').code, 3);
});

test('a cycle is refused and printed as a path', () => {
  using repository = new Repository({
    '.czar/workers/a.md': '---\ndependencies: [b]\n---\n',
    '.czar/workers/b.md': '---\ndependencies: [a]\n---\n',
  });
  const { code, stdout } = repository.czar('validate');
  assert.equal(code, 2);
  assert.match(stdout, /a → b → a/);
  const show = repository.czar('plan', 'waves');
  assert.equal(show.code, 2);
  assert.match(show.stderr, /a → b → a/);
});

test('the graph has the kinds of its edges in every format', () => {
  using repository = new Repository(plan);
  const graph = repository.json('plan', 'graph');
  assert.deepEqual(JSON.parse(repository.czar('plan', 'graph', '--format', 'json').stdout), graph);
  assert.match(JSON.stringify(graph), /"from":"a","to":"c","kind":"sequential"/);
  assert.match(repository.czar('plan', 'graph', '--format', 'mermaid').stdout, /^flowchart LR\n/);
  assert.match(repository.czar('plan', 'graph', '--format', 'dot').stdout, /"a" -> "b"/);
});

test('worker show has what the file says, in the words of the file', () => {
  using repository = new Repository(plan);
  const { worker } = JSON.parse(repository.czar('worker', 'show', 'a', '--json').stdout);
  assert.deepEqual(
    [
      worker.id,
      worker.role,
      worker.dependencies,
      worker.budget.tokens,
      worker.budget.forecast,
      worker.deliverables,
    ],
    ['a', 'First', [], 150_000, 225_000, []],
  );
  assert.equal(repository.czar('worker', 'show', 'zz').code, 3);
  assert.match(repository.czar('worker', 'show', 'a').stdout, /role +First/);
});

test('worker new writes a file that is valid, once', () => {
  using repository = new Repository();
  assert.equal(repository.czar('worker', 'new', 'api').stdout, '.czar/workers/api.md\n');
  assert.equal(repository.czar('validate').code, 0);
  const text = repository.read('.czar/workers/api.md');
  assert.equal(repository.czar('worker', 'new', 'api').code, 4);
  assert.equal(repository.read('.czar/workers/api.md'), text);
  assert.equal(repository.czar('worker', 'new', '../api').code, 2);
});

test('init finds agents and checks, and changes nothing the second time', () => {
  using repository = new Repository({
    'package.json': '{"scripts": {"test": "node --test"}, "devDependencies": {"x": "1"}}',
    'package-lock.json': '{}',
    'bin/codex': '#!/bin/sh\n',
  });
  chmodSync(join(repository.root, 'bin/codex'), 0o755);
  const first = repository.czar('init');
  assert.equal(first.code, 0, first.stderr);
  const config = repository.read('.czar/config.yaml');
  assert.match(config, /setup: \["npm ci"\]\nchecks: \["npm test"\]/);
  assert.match(config, /default: codex/);
  repository.write('.czar/config.yaml', `${config}# mine\n`);
  assert.match(repository.czar('init').stdout, /kept {2}\.czar\/config\.yaml/);
  assert.equal(repository.read('.czar/config.yaml'), `${config}# mine\n`);
  assert.equal(repository.czar('add', 'Do it').stdout, '.czar/workers/do-it.md\n');
  const { stdout, code } = repository.czar('validate');
  assert.equal(code, 0);
  assert.match(stdout, /^valid: 1 worker/);
});

test('add writes a worker from a sentence, and nothing when it would be wrong', () => {
  using repository = new Repository(plan);
  const added = repository.czar(
    'add',
    'Write docs',
    '--after',
    'a,b',
    '--owns',
    'docs/**',
    '--verify',
    'true',
    '--agent',
    'x',
  );
  assert.equal(added.code, 0, added.stderr);
  assert.equal(
    repository.read('.czar/workers/write-docs.md'),
    '---\nmission: Write docs\nagent: x\ndependencies:\n  - a\n  - b\nowns:\n  - docs/**\nverify:\n  - "true"\n---\n',
  );
  const wrong = repository.czar('add', 'More', '--after', 'ghost');
  assert.equal(wrong.code, 2);
  assert.throws(() => repository.read('.czar/workers/more.md'));
});

test('a file where czar needs a folder is named, and nothing is begun', () => {
  const rows: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    ['.czar', [['init'], ['worker', 'new', 'x'], ['add', 'Text'], ['run']]],
    ['.czar/workers', [['init'], ['worker', 'new', 'x'], ['add', 'Text'], ['run']]],
    ['.git/czar', [['run']]],
    ['.czar/worktrees', [['run']]],
    ['.czar/runs', [['run']]],
    ['.czar/logs', [['run']]],
  ];
  for (const [file, verbs] of rows) {
    using repository = new Repository({ [file]: 'x' });
    for (const args of verbs) {
      const { code, stderr } = repository.czar(...args);
      assert.equal(code, 4, `${args.join(' ')}: ${stderr}`);
      assert.match(stderr, /no folder stands where czar needs one\n {2}at \S+/);
      assert.ok(stderr.includes(file), stderr);
    }
  }
});

test('a link that leads out of the home where czar would write is named, and nothing is written through it', () => {
  for (const name of ['logs', 'runs', 'worktrees']) {
    using repository = new Repository({ ...plan, 'outside/precious.txt': 'precious' });
    symlinkSync('../outside', join(repository.root, '.czar', name));
    const { code, stderr } = repository.czar('run');
    assert.equal(code, 4, stderr);
    assert.match(stderr, /a link that leads out of \.czar stands where czar needs a folder/);
    assert.ok(stderr.includes(`.czar/${name}`), stderr);
    assert.deepEqual(readdirSync(join(repository.root, 'outside')), ['precious.txt']);
  }
});

test('show, waves and graph take every format, and a worker has one shape', () => {
  using repository = new Repository(plan);
  const graph = (format: string): string =>
    repository.czar('plan', 'graph', '--format', format).stdout;
  for (const verb of ['show', 'waves']) {
    for (const format of ['mermaid', 'dot']) {
      assert.equal(repository.czar('plan', verb, '--format', format).stdout, graph(format));
    }
    const { stdout } = repository.czar('plan', verb, '--format', 'json');
    assert.equal(stdout, repository.czar('plan', verb, '--json').stdout);
  }
  const shown = JSON.parse(repository.czar('plan', 'show', '--json').stdout);
  const one = JSON.parse(repository.czar('worker', 'show', 'c', '--json').stdout);
  assert.deepEqual(
    shown.plan.workers.find(({ id }: { id: string }) => id === 'c'),
    one.worker,
  );
  assert.doesNotMatch(JSON.stringify(shown), /"[a-z]+[A-Z]\w*":/);
});

test('a disk without room leaves no half of a file', () => {
  using repository = new Repository(plan);
  const full = (...args: readonly string[]) =>
    spawnSync('/bin/sh', ['-c', `trap '' XFSZ; ulimit -f 0; exec "$0" "$@"`, launcher, ...args], {
      cwd: repository.root,
      encoding: 'utf8',
      env: { PATH: join(repository.root, 'bin'), HOME: repository.root },
    });
  for (const args of [['add', 'Text'], ['worker', 'new', 'x'], ['init']]) {
    const { status, stderr } = full(...args);
    assert.notEqual(status, 0);
    assert.match(stderr, /cannot be written \(EFBIG\)/);
  }
  assert.deepEqual(readdirSync(join(repository.root, '.czar')), ['workers']);
  assert.deepEqual(readdirSync(join(repository.root, '.czar/workers')), ['a.md', 'b.md', 'c.md']);
});

test('outside a repository a verb is used wrongly', () => {
  using repository = new Repository();
  const { code, stderr } = repository.czar('validate', '--repo', '/');
  assert.equal(code, 2);
  assert.match(stderr, /not in a git repository/);
  for (const name of ['HEAD', 'objects/x', 'refs/x']) repository.write(`bare/${name}`, '');
  rmSync(join(repository.root, '.git'), { recursive: true });
  assert.match(repository.czar('status', '--repo', 'bare').stderr, /bare is a bare repository/);
});
