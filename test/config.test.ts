// The layers of the configuration and `czar config`, as the built program.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'node:test';
import { planFolder, type PlanFolder } from './support/plan-folder.ts';

const launcher = join(import.meta.dirname, '../bin/czar');

const files = {
  '.git/HEAD': 'ref: refs/heads/main\n',
  'user/czar/config.yaml': 'max_parallel: 1\ngrace: 3s\n',
  '.czar/config.yaml':
    'max_parallel: 2\nagents:\n  default: mine\n  define:\n    mine: {command: [sh]}\n',
  '.czar/env/ci.yaml': 'max_parallel: 3\n',
  '.czar/workers/a.md': 'worker:\n  role: x\n',
};

function czar(
  folder: PlanFolder,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): { readonly code: number | null; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(launcher, args, {
    cwd: folder.root,
    encoding: 'utf8',
    env: {
      PATH: join(folder.root, 'bin'),
      HOME: folder.root,
      XDG_CONFIG_HOME: join(folder.root, 'user'),
      ...env,
    },
  });
  return { code: status, stdout, stderr };
}

test('config show prints every key with its value and where it comes from', () => {
  using folder = planFolder(files);
  const show = (args: readonly string[] = [], env = {}): string =>
    czar(folder, ['config', 'show', ...args], env).stdout.replace(/ +/g, ' ');
  assert.match(show(), /^max_parallel \.czar\/config\.yaml:1 2$/m);
  assert.match(show(), /^grace .*user\/czar\/config\.yaml:2 3s$/m);
  assert.match(show(), /^barrier default none$/m);
  assert.match(show(), /^timeout not set/m);
  assert.match(show(), /^agents\.define\.mine\.command \.czar\/config\.yaml:5 \["sh"\]$/m);
  assert.match(show(['--env', 'ci']), /^max_parallel \.czar\/env\/ci\.yaml:1 3$/m);
  assert.match(show([], { CZAR_ENV: 'ci' }), /^max_parallel .* 3$/m);
  const variables = { CZAR_ENV: 'ci', CZAR_MAX_PARALLEL: '4' };
  assert.match(show([], variables), /^max_parallel CZAR_MAX_PARALLEL 4$/m);
  assert.match(
    show(['--set', 'max_parallel=5'], variables),
    /^max_parallel --set max_parallel 5$/m,
  );
  // The longest value (protect) does not push anything away from the others.
  const raw = czar(folder, ['config', 'show']).stdout;
  assert.match(raw, /^protect .{100}/m);
  assert.doesNotMatch(raw, / {120}| $/m);
  const document = JSON.parse(czar(folder, ['config', 'show', '--json'], variables).stdout);
  assert.equal(document.v, 1);
  const found = document.settings.find((one: { key: string }) => one.key === 'max_parallel');
  assert.deepEqual(found, {
    key: 'max_parallel',
    value: 4,
    origin: { kind: 'variable', name: 'CZAR_MAX_PARALLEL', text: 'CZAR_MAX_PARALLEL' },
    acted_on: true,
  });
});

test('config explain says what a key means, what each layer says, and which one counts', () => {
  using folder = planFolder(files);
  const { code, stdout } = czar(folder, ['config', 'explain', 'max_parallel', '--env', 'ci']);
  assert.equal(code, 0);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => line.trim().replace(/ +/g, ' '));
  assert.deepEqual(lines, [
    'max_parallel',
    'Agents at work at the same time.',
    'variable: CZAR_MAX_PARALLEL',
    '4 default',
    `1 ${folder.root}/user/czar/config.yaml:1`,
    '2 .czar/config.yaml:1',
    '→ 3 .czar/env/ci.yaml:1',
  ]);
  const whole = czar(folder, ['config', 'explain', 'agents', '--json']);
  assert.deepEqual(JSON.parse(whole.stdout).value, {
    default: 'mine',
    define: { mine: { command: ['sh'] } },
  });
  const idle = czar(folder, ['config', 'explain', 'mirror']);
  assert.match(idle.stdout, /does not act on it: objects are copied/);
  const rules = czar(folder, ['config', 'explain', 'agents.rules']);
  assert.doesNotMatch(rules.stdout, /does not act/);
  const unknown = czar(folder, ['config', 'explain', 'max_paralel']);
  assert.equal(unknown.code, 2);
  assert.match(
    unknown.stderr,
    /there is no key "max_paralel"\n {2}next: did you mean max_parallel\?/,
  );
});

test('config validate ends with 2 and names file and line, and so do the verbs that need the plan', () => {
  using folder = planFolder(files);
  assert.equal(czar(folder, ['config', 'validate']).code, 0);
  folder.write({ 'user/czar/config.yaml': 'max_parallel: 1\nbarrier: waves\n' });
  const wrong = czar(folder, ['config', 'validate']);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stdout, /user\/czar\/config\.yaml:2:10: error: barrier: expected one of/);
  const document = JSON.parse(czar(folder, ['config', 'validate', '--json']).stdout);
  assert.deepEqual([document.valid, document.errors], [false, 1]);
  for (const verb of [['config', 'show'], ['plan', 'show'], ['run'], ['validate']])
    assert.equal(czar(folder, verb).code, 2, verb.join(' '));
});

test('an unknown environment, a wrong variable and a wrong --set are wrong usage', () => {
  using folder = planFolder(files);
  const unknown = czar(folder, ['plan', 'show', '--env', 'prod']);
  assert.equal(unknown.code, 2);
  assert.match(unknown.stderr, /there is no environment "prod"[^]*environments there are: ci/);
  const variable = czar(folder, ['plan', 'show'], { CZAR_MAX_PARALLEL: '0' });
  assert.equal(variable.code, 2);
  assert.match(
    variable.stderr,
    /CZAR_MAX_PARALLEL:1:1: error: max_parallel: expected a whole number from 1/,
  );
  assert.equal(czar(folder, ['plan', 'show', '--set', 'max_parallel']).code, 2);
  assert.equal(czar(folder, ['plan', 'show', '--set', 'max_parallel=x']).code, 2);
  assert.equal(czar(folder, ['--set', 'max_parallel=9', 'plan', 'show']).code, 0);
});

test('a size that is a number is not to be put in quotes: what a size looks like is said', () => {
  using folder = planFolder({ ...files, '.czar/config.yaml': 'max_file_size: -1\n' });
  const { code, stdout } = czar(folder, ['config', 'validate']);
  assert.equal(code, 2);
  assert.match(stdout, /max_file_size: expected a size such as 500KB or 10MB, found -?\w+/);
  assert.doesNotMatch(stdout, /quotes/);
});

test('an environment that there is not is wrong also for verbs that read no configuration', () => {
  using folder = planFolder(files);
  for (const verb of ['status', 'inbox', 'pause']) {
    const { code, stderr } = czar(folder, [verb, '--env', 'nope']);
    assert.equal(code, 2, verb);
    assert.match(stderr, /there is no environment "nope"[^]*environments there are: ci/);
    assert.equal(czar(folder, [verb, '--env', 'ci']).code, 3, verb);
  }
});
