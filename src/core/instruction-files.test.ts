import assert from 'node:assert/strict';
import { test } from 'node:test';
import { instructionToWrite, type InstructionFile } from './instruction-files.ts';

const claude: InstructionFile = { name: 'CLAUDE.md', hides: ['AGENTS.md'] };
const gemini: InstructionFile = { name: 'GEMINI.md', hides: [] };

function chosen(
  file: InstructionFile | null,
  taken: readonly string[],
  deliverables: readonly string[] = [],
): string | null {
  const isDeliverable = (path: string): boolean => deliverables.includes(path);
  return instructionToWrite({ file, taken, isDeliverable });
}

test('the file that an agent reads is written where nothing of its name is', () => {
  assert.equal(chosen(claude, ['README.md', 'docs']), 'CLAUDE.md');
  assert.equal(chosen(null, []), null);
});

test('it is not written beside one of the same name, whatever its case, nor over what it would hide', () => {
  assert.equal(chosen(claude, ['CLAUDE.md']), null);
  assert.equal(chosen(claude, ['claude.MD']), null);
  assert.equal(chosen(claude, ['AGENTS.md']), null);
  assert.equal(chosen(claude, ['agents.md']), null);
  assert.equal(chosen(gemini, ['AGENTS.md', 'CLAUDE.md']), 'GEMINI.md');
});

test('one that the worker is to deliver is its own to write', () => {
  assert.equal(chosen(claude, [], ['CLAUDE.md']), null);
  assert.equal(chosen(claude, [], ['AGENTS.md']), 'CLAUDE.md');
});
