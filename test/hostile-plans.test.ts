/**
 * The built CLI on plan files that are made to hurt: exit 2 with file and line, at most three lines a problem, no stack
 * trace, in bounded time and memory, and nothing in the repository is changed: no file, no ref, no state.
 */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { hostileConfigs, hostileCzarina, hostileWorkers } from './support/hostile-plans.ts';
import { planFolder, type PlanFolder } from './support/plan-folder.ts';

const launcher = join(import.meta.dirname, '../bin/czar');

interface Repository extends PlanFolder {
  /** Runs czar, which must leave everything as it is; gives what it printed. */
  readonly refuses: (...args: readonly string[]) => string;
}

function repository(files: Readonly<Record<string, string | Uint8Array>>): Repository {
  const folder = planFolder({ 'README.md': 'x', ...files });
  const env = {
    PATH: process.env['PATH'],
    HOME: join(folder.root, '..'),
    GIT_CONFIG_NOSYSTEM: '1',
    GIT_CONFIG_GLOBAL: '/dev/null',
    LANG: 'C.UTF-8',
    // Memory is bounded too: beyond it the process dies.
    NODE_OPTIONS: '--max-old-space-size=400',
  };
  const git = (...args: readonly string[]): string =>
    execFileSync('git', args, { cwd: folder.root, env, encoding: 'utf8' });
  git('init', '-q', '-b', 'main');
  git('add', 'README.md');
  git('-c', 'user.name=u', '-c', 'user.email=u@example.org', 'commit', '-q', '-m', 'x');
  git('config', 'user.name', 'u');
  git('config', 'user.email', 'u@example.org');
  return {
    ...folder,
    refuses: (...args) => {
      const before = everything(folder.root);
      const { status, signal, stdout, stderr } = spawnSync(launcher, args, {
        cwd: folder.root,
        env,
        encoding: 'utf8',
        timeout: 90_000,
        maxBuffer: 1 << 28,
      });
      const said = `${args.join(' ')}: ${status} ${signal}\n${stdout.slice(0, 2000)}\n${stderr.slice(0, 2000)}`;
      assert.equal(status, 2, said);
      assert.doesNotMatch(stdout + stderr, /internal error|^\s+at \S+ \(|RangeError|TypeError/m);
      // Nothing that steers a terminal, hides or reorders text is passed on.
      assert.doesNotMatch(
        stdout + stderr,
        /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b\u202e\u2066\ufeff]/,
      );
      assert.deepEqual(everything(folder.root), before, said);
      return stdout + stderr;
    },
  };
}

/** Every file of the folder, without following links or reading: name, kind, size and time of its last change. */
function everything(root: string): readonly string[] {
  const found: string[] = [];
  const open = [Buffer.from(root)];
  for (let folder = open.pop(); folder !== undefined; folder = open.pop()) {
    for (const name of readdirSync(folder, { encoding: 'buffer' })) {
      const path = Buffer.concat([folder, Buffer.from('/'), name]);
      const stat = lstatSync(path);
      if (stat.isDirectory()) open.push(path);
      found.push(`${relative(root, path.toString())} ${stat.mode} ${stat.size} ${stat.mtimeMs}`);
    }
  }
  return found.sort();
}

/** Problems as `validate` prints them: the file and line of each, and how many lines it takes. */
function problems(printed: string): readonly { readonly at: string; readonly lines: number }[] {
  const blocks = printed
    .split('\n\n')
    .map((block) => block.split('\n').filter((line) => line !== ''));
  return blocks.flatMap((lines) => {
    const at = /^(\S.*?:\d+):\d+: (?:error|warning): /.exec(lines[0] ?? '')?.[1];
    return at === undefined ? [] : [{ at, lines: lines.length }];
  });
}

test('a home full of hostile worker files: validate names each of them, and run starts nothing', () => {
  const names = Object.keys(hostileWorkers);
  const files = Object.values(hostileWorkers).map(
    ({ content }, n) => [`.czar/workers/h${n}.md`, content] as const,
  );
  using repo = repository(Object.fromEntries(files));
  const printed = repo.refuses('validate');
  const found = problems(printed);
  for (const [n, name] of names.entries())
    assert.ok(
      found.some(({ at }) => at.startsWith(`.czar/workers/h${n}.md:`)),
      `h${n}.md: ${name}`,
    );
  for (const { at, lines } of found) assert.ok(lines <= 3, at);
  const json: unknown = JSON.parse(repo.refuses('validate', '--json'));
  assert.ok(typeof json === 'object' && json !== null && 'valid' in json && json.valid === false);
  assert.match(
    repo.refuses('run'),
    /the plan is not valid, nothing was started\n {2}next: czar validate/,
  );
});

