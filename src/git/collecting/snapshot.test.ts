import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, scratchRepository } from '../../../test/support/git-fixture.ts';
import type { Scratch } from '../../../test/support/git-fixture.ts';
import { gitContext } from '../context.ts';
import { defaultSecretPatterns } from './capture.ts';
import { readRef } from '../refs.ts';
import { takeSnapshot } from './snapshot.ts';
import type { Snapshot } from './snapshot.ts';

function contextOf(scratch: Scratch) {
  const { root, commonDir } = scratch;
  return gitContext({ root, commonDir, home: join(root, '.czar') });
}

async function snapshotOf(scratch: Scratch): Promise<Snapshot> {
  const before = fingerprint(scratch.root);
  const taken = await takeSnapshot(contextOf(scratch), {
    run: 'r',
    head: scratch.git('rev-parse', 'HEAD'),
    gitDir: scratch.commonDir,
    rules: { maxFileBytes: 1000, secretPatterns: defaultSecretPatterns },
    identity: { name: 'Test User', email: 'user@example.org' },
  });
  assert.deepEqual(fingerprint(scratch.root), before);
  if (taken.kind !== 'snapshot') throw new Error(JSON.stringify(taken));
  return taken;
}

/** Files of the snapshot against what it was made on, as git says it. */
function differences(scratch: Scratch, commit: string): string[] {
  const { mirror } = contextOf(scratch);
  const args = ['diff-tree', '-r', '--no-renames', '--name-status', `${commit}^`, commit];
  return scratch.gitIn(mirror, '-c', 'core.quotePath=false', ...args).split('\n');
}

test('a snapshot holds what differs from HEAD in the files, staged or not, and nothing of the user’s changes', async () => {
  using scratch = scratchRepository({
    files: {
      'changed.txt': 'c\n',
      'staged.txt': 's\n',
      'deleted.txt': 'd\n',
      'removed.txt': 'r\n',
      'kind.txt': 'k\n',
      'mode.sh': '#!/bin/sh\n',
      'folder/x': 'x\n',
      '.gitignore': '*.log\n',
    },
  });
  const { root } = scratch;
  scratch.write({
    'changed.txt': 'changed\n',
    'staged.txt': 'staged\n',
    'new/ü\n"x".txt': 'new\n',
    'added.txt': 'first\n',
    'ignored.log': 'i\n',
    'by-exclude.txt': 'e\n',
  });
  writeFileSync(join(scratch.commonDir, 'info/exclude'), 'by-exclude.txt\n');
  scratch.git('add', 'staged.txt', 'added.txt');
  scratch.git('rm', '-q', 'removed.txt');
  scratch.write({ 'added.txt': 'second\n' });
  rmSync(join(root, 'deleted.txt'));
  rmSync(join(root, 'kind.txt'));
  symlinkSync('changed.txt', join(root, 'kind.txt'));
  chmodSync(join(root, 'mode.sh'), 0o755);
  rmSync(join(root, 'folder'), { recursive: true });
  writeFileSync(join(root, 'folder'), 'a file now\n');
  const { commit, files, leftOut } = await snapshotOf(scratch);
  const expected = [
    'A\tadded.txt',
    'M\tchanged.txt',
    'D\tdeleted.txt',
    'A\tfolder',
    'D\tfolder/x',
    'T\tkind.txt',
    'M\tmode.sh',
    'A\t"new/ü\\n\\"x\\".txt"',
    'D\tremoved.txt',
    'M\tstaged.txt',
  ];
  assert.deepEqual(differences(scratch, commit), expected);
  assert.equal(files.length, expected.length);
  assert.deepEqual(leftOut, []);
  const { mirror } = contextOf(scratch);
  assert.equal(scratch.gitIn(mirror, 'show', `${commit}:added.txt`), 'second');
  assert.equal(scratch.gitIn(mirror, 'rev-parse', `${commit}^`), scratch.git('rev-parse', 'HEAD'));
  assert.match(
    scratch.gitIn(mirror, 'log', '-1', '--format=%an %B', commit),
    /^Test User .*\n\nCzar-Run: r\n?$/s,
  );
  assert.equal(await readRef(contextOf(scratch), 'refs/czar/snapshot/r'), commit);
  assert.equal(
    scratch.tryGit(root, 'cat-file', '-e', commit).code,
    1,
    'not even an object is there',
  );
});

test('secrets, large files, special files and nested repositories are left out of a snapshot and named', async () => {
  using scratch = scratchRepository({ files: { 'known.pem': 'k\n', 'big.bin': 'small\n' } });
  scratch.write({
    '.env': 'SECRET=1\n',
    'known.pem': 'changed\n',
    'big.bin': 'x'.repeat(2000),
    'ok.txt': 'ok\n',
  });
  mkdirSync(join(scratch.root, 'nested'));
  scratch.gitIn(join(scratch.root, 'nested'), 'init', '-q');
  const { commit, leftOut } = await snapshotOf(scratch);
  assert.deepEqual(differences(scratch, commit), ['M\tknown.pem', 'A\tok.txt']);
  assert.deepEqual(
    leftOut.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
    [
      { path: '.env', why: 'its name looks like a secret' },
      { path: 'big.bin', why: 'it is larger than 1000 bytes' },
      { path: 'nested/', why: 'it is a repository of its own' },
    ],
  );
});

test('line ends in a snapshot are stored as the user’s git would store them', async () => {
  using scratch = scratchRepository({ files: { 'same.txt': 'a\nb\n', 'changed.txt': 'a\nb\n' } });
  scratch.git('config', 'core.autocrlf', 'true');
  scratch.write({ 'same.txt': 'a\r\nb\r\n', 'changed.txt': 'a\r\nb\r\nc\r\n' });
  const { commit } = await snapshotOf(scratch);
  assert.deepEqual(differences(scratch, commit), ['M\tchanged.txt']);
  assert.equal(
    scratch.gitIn(contextOf(scratch).mirror, 'show', `${commit}:changed.txt`),
    'a\nb\nc',
  );
});

test('conflicts that are not settled are no snapshot; a second one takes the place of the first', async () => {
  using scratch = scratchRepository({ files: { 'a.txt': 'a\n' } });
  scratch.write({ 'a.txt': 'mine\n' });
  const first = await snapshotOf(scratch);
  scratch.git('stash', '-q');
  scratch.commit('Theirs', { 'a.txt': 'theirs\n' });
  assert.equal(scratch.tryGit(scratch.root, 'stash', 'pop').code, 1);
  const unmerged = await takeSnapshot(contextOf(scratch), {
    run: 'r',
    head: scratch.git('rev-parse', 'HEAD'),
    gitDir: scratch.commonDir,
    rules: { maxFileBytes: 1000, secretPatterns: [] },
    identity: { name: 'x', email: 'x' },
  });
  assert.deepEqual(unmerged, { kind: 'unmerged', files: ['a.txt'] });
  scratch.write({ 'a.txt': 'both\n' });
  scratch.git('add', 'a.txt');
  const second = await snapshotOf(scratch);
  assert.notEqual(second.commit, first.commit);
  assert.equal(await readRef(contextOf(scratch), 'refs/czar/snapshot/r'), second.commit);
});
