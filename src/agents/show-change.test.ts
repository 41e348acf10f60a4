import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { changesText, usageText } from './show-change.ts';

const recorded = (name: string): readonly string[] =>
  readFileSync(new URL(`../../test/fixtures/agents/${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n');

test('a change is shown by the lines that differ, and no more of them than can be read', () => {
  const old = ['one', 'two', 'three', 'four'].join('\n');
  const use = (input: object): string =>
    JSON.stringify({ message: { content: [{ type: 'tool_use', name: 'Edit', input }] } });
  assert.deepEqual(
    changesText(use({ old_string: old, new_string: old.replace('two\nthree', 'TWO') })),
    ['  - two', '  - three', '  + TWO'],
  );
  assert.deepEqual(changesText(use({ old_string: 'gone', new_string: '' })), ['  - gone']);
  assert.deepEqual(changesText(use({ old_string: 'a\na', new_string: 'a' })), ['  - a']);
  const many = Array.from({ length: 9 }, (_, n) => `line ${n}`).join('\n');
  assert.deepEqual(changesText(use({ file_path: 'f', content: many })).slice(5), [
    '  + line 5',
    '  + … 3 more lines',
  ]);
  assert.deepEqual(changesText(use({ command: 'ls', content: 'x' })), []);
});

test('of what real agents printed as they wrote a file, what they wrote is shown once', () => {
  for (const name of [
    'claude-2.1.330/write',
    'claude-agent-acp-0.100.0/write',
    'gemini-0.61.0/write',
    'opencode-1.18.33/write',
  ]) {
    const shown = recorded(name).flatMap(changesText);
    assert.match(shown.join('\n'), /^ {2}\+ (?:made by|hello from) the (?:fake )?model$/, name);
  }
});

test('usage is one line; figures before anything was said are none', () => {
  const usage = { input: 2100, output: 81, cached: 500, costUsd: 0.01 };
  assert.deepEqual(usageText(usage), ['(used: 2,100 tokens in, 81 out, 500 cached, 0.0100 USD)']);
  assert.deepEqual(usageText({ ...usage, costUsd: 0 }), [
    '(used: 2,100 tokens in, 81 out, 500 cached)',
  ]);
  assert.deepEqual(usageText({ ...usage, output: 0 }), []);
});
