import assert from 'node:assert/strict';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, writeFiles } from '../../../test/support/git-fixture.ts';
import { assertHeld, gitRun, identity, run, working } from '../../../test/support/git-worker.ts';
import { collect } from './collect.ts';
import { keepFiles } from './keep.ts';
import { listRefs } from '../refs.ts';

const branch = `czar/${run}/one`;

test('commits come home with what they changed', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n', 'gone.txt': 'x\n', 'kind.txt': 'k\n' });
  using _ = r;
  const before = fingerprint(r.scratch.root);
  writeFiles(tree, { 'new.txt': 'n\n', 'a.txt': 'changed\n' });
  git('rm', '-q', 'gone.txt');
  rmSync(join(tree, 'kind.txt'));
  symlinkSync('a.txt', join(tree, 'kind.txt'));
  git('add', '-A');
  git('commit', '-q', '-m', 'One');
  git('commit', '-q', '--allow-empty', '-m', 'Two');
  const { work, notes } = await r.collect('one');
  assert.equal(work.tip, git('rev-parse', 'HEAD'));
  assert.equal(work.commits, 2);
  assert.deepEqual(
    work.changed.map(({ path, status }) => [path, status]),
    [
      ['a.txt', 'M'],
      ['gone.txt', 'D'],
      ['kind.txt', 'T'],
      ['new.txt', 'A'],
    ],
  );
  assert.equal(work.changed[3]?.before, '');
  assert.match(work.patch, /^[0-9a-f]{64}$/);
  assert.equal(work.committedFor, null);
  assert.deepEqual(work.kept, []);
  assert.deepEqual(notes, []);
  assert.deepEqual(fingerprint(r.scratch.root), before);
});

test('nothing changed is said as nothing', async () => {
  const { r } = await working();
  using _ = r;
  const { work } = await r.collect('one');
  assert.deepEqual(work, {
    ...work,
    tip: r.base,
    patch: '',
    commits: 0,
    changed: [],
    committedFor: null,
    kept: [],
  });
});

test('what an agent that ended well left is committed for it, and its repository goes on from there', async () => {
  const { r, tree, git, mirror } = await working({
    'a.txt': 'a\n',
    'b.txt': 'b\n',
    '.gitignore': '*.log\n',
  });
  using _ = r;
  writeFiles(tree, { 'c.txt': 'c\n' });
  git('add', '-A');
  git('commit', '-q', '-m', 'C');
  const own = git('rev-parse', 'HEAD');
  writeFiles(tree, {
    'a.txt': 'more\n',
    'sub/d.txt': 'd\n',
    'x.log': 'ignored',
    'WORKER_IDENTITY.md': 'w',
    '.czar-run/e': 'e',
  });
  rmSync(join(tree, 'b.txt'));
  const { work } = await r.collect('one');
  assert.deepEqual(work.committedFor?.files, ['a.txt', 'b.txt', 'sub/d.txt']);
  assert.equal(work.tip, work.committedFor?.commit);
  assert.equal(mirror('rev-parse', `${work.tip}^`), own);
  assert.equal(work.commits, 2);
  const message = mirror('log', '-1', '--format=%an <%ae>%n%B', work.tip);
  assert.match(
    message,
    /^Test User <user@example.org>\nWork that one left uncommitted\n\nCzar-Run: 20261121-1\nCzar-Worker: one\n?$/,
  );
  assert.equal(git('rev-parse', 'HEAD'), work.tip);
  assert.equal(git('symbolic-ref', 'HEAD'), `refs/heads/${branch}`);
  assert.equal(git('status', '--porcelain'), '');
  assert.deepEqual((await r.collect('one')).work, work);
});

test('a crash at any point of collecting is carried through by collecting again', async () => {
  for (const point of [
    'collect:after-hold',
    'collect:after-commit-ref',
    'collect:before-move-on',
    'collect:after-move-on',
  ]) {
    const { r, tree } = await working({ 'a.txt': 'a\n' });
    using _ = r;
    writeFiles(tree, { 'new.txt': 'n\n', 'secret.pem': 'key' });
    const integration = await r.integration();
    const repository = r.isolation.repository(r.context, tree);
    await r.killedAt(point, (context) =>
      collect(context, {
        run,
        worker: 'one',
        attempt: 1,
        tree,
        repository,
        branch,
        base: r.base,
        integration,
        commitUncommitted: true,
        message: 'M',
        why: 'w',
        identity,
        rules: r.rules,
        most: { bytes: 1_000_000, paths: 100 },
        now: 5_000,
      }),
    );
    const { work } = await r.collect('one');
    assert.deepEqual(work.committedFor?.files, ['new.txt'], point);
    assert.equal(work.commits, 1, point);
    assert.equal(work.kept.length, 1, point);
    assert.equal((await listRefs(r.context, 'refs/czar/kept/')).size, 1, point);
  }
});

test('faults 29 and 30: what a failed attempt left is kept under a ref, once, and its branch stays', async () => {
  const { r, tree, git, mirror } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  writeFiles(tree, { 'a.txt': 'half\n', 'new.txt': 'n\n' });
  git('add', 'new.txt');
  const { work } = await r.collect('one', { commitUncommitted: false });
  assert.equal(work.tip, r.base);
  assert.equal(work.committedFor, null);
  assert.deepEqual(
    work.kept.map(({ ref, files, why }) => ({ ref, files, why })),
    [
      {
        ref: `refs/czar/kept/${run}/one/1`,
        files: ['a.txt', 'new.txt'],
        why: 'the attempt failed',
      },
    ],
  );
  assert.equal(mirror('show', `${work.kept[0]?.commit}:a.txt`), 'half');
  assert.equal(git('rev-parse', 'HEAD'), r.base);
  const again = await r.collect('one', { commitUncommitted: false });
  assert.equal(again.work.kept[0]?.ref, `refs/czar/kept/${run}/one/1`);
  writeFiles(tree, { 'more.txt': 'm\n' });
  const later = await r.collect('one', { commitUncommitted: false });
  assert.equal(later.work.kept[0]?.ref, `refs/czar/kept/${run}/one/2`);
});

