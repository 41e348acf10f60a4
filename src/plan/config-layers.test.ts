// The layers of the configuration: what wins, what merges, and where each problem and each value is said to be.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { planFolder, type PlanFolder } from '../../test/support/plan-folder.ts';
import { configDefaults } from './config-defaults.ts';
import { configKeys, keyAt, keyPath, keyText, ownVariables } from './config-keys.ts';
import {
  environmentOf,
  onlyHome,
  readLayers,
  userConfigFile,
  type ConfigSources,
} from './config-layers.ts';
import { effectiveValue, mergeLayers, originText, saidOf, settingsOf } from './config-merge.ts';
import { configNotActedOn, configSchema } from './config-schema.ts';
import type { Problems } from './diagnostics.ts';

const files = {
  'user/config.yaml': [
    'max_parallel: 1',
    'aging: 1m',
    'agents:',
    '  default: mine',
    '  define:',
    '    mine: {command: [a], env: [KEY]}',
    '    other: {command: [b]}',
    '',
  ].join('\n'),
  '.czar/config.yaml': [
    'max_parallel: 2',
    'checks: [one, two]',
    'retry: {max_attempts: 5, initial: 1s}',
    'agents:',
    '  define:',
    '    mine: {command: [project]}',
    '',
  ].join('\n'),
  '.czar/env/ci.yaml': 'max_parallel: 3\nchecks: [three]\nretry:\n  max: 9m\n',
  '.czar/env/prod.yaml': '',
  '.czar/workers/a.md': 'worker:\n  role: x\n',
};

function read(folder: PlanFolder, sources: Partial<ConfigSources>) {
  const problems: Problems = { list: [] };
  const all = { ...onlyHome, ...sources };
  const merged = mergeLayers(
    readLayers({ root: folder.root, home: '.czar', sources: all }, problems),
  );
  return { merged, problems: problems.list };
}

const everything = (folder: PlanFolder): ConfigSources => ({
  userFile: join(folder.root, 'user/config.yaml'),
  environment: 'ci',
  variables: { CZAR_MAX_PARALLEL: '4', CZAR_RETRY_MAX: '8m', CZAR_RUN: 'not a key', PATH: '/bin' },
  flags: ['max_parallel=5', 'max_parallel=6'],
});

test('each layer wins over those below it, and taking one away uncovers the next', () => {
  using folder = planFolder(files);
  const all = everything(folder);
  const parallel = (sources: Partial<ConfigSources>): unknown => {
    const { merged, problems } = read(folder, sources);
    assert.deepEqual(problems, []);
    return effectiveValue(merged, ['max_parallel']);
  };
  assert.equal(parallel(all), 6);
  assert.equal(parallel({ ...all, flags: [] }), 4);
  assert.equal(parallel({ ...all, flags: [], variables: {} }), 3);
  assert.equal(parallel({ userFile: all.userFile }), 2);
  folder.write({ '.czar/config.yaml': '' });
  assert.equal(parallel({ userFile: all.userFile }), 1);
  assert.equal(parallel({}), configDefaults.max_parallel);
});

test('maps merge key by key and lists replace; every value says where it stands', () => {
  using folder = planFolder(files);
  const { merged } = read(folder, everything(folder));
  const origins = Object.fromEntries(
    settingsOf(merged)
      .filter(({ value }) => value !== undefined)
      .map(({ path, value, origin }) => [keyText(path), [value, originText(origin)]]),
  );
  const user = join(folder.root, 'user/config.yaml');
  for (const [key, expected] of Object.entries({
    max_parallel: [6, '--set max_parallel'],
    max_parallel_checks: [2, 'default'],
    aging: ['1m', `${user}:2`],
    checks: [['three'], '.czar/env/ci.yaml:2'],
    'retry.max_attempts': [5, '.czar/config.yaml:3'],
    'retry.max': ['8m', 'CZAR_RETRY_MAX'],
    'retry.from': ['clean', 'default'],
    'agents.default': ['mine', `${user}:4`],
    'agents.define.mine.command': [['project'], '.czar/config.yaml:6'],
    'agents.define.mine.env': [['KEY'], `${user}:6`],
    'agents.define.other.command': [['b'], `${user}:7`],
  }))
    assert.deepEqual(origins[key], expected, key);
  const said = saidOf(merged, ['max_parallel']).map(({ value }) => value);
  assert.deepEqual(said, [4, 1, 2, 3, 4, 5, 6]);
});

