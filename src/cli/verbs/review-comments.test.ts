import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseComments } from './review-comments.ts';

test('a comment names a file, a line where it is of one, and how bad it is', () => {
  const text = '# what I saw\n\nsrc/a.ts:12: why so?\nREADME.md: high: say it: shortly\n';
  assert.deepEqual(parseComments(text), {
    findings: [
      { severity: 'medium', file: 'src/a.ts', line: 12, text: 'why so?' },
      { severity: 'high', file: 'README.md', line: null, text: 'say it: shortly' },
    ],
  });
  const json = '[{"severity":"low","file":"a","line":3,"text":"x"},{"text":"of the whole"}]';
  assert.deepEqual(parseComments(json), {
    findings: [
      { severity: 'low', file: 'a', line: 3, text: 'x' },
      { severity: 'medium', file: null, line: null, text: 'of the whole' },
    ],
  });
});

test('what is no comment is named by its line', () => {
  assert.deepEqual(parseComments('a: b\nno file here\n'), {
    line: 2,
    why: 'expected PATH:LINE: TEXT',
  });
  for (const json of [
    '[',
    '[1]',
    '[{"text":""}]',
    '[{"text":"x","line":0}]',
    '[{"severity":"odd","text":"x"}]',
  ])
    assert.equal('why' in parseComments(json), true, json);
});
