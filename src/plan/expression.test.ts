import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkWhen, evaluateWhen, type WhenContext } from './expression.ts';

const context: WhenContext = {
  run: { id: '20261121-1', base: 'main' },
  workers: {
    build: { state: 'complete', no_change: false, attempts: 2 },
    'api-docs': { state: 'skipped', no_change: true, attempts: 0 },
  },
};

test('an expression over run and dependencies is accepted and evaluated', () => {
  const expressions: readonly (readonly [string, boolean])[] = [
    ['workers.build.state == "complete"', true],
    ['workers["api-docs"].no_change', true],
    ['workers.build.attempts > 1 && run.base == "main"', true],
    ['run.id.startsWith("2025")', false],
    ['"build" in workers', true],
    ['!workers.build.no_change', true],
  ];
  for (const [text, expected] of expressions) {
    assert.equal(checkWhen(text, ['build', 'api-docs']), null, text);
    assert.equal(evaluateWhen(text, context), expected, text);
  }
});

test('what cannot be used is said in one sentence', () => {
  const wrong: readonly (readonly [string, RegExp])[] = [
    ['workers.build.state ==', /./],
    ['1 + 1', /not true or false/],
    ['foo == 1', /foo/],
    ['workers.ghost.state == "complete"', /"ghost" is not a dependency/],
    ['workers["ghost"].no_change', /"ghost" is not a dependency/],
    ['workers.build.status == "x"', /not "status"/],
    ['['.repeat(100), /./],
    [`true ${'&& true'.repeat(600)}`, /./],
    ['', /./],
  ];
  for (const [text, expected] of wrong) {
    const problem = checkWhen(text, ['build']);
    assert.ok(problem !== null, text);
    assert.match(problem, expected);
    assert.doesNotMatch(problem, /\n/);
  }
});

test('an expression that fails is an error, not a throw', () => {
  const result = evaluateWhen('workers.gone.no_change', context);
  assert.ok(typeof result === 'object' && result.error !== '');
});