test('the plan is made of all layers', () => {
  using folder = planFolder(files);
  const { plan } = folder.load({ ...everything(folder), flags: [] });
  assert.ok(plan !== null);
  assert.equal(plan.policies.maxParallel, 4);
  assert.deepEqual(plan.policies.checks, ['three']);
  assert.equal(plan.policies.agingMs, 60_000);
  assert.deepEqual(plan.agents['mine']?.command, ['project']);
  assert.deepEqual(plan.agents['mine'].env, ['KEY']);
  assert.equal(plan.workers[0]?.retry.maxMs, 480_000);
  assert.equal(folder.load().plan?.policies.maxParallel, 2);
});

test('a problem is named in the layer where it stands, and hides none of the others', () => {
  using folder = planFolder({
    ...files,
    'user/config.yaml': 'aging: soon\n',
    '.czar/config.yaml': '\nmax_paralel: 2\n',
    '.czar/env/ci.yaml': 'grace: 1s\nbarrier: waves\n',
  });
  const { problems } = read(folder, {
    ...everything(folder),
    variables: { CZAR_MAX_PARALLEL: 'four', CZAR_MAX_PARALEL: '1', CZAR_SOMETHING_ELSE: '1' },
    flags: ['retry.max_attemps=2', 'nonsense'],
  });
  const said = problems.map(
    ({ severity, file, line, message }) => `${severity} ${file}:${line} ${message}`,
  );
  const user = join(folder.root, 'user/config.yaml');
  assert.deepEqual(said, [
    `error ${user}:1 aging: expected a duration such as 30s, 10m or 1h30m`,
    'error .czar/config.yaml:2 unknown key "max_paralel"',
    'error .czar/env/ci.yaml:2 barrier: expected one of none, wave, found "waves"',
    'warning CZAR_MAX_PARALEL:1 the variable CZAR_MAX_PARALEL sets nothing',
    'warning CZAR_SOMETHING_ELSE:1 the variable CZAR_SOMETHING_ELSE sets nothing',
    'error CZAR_MAX_PARALLEL:1 max_parallel: expected a number, found a text',
    'error --set retry.max_attemps:1 unknown key "max_attemps"',
    'error --set:1 "nonsense" is no key=value',
  ]);
  const hints = (variable: string) => problems.find(({ file }) => file === variable)?.hint;
  assert.equal(hints('CZAR_MAX_PARALEL'), 'did you mean CZAR_MAX_PARALLEL?');
  assert.equal(hints('CZAR_SOMETHING_ELSE'), 'czar config show names what can be set');
  assert.equal(folder.load({ variables: { CZAR_MAX_PARALLEL: 'four' } }).plan, null);
});

test('a variable that a configuration file names sets nothing, and needs no word', () => {
  using folder = planFolder({
    ...files,
    '.czar/config.yaml':
      'notify:\n  - {webhook: "https://example.org", secret_env: CZAR_HOOK_SECRET}\n',
  });
  const { problems } = read(folder, { variables: { CZAR_HOOK_SECRET: 's', CZAR_ENVV: 'ci' } });
  assert.deepEqual(
    problems.map(({ file, hint }) => [file, hint]),
    [['CZAR_ENVV', 'did you mean CZAR_ENV?']],
  );
});

