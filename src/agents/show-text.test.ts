import assert from 'node:assert/strict';
import { test } from 'node:test';
import { claude } from './claude.ts';
import { readableLine } from './show-text.ts';

test('a line that was cut off before its JSON ended is shown as its beginning', () => {
  const whole = JSON.stringify({
    type: 'assistant',
    message: { content: [{ type: 'text', text: 'a'.repeat(5000) }] },
  });
  assert.deepEqual(readableLine(whole, claude.show), ['a'.repeat(5000)]);
  const [line = '', ...more] = readableLine(whole.slice(0, 4000), claude.show);
  assert.deepEqual(more, []);
  assert.equal(line, `${whole.slice(0, 399)}…`);
});

test('what is no JSON is shown as it came', () => {
  const line = `warning: ${'b'.repeat(1000)}`;
  assert.deepEqual(readableLine(line, claude.show), [line]);
});
