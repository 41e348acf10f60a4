import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { profileNamed } from '../agents/acp-profiles.ts';
import { standingEnvironment } from './standing-file.ts';

const attemptDir = mkdtempSync(join(tmpdir(), 'czar-standing-'));
after(() => rmSync(attemptDir, { recursive: true }));

function told(name: string, env: NodeJS.ProcessEnv, standing: string | null = 'Stay within src/.') {
  return standingEnvironment({ profile: profileNamed(name), standing, attemptDir, env });
}

test('OpenCode is told of a file outside its tree, beside what its own variable says', () => {
  const config = { model: 'm', instructions: ['mine.md'] };
  const { OPENCODE_CONFIG_CONTENT: content = '' } = told('opencode', {
    OPENCODE_CONFIG_CONTENT: JSON.stringify(config),
  });
  const { instructions, model } = JSON.parse(content);
  assert.equal(model, 'm');
  assert.equal(instructions[0], 'mine.md');
  assert.equal(instructions[1], join(attemptDir, 'standing/AGENTS.md'));
  assert.equal(readFileSync(instructions[1], 'utf8'), 'Stay within src/.');
  assert.deepEqual(told('opencode', { OPENCODE_CONFIG_CONTENT: 'no JSON' }), {});
});

test('Gemini finds it in a folder of its own, from which it does not look up into the repository of the user', () => {
  assert.deepEqual(told('gemini', {}), {});
  const dir = join(attemptDir, 'standing');
  assert.equal(readFileSync(join(dir, 'GEMINI.md'), 'utf8'), 'Stay within src/.');
  assert.ok(existsSync(join(dir, '.git')));
  const args = profileNamed('gemini').standingArgs?.('Stay within src/.', dir);
  assert.deepEqual(args, ['--include-directories', dir]);
});

test('who is told otherwise, or has nothing to be told, gets no file', () => {
  rmSync(join(attemptDir, 'standing'), { recursive: true });
  for (const name of ['claude-agent-acp', 'codex-acp', 'qwen', 'any'])
    assert.deepEqual(told(name, {}), {});
  assert.deepEqual(told('opencode', {}, null), {});
  assert.ok(!existsSync(join(attemptDir, 'standing')));
});
