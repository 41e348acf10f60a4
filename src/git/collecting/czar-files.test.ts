import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeFiles } from '../../../test/support/git-fixture.ts';
import { working } from '../../../test/support/git-worker.ts';
import { clone } from '../trees/clone.ts';
import { authorIn, authorOf, excludeFile, withMark } from './czar-files.ts';
import { linked } from '../trees/linked.ts';

test('the first line tells who wrote a file, and whether it was changed since', () => {
  const ours = withMark('You are the worker **a**.\n');
  assert.equal(authorOf(ours), 'czar');
  assert.equal(authorOf(`${ours}Build with make.\n`), 'czar and others');
  assert.equal(authorOf(ours.replace('worker', 'owner')), 'czar and others');
  assert.equal(authorOf(ours.slice(0, 60)), 'czar and others');
  assert.equal(authorOf(ours.slice(ours.indexOf('\n') + 1)), 'others');
  assert.equal(authorOf(`# Build\n\n${ours}`), 'others');
});

test('in a tree only plain files of the names that agents read can be czar’s by their mark', () => {
  const tree = mkdtempSync(join(tmpdir(), 'czar-files-'));
  try {
    const ours = withMark('You.\n');
    mkdirSync(join(tree, 'GEMINI.md'));
    for (const name of ['CLAUDE.md', 'NOTES.md', 'GEMINI.md/CLAUDE.md'])
      writeFileSync(join(tree, name), ours);
    symlinkSync('CLAUDE.md', join(tree, 'AGENTS.md'));
    writeFileSync(join(tree, 'QWEN.md'), ours.padEnd(1024 * 1024 + 1));
    const author = (path: string): string => authorIn(tree, path);
    assert.equal(author('CLAUDE.md'), 'czar');
    assert.equal(author('WORKER_IDENTITY.md'), 'czar');
    for (const path of ['NOTES.md', 'GEMINI.md', 'GEMINI.md/CLAUDE.md', 'AGENTS.md', 'QWEN.md'])
      assert.equal(author(path), 'others', path);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
});

test('what git ignores in a tree is czar’s own, with the files of one attempt; lines of others stay', () => {
  const first = excludeFile(null, []);
  assert.equal(first, '/WORKER_IDENTITY.md\n/.czar-run/\n');
  const second = excludeFile(`${first}build/`, ['CLAUDE.md']);
  assert.equal(second, 'build/\n/WORKER_IDENTITY.md\n/.czar-run/\n/CLAUDE.md\n');
  assert.equal(excludeFile(second, ['CLAUDE.md']), second);
  assert.equal(excludeFile(second, []), `build/\n${first}`);
});

for (const [name, isolation] of [
  ['clone', clone],
  ['worktree', linked],
] as const) {
  test(`isolation: ${name}: a file of instructions is hidden from git where the list of what it ignores is the tree’s, and brought home only when it is not czar’s`, async () => {
    const { r, tree, git, mirror } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    const ours = withMark('You are the worker **one**.\n');
    writeFiles(tree, { 'CLAUDE.md': ours });
    if (isolation.hide !== null) {
      assert.equal(await isolation.hide(tree, ['CLAUDE.md']), true);
      assert.equal(git('status', '--porcelain'), '');
      git('add', '-A');
      assert.equal(git('diff', '--cached', '--name-only'), '');
      assert.equal(await isolation.hide(tree, []), true);
      assert.equal(git('status', '--porcelain'), '?? CLAUDE.md');
      await isolation.hide(tree, ['CLAUDE.md']);
    }
    writeFiles(tree, { 'a.txt': 'more\n' });
    assert.deepEqual((await r.collect('one')).work.committedFor?.files, ['a.txt']);
    writeFiles(tree, { 'CLAUDE.md': `${ours}Build with make.\n` });
    const changed = await r.collect('one', { attempt: 2 });
    assert.deepEqual(
      changed.work.kept.flatMap((one) => one.leftOut.map(({ path }) => path)),
      ['CLAUDE.md'],
    );
    writeFiles(tree, { 'CLAUDE.md': '# Build\n' });
    const own = await r.collect('one', { attempt: 3 });
    assert.deepEqual(own.work.committedFor?.files, ['CLAUDE.md']);
    assert.equal(mirror('show', `${own.work.tip}:CLAUDE.md`), '# Build');
  });
}