test('a HEAD beside the worker’s branch is held but is not its work', async () => {
  const { r, tree, git } = await working();
  using _ = r;
  git('commit', '-q', '--allow-empty', '-m', 'On the branch');
  const tip = git('rev-parse', 'HEAD');
  git('checkout', '-q', '-b', 'other', r.base);
  git('commit', '-q', '--allow-empty', '-m', 'Beside it');
  const beside = git('rev-parse', 'HEAD');
  writeFiles(tree, { 'x.txt': 'x' });
  const { work, notes } = await r.collect('one');
  assert.equal(work.tip, tip);
  assert.equal(work.committedFor, null);
  assert.deepEqual(work.kept[0]?.files, ['x.txt']);
  assert.equal(notes.length, 2);
  await assertHeld(r, [tip, beside]);
});

test('a resolved merge that was not committed is committed as a merge; one with markers is kept', async () => {
  const { r, tree, git, mirror } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  git('checkout', '-q', '-b', 'theirs');
  writeFiles(tree, { 'a.txt': 'theirs\n' });
  git('commit', '-q', '-a', '-m', 'Theirs');
  const theirs = git('rev-parse', 'HEAD');
  git('checkout', '-q', branch);
  writeFiles(tree, { 'a.txt': 'ours\n' });
  git('commit', '-q', '-a', '-m', 'Ours');
  const ours = git('rev-parse', 'HEAD');
  assert.equal(r.scratch.tryGit(tree, 'merge', 'theirs').code, 1);
  const open = await r.collect('one');
  assert.equal(open.work.tip, ours);
  assert.equal(open.work.committedFor, null);
  assert.deepEqual(open.work.kept[0]?.files, ['a.txt']);
  assert.match(open.notes.join(), /conflict markers/);
  writeFiles(tree, { 'a.txt': 'both\n' });
  const { work } = await r.collect('one');
  assert.equal(mirror('log', '-1', '--format=%P', work.tip), `${ours} ${theirs}`);
  assert.equal(git('status', '--porcelain', '--branch'), `## ${branch}`);
  assert.equal(existsSync(join(tree, '.git/MERGE_HEAD')), false);
});

test('a tree that is gone is lost, and said so', async () => {
  const { r, tree } = await working();
  using _ = r;
  renameSync(tree, `${tree}-away`);
  await assert.rejects(r.collect('one'), /the working tree is gone/);
});

test('files of a plain folder are kept as a commit of their own, once', async () => {
  using r = await gitRun();
  const dir = join(r.scratch.dir, 'folder');
  mkdirSync(dir);
  writeFiles(dir, { 'out/report.txt': 'r\n', 'WORKER_IDENTITY.md': 'w' });
  const order = {
    run,
    worker: 'one',
    dir,
    rules: r.rules,
    identity,
    why: 'it was made',
    now: 1000,
  };
  const first = await keepFiles(r.context, order);
  assert.equal(first.kind, 'kept');
  if (first.kind !== 'kept') return;
  assert.deepEqual(first.kept?.files, ['out/report.txt']);
  assert.equal(
    r.scratch.gitIn(r.context.mirror, 'log', '--format=%P', first.kept?.commit ?? ''),
    '',
  );
  assert.deepEqual(await keepFiles(r.context, { ...order, now: 9000 }), first);
});

test('the patch of a change stays the same when other places of the file move on', async () => {
  const lines = (from: number, to: number): string =>
    Array.from({ length: to - from }, (_, i) => `line ${from + i}\n`).join('');
  const { r, tree, git } = await working({ 'a.txt': lines(0, 60) });
  using _ = r;
  writeFiles(tree, { 'a.txt': `${lines(0, 50)}mine\n${lines(50, 60)}` });
  const first = (await r.collect('one')).work;
  git('checkout', '-q', '-b', 'moved', r.base);
  writeFiles(tree, { 'a.txt': `top\n${lines(0, 60)}` });
  git('commit', '-q', '-a', '-m', 'Elsewhere');
  const base = git('rev-parse', 'HEAD');
  git('cherry-pick', first.tip);
  git('checkout', '-q', '-B', branch);
  const second = (await r.collect('one', { integration: base })).work;
  assert.notEqual(second.tip, first.tip);
  assert.equal(second.patch, first.patch);
});

test('commits that only a reflog names are held by the newest of their line, not one by one', async () => {
  const { r, git } = await working();
  using _ = r;
  const ids = ['one', 'two', 'three'].map((message) => {
    git('commit', '-q', '--allow-empty', '-m', message);
    return git('rev-parse', 'HEAD');
  });
  git('reset', '-q', '--hard', r.base);
  await r.collect('one');
  await assertHeld(r, ids);
  const held = [...(await listRefs(r.context, 'refs/czar/')).values()];
  assert.deepEqual(
    ids.filter((id) => held.includes(id)),
    ids.slice(-1),
  );
});
