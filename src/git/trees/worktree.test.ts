import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, writeFiles } from '../../../test/support/git-fixture.ts';
import { gitRun, identity, run } from '../../../test/support/git-worker.ts';
import { pushSentence } from './tree-config.ts';
import { clone } from './clone.ts';
import { ceilingDirectories, prepareTree, topLevel } from './worktree.ts';

test('a tree is an ordinary repository on the worker’s branch, reached by relative alternates only', async () => {
  using r = await gitRun({ 'a.txt': 'a\n', 'bin/x*': '#!/bin/sh\n' });
  const before = fingerprint(r.scratch.root);
  const tree = await r.prepare('one');
  assert.deepEqual(tree, {
    kind: 'ready',
    worktree: r.treeOf('one'),
    branch: `czar/${run}/one`,
    base: r.base,
    continued: false,
    kept: [],
  });
  const git = (...args: string[]): string => r.scratch.gitIn(tree.worktree, ...args);
  assert.equal(git('rev-parse', '--show-toplevel'), tree.worktree);
  assert.equal(git('status', '--porcelain', '--branch'), `## czar/${run}/one`);
  assert.equal(git('config', 'user.email'), identity.email);
  assert.match(
    readFileSync(join(tree.worktree, '.git/objects/info/alternates'), 'utf8'),
    /^\.\.\//,
  );
  writeFiles(tree.worktree, { 'b.txt': 'b\n', 'WORKER_IDENTITY.md': 'who\n' });
  git('add', '-A');
  git('commit', '-q', '-m', 'B');
  assert.equal(git('show', '--name-only', '--format=', 'HEAD'), 'b.txt');
  assert.deepEqual(fingerprint(r.scratch.root), before);
  assert.equal(r.scratch.git('status', '--porcelain'), '');
});

test('the user’s hooks and signing settings do not act in a tree', async () => {
  using r = await gitRun();
  const hooks = join(r.scratch.dir, 'hooks');
  writeFiles(hooks, { 'pre-commit*': '#!/bin/sh\nexit 1\n' });
  writeFileSync(
    join(r.scratch.home, '.gitconfig'),
    `[core]\n\thooksPath = ${hooks}\n[commit]\n\tgpgSign = true\n`,
  );
  const { worktree } = await r.prepare('one');
  r.scratch.gitIn(worktree, 'commit', '-q', '--allow-empty', '-m', 'Not signed, not blocked');
});

test('an agent that pushes reads one sentence, wherever it pushes to', async () => {
  using r = await gitRun();
  const { worktree } = await r.prepare('one', {
    origin: 'https://someone:secret@example.org/x.git',
  });
  r.scratch.gitIn(worktree, 'commit', '-q', '--allow-empty', '-m', 'Work');
  for (const args of [
    ['push'],
    ['push', 'origin', 'HEAD'],
    ['push', '-f', 'origin', 'HEAD:main'],
    ['push', '--no-verify'],
  ]) {
    const pushed = r.scratch.tryGit(worktree, ...args);
    assert.notEqual(pushed.code, 0);
    assert.equal(pushed.stderr, `fatal: remote error: ${pushSentence}\n`, args.join(' '));
  }
  for (const place of [r.context.mirror, r.scratch.root]) {
    const pushed = r.scratch.tryGit(worktree, 'push', place, 'HEAD:refs/heads/x');
    assert.notEqual(pushed.code, 0);
    assert.ok(pushed.stderr.startsWith(`${pushSentence}\n`), pushed.stderr);
  }
  assert.notEqual(
    r.scratch.tryGit(worktree, 'push', '--no-verify', r.context.mirror, 'HEAD:refs/heads/x').code,
    0,
  );
  assert.doesNotMatch(readFileSync(join(worktree, '.git/config'), 'utf8'), /secret/);
  assert.equal(
    r.scratch.tryGit(r.scratch.root, 'rev-parse', '--verify', '-q', 'refs/heads/x').code,
    1,
  );
});

test('a push without any origin of the user’s reads the sentence too', async () => {
  using r = await gitRun();
  const { worktree } = await r.prepare('one');
  for (const args of [['push'], ['push', 'origin', 'HEAD'], ['push', '-u', 'origin', 'HEAD']]) {
    assert.equal(
      r.scratch.tryGit(worktree, ...args).stderr,
      `fatal: remote error: ${pushSentence}\n`,
    );
  }
});

