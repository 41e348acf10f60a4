import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, writeFiles } from '../../../test/support/git-fixture.ts';
import { assertHeld, gitRun, run, working } from '../../../test/support/git-worker.ts';
import { branchFacts } from '../branches.ts';
import { checkouts } from '../checkouts.ts';
import { linked } from './linked.ts';
import { publish } from '../publish.ts';

const branch = `czar/${run}/one`;
const allowed = { refs: ['refs/heads/czar/'] };

test('git worktree list shows a tree, and neither prune nor remove takes it away by accident', async () => {
  const { r, tree } = await working({ 'a.txt': 'a\n' }, linked);
  using _ = r;
  assert.match(
    r.scratch.git('worktree', 'list', '--porcelain'),
    new RegExp(
      `worktree ${tree}\nHEAD ${r.base}\nbranch refs/heads/${branch}\nlocked czar: one of run`,
    ),
  );
  assert.notEqual(r.scratch.tryGit(r.scratch.root, 'worktree', 'remove', '--force', tree).code, 0);
  assert.notEqual(r.scratch.tryGit(r.scratch.root, 'branch', '-D', branch).code, 0);
  await (
    await linked.release(r.context, tree)
  ).deleted;
  assert.equal(r.scratch.git('worktree', 'list').split('\n').length, 1);
  assert.equal(existsSync(join(r.scratch.commonDir, 'worktrees')), false);
});

test('commits of a tree whose files were cleaned away are held before it is made anew', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' }, linked);
  using _ = r;
  writeFiles(tree, { 'b.txt': 'b\n' });
  git('add', '-A');
  git('commit', '-q', '-m', 'B');
  const commit = git('rev-parse', 'HEAD');
  r.scratch.git('clean', '-q', '-ffdx');
  assert.equal(existsSync(tree), false);
  const next = await r.prepare('one', { attempt: 2 });
  assert.equal(next.continued, false);
  await assertHeld(r, [commit]);
  assert.equal(git('rev-parse', 'HEAD'), r.base);
});

test('fault 57: core.bare and core.worktree that flip while an agent works are put back and said, twice the same', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' }, linked);
  using _ = r;
  const before = fingerprint(r.scratch.root, allowed);
  git('config', 'core.bare', 'true');
  git('config', 'core.worktree', '/elsewhere');
  const top = (): string =>
    r.scratch.tryGit(r.scratch.root, 'rev-parse', '--show-toplevel').stdout.trim();
  assert.notEqual(top(), r.scratch.root, 'git of the user is broken');
  const out = await checkouts(r.context);
  assert.ok(
    out.some(({ ref, path }) => ref === 'refs/heads/main' && path === r.scratch.root),
    'the checkout is still seen as one',
  );
  const first = await r.collect('one');
  assert.match(first.notes.join('\n'), /core\.bare .*was put back\ncore\.worktree .*was put back/);
  assert.equal(top(), r.scratch.root);
  assert.equal(r.scratch.git('config', 'core.bare'), 'false');
  assert.deepEqual((await r.collect('one')).notes, first.notes);
  await r.prepare('one', { attempt: 2, continues: true });
  assert.deepEqual(
    (await r.collect('one', { attempt: 2 })).notes,
    [],
    'the next attempt has its own',
  );
  writeFileSync(join(r.scratch.commonDir, 'config'), '[core\n');
  assert.notEqual(top(), r.scratch.root);
  const again = await r.collect('one', { attempt: 2 });
  assert.match(again.notes.join(), /^the configuration .*was put back$/);
  assert.equal(top(), r.scratch.root);
  const after = fingerprint(r.scratch.root, allowed);
  assert.deepEqual({ ...after, config: '' }, { ...before, config: '' });
  assert.equal(existsSync(join(tree, 'a.txt')), true);
});

