import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planFolder } from '../../test/support/plan-folder.ts';
import { onlyHome } from './config-layers.ts';
import { lookAtMachine } from './machine.ts';

const agents = 'agents: {default: mine, define: {mine: {command: [x]}}}\n';

/** Problems with their places, what is declared, and what the worker asks for. */
function load(config: string, worker: string) {
  using folder = planFolder({
    '.czar/config.yaml': `${agents}${config}\n`,
    '.czar/workers/a.md': `---\n${worker}\n---\n`,
  });
  const { plan, diagnostics } = folder.load(onlyHome);
  return {
    problems: diagnostics.map(
      ({ severity, file, line, message, hint }) =>
        `${severity} ${file.replace('.czar/', '')}:${line}: ${message} (${hint})`,
    ),
    declared: plan?.policies.resources,
    reserve: plan?.policies.diskReserveBytes,
    asked: plan?.workers[0]?.resources,
    revision: plan?.revision,
  };
}

test('resources are amounts, sizes, modes and rates; what is left out has its default', () => {
  const { problems, declared, reserve, asked } = load(
    [
      'resources:',
      '  gpu: 2',
      '  memory: 16GB',
      '  db: {}',
      '  api: {amount: 4, requests_per_minute: 60, tokens_per_minute: 100000}',
      'disk_reserve: 5GB',
    ].join('\n'),
    'resources: {gpu: 1.5, memory: 4GiB, db: {mode: read}, api: {mode: exclusive, amount: 2}}',
  );
  assert.deepEqual(problems, []);
  const none = { requestsPerMinute: null, tokensPerMinute: null };
  assert.deepEqual(declared, {
    api: { amount: 4, requestsPerMinute: 60, tokensPerMinute: 100_000 },
    db: { amount: null, ...none },
    gpu: { amount: 2, ...none },
    memory: { amount: 16e9, ...none },
  });
  assert.equal(reserve, 5e9);
  assert.deepEqual(asked, {
    api: { amount: 2, mode: 'exclusive' },
    db: { amount: 0, mode: 'read' },
    gpu: { amount: 1.5, mode: 'share' },
    memory: { amount: 4 * 1024 ** 3, mode: 'share' },
  });
});

test('a plan without resources is the plan that it was', () => {
  const { declared, reserve, asked } = load('', 'role: x');
  assert.deepEqual([declared, reserve, asked], [undefined, undefined, undefined]);
});

test('more than there is, and what nobody declared, are errors with their place', () => {
  const one = (config: string, worker: string): string => load(config, worker).problems.join('\n');
  assert.equal(
    one('resources: {gpu: 2}', 'role: x\nresources:\n  gpu: 3'),
    'error workers/a.md:4: resources: "a" asks for 3 of gpu, and there are 2 (ask for less, or say in config.yaml what there is: resources: {gpu: …})',
  );
  assert.equal(
    one('resources: {database: 1}', 'role: x\nresources:\n  datbase: 1'),
    'error workers/a.md:4: resources: "a" asks for datbase, and there is no resource of that name (did you mean database?)',
  );
  assert.match(one('', 'resources: {constructor: 1}'), /no resource of that name \(declare it in/);
  assert.match(
    one('resources: {memory: 1GB}', 'resources: {memory: 2GB}'),
    /asks for 2 GB of memory, and there are 1 GB/,
  );
  assert.match(
    one('resources: {api: {requests_per_minute: 5}}', 'resources: {api: 6}'),
    /starts with 6 requests of api, and a minute has 5/,
  );
});

test('cpu, memory and disk are those of this machine unless they are declared', () => {
  const machine = lookAtMachine(['/']) ?? assert.fail();
  assert.ok(machine.cpu >= 1 && machine.memory > 0 && machine.disk > machine.free);
  const ask = (cpu: number, config = ''): number =>
    load(config, `resources: {cpu: ${cpu}}`).problems.length;
  assert.equal(ask(machine.cpu), 0);
  assert.equal(ask(machine.cpu + 1), 1);
  assert.equal(ask(machine.cpu + 1, `resources: {cpu: ${machine.cpu + 1}}`), 0);
  assert.equal(ask(1, 'resources: {cpu: {requests_per_minute: 3}}'), 0);
  assert.equal(lookAtMachine(['/no/such/folder']), null);
});

test('a number of bytes, a size of pieces and a word that is no mode are refused where they stand', () => {
  const one = (config: string, worker = 'role: x'): string =>
    load(config, worker).problems.join('\n');
  assert.match(
    one('resources:\n  gpu: 1\n  memory: 4'),
    /^error config.yaml:4: memory: expected a size such as 4GB/,
  );
  assert.match(one('resources:\n  gpu: 4GB'), /^error config.yaml:3: gpu: expected a number/);
  assert.match(
    one('', 'resources:\n  disk: {amount: 5}'),
    /^error workers\/a.md:3: amount: expected a size such as 4GB/,
  );
  assert.match(
    one('resources:\n  gpu: many'),
    /^error config.yaml:3: gpu: expected an amount such as 2, or a size/,
  );
  assert.match(
    one('resources: {x: 1}', 'resources:\n  x: {mode: wirte}'),
    /mode: expected one of read, write, exclusive, found "wirte" \(did you mean write\?\)/,
  );
  assert.match(
    one('resources:\n  api: {per_minute: 5}'),
    /config.yaml:3: unknown key "per_minute"/,
  );
  assert.match(one('resources: {GPU: 1}'), /the name of a resource is lower-case/);
  assert.match(one('resources: {x: {requests_per_minute: 0}}'), /expected a whole number from 1/);
  assert.match(one('disk_reserve: 5'), /disk_reserve/);
});
