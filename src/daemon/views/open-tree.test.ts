import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { programFor } from './open-tree.ts';

test('a tree is opened with an agent that can be talked to where it is installed, else with the shell', (t) => {
  const cwd = mkdtempSync(join(tmpdir(), 'czar-open-'));
  t.after(() => rmSync(cwd, { recursive: true, force: true }));
  for (const name of ['claude', 'my-agent', 'fish'])
    writeFileSync(join(cwd, name), '#!/bin/sh\n', { mode: 0o700 });
  const env = { PATH: cwd, SHELL: join(cwd, 'fish') };
  const opened = (agent: string | null, has: typeof env | { PATH: string } = env): string =>
    JSON.stringify(programFor({ agent, env: has, cwd })).replaceAll(cwd, '.');
  assert.equal(opened('claude'), '{"path":"./claude"}');
  assert.equal(opened('./claude'), '{"path":"./claude"}');
  assert.equal(opened(null), '{"path":"./fish"}');
  assert.equal(opened('my-agent'), '{"path":"./fish"}', 'it may wait for a prompt for ever');
  assert.equal(opened('codex'), '{"path":"./fish"}', 'it is not installed');
  assert.equal(opened(null, { PATH: cwd }), '{"path":"/bin/sh"}');
  assert.match(opened(null, { PATH: '', SHELL: 'gone' }), /missing.*gone/);
});
