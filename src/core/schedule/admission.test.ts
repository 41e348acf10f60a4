import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionProblem } from './admission.ts';
import type { ChangeVerdict, TreeVerdict } from '../events.ts';

const change = (
  gate: ChangeVerdict['gate'],
  patch: Partial<ChangeVerdict> = {},
): ChangeVerdict => ({
  gate,
  result: 'pass',
  tip: 't',
  patch: 'p',
  definition: 'd',
  findings: [],
  files: [],
  ...patch,
});
const all = (['deliverables', 'handoff', 'ownership', 'protect'] as const).map((gate) =>
  change(gate),
);
const tree: TreeVerdict = {
  gate: 'verify',
  result: 'pass',
  tree: 'x',
  command: 'npm test',
  setup: [],
  findings: [],
  log: null,
  durationMs: 1,
};
const merge = { tip: 't', tree: 'x' };

test('every change gate and every tree gate passing lets the merge in', () => {
  assert.equal(admissionProblem({ change: all, trees: [tree] }, merge), null);
});

test('a verdict that is missing, red, inconclusive, for another tip or another tree does not', () => {
  const bad = [
    { change: all.slice(1), trees: [] },
    { change: [...all.slice(0, 3), change('protect', { result: 'fail' })], trees: [] },
    { change: [...all.slice(0, 3), change('protect', { tip: 'u' })], trees: [] },
    { change: all, trees: [{ ...tree, result: 'inconclusive' as const }] },
    { change: all, trees: [{ ...tree, tree: 'y' }] },
  ];
  for (const admission of bad) assert.notEqual(admissionProblem(admission, merge), null);
});