test('what is no plain file in the home is refused, and nobody waits for it', () => {
  using outside = planFolder({ 'secret.md': '---\nrole: secret\n---\n' });
  using repo = repository({ '.czar/workers/ok.md': '---\nrole: x\n---\n' });
  const workers = join(repo.root, '.czar/workers');
  execFileSync('mkfifo', [join(workers, 'pipe.md')]);
  mkdirSync(join(workers, 'folder.md'));
  symlinkSync('loop.md', join(workers, 'loop.md'));
  symlinkSync('nowhere', join(workers, 'broken.md'));
  symlinkSync('/dev/zero', join(workers, 'zero.md'));
  symlinkSync(join(outside.root, 'secret.md'), join(workers, 'out.md'));
  const expected = ['pipe', 'folder', 'loop', 'broken', 'zero', 'out'];
  for (const name of [
    '$(touch x)',
    'a;b',
    'a\nb',
    '\u202egpj',
    '-rf',
    "a'b",
    'a\\b',
    'x'.repeat(200),
  ])
    writeFileSync(join(workers, `${name}.md`), '---\nrole: x\n---\n');
  writeFileSync(
    Buffer.concat([Buffer.from(`${workers}/`), Buffer.from([0xff, 0xfe]), Buffer.from('.md')]),
    'x',
  );
  if (process.getuid?.() !== 0) {
    writeFileSync(join(workers, 'sealed.md'), '---\nrole: x\n---\n');
    chmodSync(join(workers, 'sealed.md'), 0);
    expected.push('sealed');
  }
  const printed = repo.refuses('validate');
  for (const name of expected)
    assert.match(printed, new RegExp(`^\\.czar/workers/${name}\\.md:1:1: error: `, 'm'));
  assert.match(printed, /out\.md:1:1: error: the file is a link that leads out of the repository/);
  assert.match(printed, /pipe\.md:1:1: error: this is not a regular file/);
  assert.doesNotMatch(printed, /secret/);
  repo.refuses('run');
  for (const path of ['pipe.md', 'zero.md', 'loop.md', 'folder.md/x'])
    repo.refuses('validate', join('.czar/workers', path));
});

test('a home that lies elsewhere behind a link is not read', () => {
  using outside = planFolder({
    'workers/a.md': '---\nrole: secret\n---\n',
    'config.yaml': 'x: secret\n',
  });
  using repo = repository({});
  symlinkSync(outside.root, join(repo.root, '.czar'));
  for (const verb of ['validate', 'run']) {
    const printed = repo.refuses(verb);
    assert.match(printed, /the home \.czar is a link that leads out of the repository/);
    assert.doesNotMatch(printed, /secret/);
  }
  assert.deepEqual(readdirSync(outside.root).sort(), ['config.yaml', 'workers']);
});

test('worker files in a folder that lies elsewhere behind a link are not read', () => {
  using outside = planFolder({ 'a.md': '---\nrole: secret\n---\n' });
  using repo = repository({ '.czar/config.yaml': 'name: x\n' });
  symlinkSync(outside.root, join(repo.root, '.czar/workers'));
  const printed = repo.refuses('validate');
  assert.match(printed, /workers\/a\.md:1:1: error: the file is a link that leads out/);
  repo.refuses('run');
});

test('hostile configurations, of czar and of Czarina', () => {
  for (const [name, file] of Object.entries({
    'a configuration that is a list': {
      '.czar/config.yaml': hostileConfigs['a list']?.content ?? '',
    },
    'a configuration of ten megabytes': {
      '.czar/config.yaml': hostileConfigs['ten megabytes']?.content ?? '',
    },
    'a configuration of brackets': {
      '.czar/config.yaml': hostileConfigs['deep nesting']?.content ?? '',
    },
    'a Czarina of random bytes': {
      '.czarina/config.json': hostileCzarina['random bytes']?.content ?? '',
    },
    'a Czarina of brackets': {
      '.czarina/config.json': hostileCzarina['deep nesting']?.content ?? '',
    },
  })) {
    const harmless =
      '.czar/config.yaml' in file ? { '.czar/workers/a.md': '---\nrole: x\n---\n' } : {};
    using repo = repository({ ...harmless, ...file });
    for (const verb of ['validate', 'run']) {
      const printed = repo.refuses(verb);
      assert.match(printed, /config\.(?:yaml|json):1:\d+: error: /, name);
    }
  }
});
