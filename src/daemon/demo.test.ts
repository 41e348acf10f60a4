import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { git } from '../git/git.ts';
import { commandName, makeScratch, treeOf } from './demo.ts';

test('the scratch repository is one clean commit with notes, checks and the plan of seven workers', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'czar-demo-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const scratch = await makeScratch(dir);
  assert.ok(scratch.ok, JSON.stringify(scratch));
  const paths = await treeOf(scratch.dir, 'main');
  assert.equal(paths.filter((path) => path.startsWith('.czar/workers/')).length, 7);
  for (const path of [
    '.czar/agent.sh',
    '.czar/config.yaml',
    'notes/standards.txt',
    'tools/check.sh',
  ]) {
    assert.ok(paths.includes(path), `${path} is missing`);
  }
  const status = await git(['status', '--porcelain'], { cwd: scratch.dir });
  assert.equal(status.stdout.toString('utf8'), '');
});

test('a folder that holds something is refused and stays as it is', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'czar-demo-test-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  await writeFile(join(dir, 'mine'), 'x');
  const scratch = await makeScratch(dir);
  assert.ok(!scratch.ok);
  assert.match(scratch.error, /is not empty/);
  assert.equal(await readFile(join(dir, 'mine'), 'utf8'), 'x');
});

test('without a czar on PATH the commands to look around name the program itself', () => {
  assert.match(commandName('/nonexistent'), /^\/.*\/bin\/czar$/);
});
