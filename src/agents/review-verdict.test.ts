import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { verdictIn } from './review-verdict.ts';

const key = '5f0c-key';

function said(value: object): string {
  return JSON.stringify({ review: key, ...value });
}

test('the last verdict with the key counts, wherever it stands and however it is set', () => {
  const early = said({ verdict: 'changes_requested', findings: [] });
  const late = JSON.stringify(
    {
      verdict: 'approve',
      review: key,
      summary: ' good ',
      findings: [{ severity: 'LOW', file: 'a.ts', line: 3, text: 'a { brace' }],
    },
    null,
    2,
  );
  const found = verdictIn(`if (x) {\n${early}\nthen\n\`\`\`json\n${late}\n\`\`\`\n}`, key);
  assert.deepEqual(found, {
    result: 'approve',
    text: 'good',
    findings: [{ severity: 'low', file: 'a.ts', line: 3, text: 'a { brace' }],
  });
});

test('what has no key, another key, no verdict or no end is none', () => {
  for (const text of [
    '',
    key,
    '{"verdict":"approve"}',
    '{"review":"other","verdict":"approve"}',
    said({ verdict: 'fine' }),
    said({ verdict: 'approve' }).slice(0, -1),
    `{${key}} "verdict": "approve"`,
  ])
    assert.equal(verdictIn(text, key), null, text);
});

test('findings that say nothing are left out, odd figures are not believed, a strange severity is medium', () => {
  const findings = [
    null,
    'text',
    { severity: 'high' },
    { text: 'x', severity: 'blocker', file: '', line: -1 },
    { text: 'y', severity: 'critical', file: 'b', line: 1.5 },
  ];
  assert.deepEqual(verdictIn(said({ verdict: 'approve', findings }), key)?.findings, [
    { severity: 'medium', file: null, line: null, text: 'x' },
    { severity: 'critical', file: 'b', line: null, text: 'y' },
  ]);
});

test('a verdict is found between any other text', () => {
  const verdict = said({ verdict: 'changes_requested', summary: 'so "{" not' });
  fc.assert(
    fc.property(fc.string(), fc.string(), (before, after) => {
      fc.pre(!after.includes(key));
      assert.equal(verdictIn(`${before}\n${verdict}\n${after}`, key)?.result, 'changes_requested');
    }),
  );
});