test('an environment that is not there is an error that lists those there are', () => {
  using folder = planFolder(files);
  for (const name of ['staging', '../config', '', '.', 'ci.yaml']) {
    const { diagnostics, plan } = folder.load({ environment: name });
    assert.equal(plan, null, name);
    assert.match(diagnostics[0]?.message ?? '', /^there is no environment "/, name);
    assert.equal(diagnostics[0]?.hint, 'environments there are: ci, prod');
  }
  assert.equal(folder.load({ environment: 'prod' }).diagnostics.length, 0);
});

test('texts of variables and flags stand as they are where a text may stand, and are YAML elsewhere', () => {
  using folder = planFolder(files);
  const value = (flag: string): unknown => {
    const { merged, problems } = read(folder, { flags: [flag] });
    assert.deepEqual(problems, [], flag);
    const path = keyPath(flag.slice(0, flag.indexOf('=')));
    assert.ok(path !== null);
    return effectiveValue(merged, path);
  };
  assert.equal(value('checks=echo "a: b" # not a comment'), 'echo "a: b" # not a comment');
  assert.deepEqual(value('checks=[npm test, npm run lint]'), ['npm test', 'npm run lint']);
  assert.equal(value('checks=[ -f x ] && echo'), '[ -f x ] && echo');
  assert.deepEqual(value('checks=[]'), []);
  assert.equal(value('base=1.0'), '1.0');
  assert.equal(value('max_parallel=7'), 7);
  assert.deepEqual(value('agents.define.mine.command=[x, y]'), ['x', 'y']);
  assert.equal(value('agents.preferences."Senior. dev"=mine'), 'mine');
  assert.equal(value('approve=true'), true);
});

test('the user’s file may be a link, is missing without a word, and a folder in its place is a problem', () => {
  using folder = planFolder(files);
  const messages = (userFile: string): readonly string[] =>
    read(folder, { userFile }).problems.map(({ message }) => message);
  assert.deepEqual(messages(join(folder.root, 'nothing/config.yaml')), []);
  assert.deepEqual(messages(join(folder.root, 'user')), ['this is not a regular file']);
});

test('where the user’s file is, follows XDG and HOME alone', () => {
  assert.equal(userConfigFile({ XDG_CONFIG_HOME: '/x', HOME: '/h' }), '/x/czar/config.yaml');
  assert.equal(userConfigFile({ XDG_CONFIG_HOME: 'x', HOME: '/h' }), '/h/.config/czar/config.yaml');
  assert.equal(userConfigFile({}), null);
  assert.equal(environmentOf({ CZAR_ENV: '' }), null);
  assert.equal(environmentOf({ CZAR_ENV: 'ci' }), 'ci');
});

test('every key has a meaning and a variable of its own that is no variable of czar’s', () => {
  const variables = configKeys.map(({ variable }) => variable);
  assert.equal(new Set(variables).size, variables.length);
  for (const own of ownVariables) assert.ok(!variables.includes(own), own);
  for (const { path, meaning } of configKeys) assert.ok(meaning !== '', keyText(path));
  assert.ok(configKeys.length > 40);
});

test('the defaults are values of the schema, and no key that is acted on has one that is not named', () => {
  assert.ok(configSchema.safeParse(configDefaults).success);
  const without = [
    'name',
    'base',
    'target',
    'timeout',
    'stall_after',
    'after',
    'budget',
    'prices',
    'notify',
    'sandbox',
    'resources',
    'disk_reserve',
    ...Object.keys(configNotActedOn),
  ];
  for (const key of Object.keys(configSchema.shape))
    assert.notEqual(Object.hasOwn(configDefaults, key), without.includes(key), key);
});

test('a key is read as it is written', () => {
  for (const path of [
    ['a'],
    ['agents', 'define', 'x.y', 'env'],
    ['agents', 'preferences', 'a "b"'],
  ])
    assert.deepEqual(keyPath(keyText(path)), path);
  for (const text of ['', '.', 'a.', '.a', 'a..b', 'a b', '"a', 'a=b'])
    assert.equal(keyPath(text), null, text);
  assert.equal(keyAt(['retry', 'nothing']), null);
  assert.equal(keyAt([]), null);
  assert.ok(keyAt(['agents', 'define', 'x', 'command']) !== null);
});
