import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerText, requestOf } from './claude-permission.ts';

test('what Claude Code asks is told exactly, whichever tool it is for', () => {
  const command = 'rm -rf "x y"';
  assert.deepEqual(requestOf('Bash', { command, description: 'Clean up' }), {
    kind: 'command',
    title: 'Clean up',
    command,
  });
  assert.deepEqual(requestOf('Write', { file_path: '/a/b', content: 'c' }), {
    kind: 'edit',
    title: 'Write',
    path: '/a/b',
  });
  assert.deepEqual(requestOf('Grep', { pattern: 'x' }), { kind: 'read', title: 'Grep', path: '.' });
  assert.deepEqual(requestOf('WebFetch', { url: 'http://x' }).path, 'http://x');
  assert.deepEqual(requestOf('mcp__db__drop', { table: 'users' }), {
    kind: 'other',
    title: 'mcp__db__drop {"table":"users"}',
  });
});

test('what it asks without what it is about is told whole', () => {
  for (const [tool, kind] of [
    ['Bash', 'command'],
    ['Edit', 'edit'],
    ['WebFetch', 'fetch'],
  ] as const)
    assert.deepEqual(requestOf(tool, { command: 7, file_path: '', url: null }), {
      kind,
      title: `${tool} {"command":7,"file_path":"","url":null}`,
    });
});

test('it is answered in its own words', () => {
  const input = { command: 'x' };
  assert.deepEqual(JSON.parse(answerText({ decision: 'allow', text: null }, input)), {
    behavior: 'allow',
    updatedInput: input,
  });
  assert.deepEqual(JSON.parse(answerText({ decision: 'deny', text: 'no' }, input)), {
    behavior: 'deny',
    message: 'no',
  });
  assert.match(answerText({ decision: 'deny', text: null }, input), /"message":"[^"]+"/);
});