test('tags and tracking refs are as the user has them, other workers’ refs are not there', async () => {
  using r = await gitRun();
  r.scratch.git('tag', '-a', 'v1', '-m', 'One');
  r.scratch.git('update-ref', 'refs/remotes/origin/main', 'HEAD');
  const { ensureMirror } = await import('../mirror.ts');
  await ensureMirror(r.context);
  const { worktree } = await r.prepare('one');
  const refs = r.scratch.gitIn(worktree, 'for-each-ref', '--format=%(refname)').split('\n');
  assert.deepEqual(refs, [
    `refs/heads/czar/${run}/one`,
    'refs/remotes/origin/main',
    'refs/tags/v1',
  ]);
  assert.equal(r.scratch.gitIn(worktree, 'describe'), 'v1');
  assert.equal(r.scratch.gitIn(worktree, 'rev-parse', 'v1^{commit}'), r.base);
});

test('fault 51: preparing the same attempt again changes nothing; a half-made tree is made anew', async () => {
  using r = await gitRun();
  const order = { dir: r.treeOf('one') };
  for (const point of ['tree:before-checkout', 'tree:before-rename']) {
    await r.killedAt(point, (context) =>
      prepareTree(context, {
        isolation: clone,
        run,
        worker: 'one',
        attempt: 1,
        branch: 'b',
        commit: r.base,
        continues: false,
        dir: order.dir,
        identity,
        origin: null,
        rules: r.rules,
        now: 0,
      }),
    );
    assert.equal(existsSync(order.dir), false);
  }
  const first = await r.prepare('one');
  writeFiles(first.worktree, { 'new.txt': 'agent' });
  assert.deepEqual(await r.prepare('one'), first);
  assert.equal(readFileSync(join(first.worktree, 'new.txt'), 'utf8'), 'agent');
  assert.equal(existsSync(join(r.scratch.root, '.czar/worktrees/.making-one')), false);
});

test('the tree of a later attempt is not taken away for an earlier one, whose loop was overtaken', async () => {
  using r = await gitRun();
  const { worktree } = await r.prepare('one', { attempt: 3 });
  writeFiles(worktree, { 'new.txt': 'agent' });
  for (const continues of [false, true])
    await assert.rejects(r.prepare('one', { attempt: 2, continues }), /a later attempt already/);
  assert.equal(readFileSync(join(worktree, 'new.txt'), 'utf8'), 'agent');
  assert.equal((await r.prepare('one', { attempt: 3 })).worktree, worktree);
});

test('what was kept of an old tree is told again after a kill, since nobody heard it', async () => {
  for (const point of [
    'keep:after-ref',
    'tree:before-discard',
    'tree:after-discard',
    'tree:after-rename',
  ]) {
    using r = await gitRun({ 'a.txt': 'a\n' });
    const { worktree } = await r.prepare('one');
    writeFiles(worktree, { 'open.txt': 'not committed\n' });
    await r.killedAt(point, (context) => r.prepare('one', { attempt: 2 }, context));
    const { kept } = await r.prepare('one', { attempt: 2 });
    assert.deepEqual(
      kept.map((one) => one.files),
      [['open.txt']],
      point,
    );
  }
});

test('git in a tree without .git, or in an empty workspace, finds no repository around it', async () => {
  using r = await gitRun();
  const { worktree } = await r.prepare('one');
  rmSync(join(worktree, '.git'), { recursive: true });
  assert.equal(await topLevel(worktree), null);
  const env = { ...r.scratch.env, GIT_CEILING_DIRECTORIES: await ceilingDirectories(worktree) };
  assert.equal(env.GIT_CEILING_DIRECTORIES, join(r.scratch.root, '.czar/worktrees'));
});

test('the integration tip is not offered through a link that leads out of the tree', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' });
  const { worktree } = await r.prepare('one');
  const tip = r.scratch.gitIn(r.context.mirror, 'rev-parse', r.base);
  const offered = { run, tree: worktree, commit: tip };
  assert.equal(await clone.offer(r.context, offered), true);
  const outside = join(r.scratch.dir, 'outside');
  mkdirSync(outside);
  rmSync(join(worktree, '.git/refs/czar'), { recursive: true });
  symlinkSync(outside, join(worktree, '.git/refs/czar'));
  assert.equal(await clone.offer(r.context, offered), false);
  assert.equal(existsSync(join(outside, 'integration')), false);
});