test('what else changes in what is shared is said: settings, hooks, deleted branches, the stash', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' }, linked);
  using _ = r;
  r.scratch.git('branch', 'precious');
  const precious = r.scratch.git('commit-tree', '-m', 'Only there', 'HEAD^{tree}');
  r.scratch.git('update-ref', 'refs/heads/precious', precious);
  await r.prepare('one', { attempt: 2, continues: true });
  git('config', 'core.fsmonitor', '/bin/true');
  writeFiles(join(r.scratch.commonDir, 'hooks'), { 'pre-commit*': '#!/bin/sh\n' });
  git('branch', '-q', '-D', 'precious');
  writeFiles(tree, { 'a.txt': 'stashed\n' });
  git('stash', '-q', '--no-keep-index');
  r.scratch.git('commit', '-q', '--allow-empty', '--no-verify', '-m', 'The user goes on');
  const { notes } = await r.collect('one', { attempt: 2 });
  assert.deepEqual(notes, [
    'settings of your repository changed while it was at work: core.fsmonitor',
    'files of your .git changed while it was at work: hooks/pre-commit',
    `the branch precious was deleted while it was at work: git branch precious ${precious} brings it back`,
    'your stash changed while it was at work',
  ]);
  r.scratch.git('reflog', 'expire', '--expire=now', '--all');
  r.scratch.git('gc', '-q', '--prune=now');
  await assertHeld(r, [precious]);
});

test('a lock of git beside a branch when the attempt begins is no branch that is missed at its end', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' }, linked);
  const lock = join(r.scratch.commonDir, 'refs/heads/busy.lock');
  writeFileSync(lock, `${r.base}\n`);
  await r.prepare('one');
  rmSync(lock);
  assert.deepEqual((await r.collect('one')).notes, []);
});

test('a branch that the user has checked out is not given to a tree; one of an older tree moves on', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' }, linked);
  r.scratch.git('checkout', '-q', '-b', 'feat/x');
  await assert.rejects(r.prepare('one', { branch: 'feat/x' }), /feat\/x is checked out at/);
  r.scratch.git('checkout', '-q', 'main');
  const old = await r.prepare('one', { branch: 'feat/x' });
  const facts = await branchFacts(r.context, { names: ['feat/x'], base: r.base });
  assert.equal(facts.kind === 'branches' && facts.branches[0]?.checkedOut, false);
  const next = await r.prepare('two', { branch: 'feat/x' });
  assert.equal(r.scratch.gitIn(next.worktree, 'branch', '--show-current'), 'feat/x');
  assert.equal(r.scratch.gitIn(old.worktree, 'branch', '--show-current'), '');
  assert.equal(r.scratch.gitIn(old.worktree, 'rev-parse', 'HEAD'), r.base);
  r.scratch.gitIn(next.worktree, 'commit', '-q', '--allow-empty', '-m', 'Mine');
  rmSync(next.worktree, { recursive: true });
  const mine = r.scratch.git('rev-parse', 'feat/x');
  const again = await r.prepare('two', { branch: 'feat/x', attempt: 2 });
  await assertHeld(r, [mine]);
  assert.equal(again.base, r.base);
  r.scratch.git(
    'update-ref',
    'refs/heads/feat/x',
    r.scratch.git('commit-tree', '-m', 'x', 'HEAD^{tree}'),
  );
  await assert.rejects(r.prepare('three', { branch: 'feat/x' }), /commits that czar does not have/);
});

test('a branch shown to the user is the tree’s own, wherever its agent has moved it', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' }, linked);
  using _ = r;
  writeFiles(tree, { 'b.txt': 'b\n' });
  const { work } = await r.collect('one');
  const refs = { [`refs/heads/${branch}`]: work.tip };
  const shown = { kind: 'published', refs, diverged: {} };
  assert.deepEqual(await publish(r.context, { run, refs }), shown);
  git('commit', '-q', '--allow-empty', '-m', 'Further');
  assert.deepEqual(await publish(r.context, { run, refs }), shown);
  assert.notEqual(git('rev-parse', branch), work.tip);
  await (
    await linked.release(r.context, tree)
  ).deleted;
  assert.equal(readFileSync(join(r.scratch.root, 'a.txt'), 'utf8'), 'a\n');
});
