import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadWorkers, planFolder } from '../../test/support/plan-folder.ts';

const worker = (...lines: readonly string[]): string => `---\n${lines.join('\n')}\n---\n`;

/** Workers whose launches wait for a person, with this in the configuration. */
function asked(approve: string): readonly string[] {
  using folder = planFolder({
    '.czar/config.yaml': `agents: {default: mine, define: {mine: {command: [x]}}}\n${approve}\n`,
    '.czar/workers/plain.md': worker(''),
    '.czar/workers/risky.md': worker('labels: {risk: high, team: a}'),
    '.czar/workers/never.md': worker('labels: {risk: high}', 'approve: false'),
    '.czar/workers/always.md': worker('approve: true'),
  });
  const { plan, diagnostics } = folder.load();
  assert.deepEqual(
    diagnostics.filter((one) => /approve/.test(one.message)),
    [],
  );
  return (plan ?? assert.fail()).workers.filter((one) => one.approve).map(({ id }) => id);
}

test('launches wait for a person where the worker says so, else where the configuration does', () => {
  assert.deepEqual(asked(''), ['always']);
  assert.deepEqual(asked('approve: false'), ['always']);
  assert.deepEqual(asked('approve: true'), ['always', 'plain', 'risky']);
  assert.deepEqual(asked('approve: {labels: {risk: high}}'), ['always', 'risky']);
  assert.deepEqual(asked('approve: {labels: {risk: high, team: b}}'), ['always']);
});

test('an approval that no label selects is a mistake, and labels that select are acted on', () => {
  const labels = '.czar/workers/a.md';
  const load = (approve: string): readonly string[] => {
    using folder = planFolder({
      '.czar/config.yaml': `agents: {default: mine, define: {mine: {command: [x]}}}\n${approve}\n`,
      [labels]: worker('labels: {risk: high}'),
    });
    return folder.load().diagnostics.map((one) => `${one.severity}: ${one.message}`);
  };
  assert.match(load('approve: {labels: {}}').join('\n'), /error: .*at least one label/);
  assert.match(load('approve: sometimes').join('\n'), /error: approve/);
  assert.match(load('').join('\n'), /warning: labels: this version does not act on it/);
  assert.deepEqual(load('approve: {labels: {risk: high}}'), []);
});

test('whether a worker asks is part of its definition', () => {
  const hash = (line: string): string => {
    const { plan } = loadWorkers({ a: worker(line) });
    return plan?.workers[0]?.hash ?? assert.fail();
  };
  assert.equal(hash('approve: false'), hash(''));
  assert.notEqual(hash('approve: true'), hash(''));
});
