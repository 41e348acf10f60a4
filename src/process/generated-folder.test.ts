import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeGeneratedFolder } from './generated-folder.ts';

test('a generated folder ignores itself, also when a kill left its ignore file empty, and keeps one that someone changed', (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'czar-generated-'));
  t.after(() => {
    rmSync(dir, { recursive: true });
  });
  const logs = join(dir, 'logs');
  const ignore = join(logs, '.gitignore');
  makeGeneratedFolder(logs);
  assert.equal(readFileSync(ignore, 'utf8'), '*\n');
  writeFileSync(ignore, '');
  makeGeneratedFolder(logs);
  assert.equal(readFileSync(ignore, 'utf8'), '*\n');
  assert.deepEqual(readdirSync(logs), ['.gitignore']);
  writeFileSync(ignore, '*\n!keep\n');
  makeGeneratedFolder(logs);
  assert.equal(readFileSync(ignore, 'utf8'), '*\n!keep\n');
});
