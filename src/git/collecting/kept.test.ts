import assert from 'node:assert/strict';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { writeFiles } from '../../../test/support/git-fixture.ts';
import { gitRun, run } from '../../../test/support/git-worker.ts';
import { listKept, restoreKept, showKept } from './kept.ts';

const ref = `refs/czar/kept/${run}/one/1`;

test('kept work is listed, shown and restored into a new folder', async () => {
  using r = await gitRun({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  const { worktree } = await r.prepare('one');
  writeFiles(worktree, { 'a.txt': 'more\n', 'sub/run*': '#!/bin/sh\n' });
  symlinkSync('a.txt', join(worktree, 'link'));
  rmSync(join(worktree, 'b.txt'));
  const { work } = await r.collect('one', { commitUncommitted: false });
  const listed = await listKept(r.context, { run, worker: 'one' });
  assert.deepEqual(listed.kind === 'kept' ? listed.entries : listed, [
    {
      ref,
      run,
      worker: 'one',
      n: 1,
      commit: work.kept[0]?.commit,
      at: 1_800_000_000_000,
      why: 'the attempt failed',
    },
  ]);
  assert.deepEqual(await listKept(r.context, { worker: 'two' }), { kind: 'kept', entries: [] });
  const shown = await showKept(r.context, ref);
  assert.ok(shown.kind === 'content' && /^\+more$/m.test(shown.text));
  assert.deepEqual(
    shown.kind === 'content' ? shown.files.map((each) => `${each.status} ${each.path}`) : shown,
    ['M a.txt', 'D b.txt', 'A link', 'A sub/run'],
  );
  const into = join(r.scratch.dir, 'restored');
  assert.deepEqual(await restoreKept(r.context, { ref, into }), {
    kind: 'restored',
    written: ['a.txt', 'link', 'sub/run'],
    deleted: ['b.txt'],
  });
  assert.equal(readFileSync(join(into, 'a.txt'), 'utf8'), 'more\n');
  assert.equal(lstatSync(join(into, 'sub/run')).mode & 0o111, 0o111);
  assert.ok(lstatSync(join(into, 'link')).isSymbolicLink());
  assert.deepEqual(await restoreKept(r.context, { ref, into }), {
    kind: 'restored',
    written: [],
    deleted: ['b.txt'],
  });
  assert.deepEqual(await restoreKept(r.context, { ref: `${ref}9`, into }), { kind: 'none' });
});

test('a file with other content, or a link on the way, refuses the whole restore by name', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' });
  const { worktree } = await r.prepare('one');
  writeFiles(worktree, { 'a.txt': 'kept\n', 'sub/n.txt': 'n\n' });
  await r.collect('one', { commitUncommitted: false });
  const edited = join(r.scratch.dir, 'edited');
  writeFiles(edited, { 'a.txt': 'someone’s\n' });
  assert.deepEqual(await restoreKept(r.context, { ref, into: edited }), {
    kind: 'in the way',
    files: ['a.txt'],
  });
  assert.equal(existsSync(join(edited, 'sub')), false);
  const linked = join(r.scratch.dir, 'linked');
  mkdirSync(join(r.scratch.dir, 'outside'));
  mkdirSync(linked);
  symlinkSync(join(r.scratch.dir, 'outside'), join(linked, 'sub'));
  assert.deepEqual(await restoreKept(r.context, { ref, into: linked }), {
    kind: 'in the way',
    files: ['sub/n.txt'],
  });
  const next = await r.prepare('one', { attempt: 2 });
  assert.deepEqual(await restoreKept(r.context, { ref, into: next.worktree }), {
    kind: 'restored',
    written: ['a.txt', 'sub/n.txt'],
    deleted: [],
  });
});
