import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, scratchRepository } from '../../test/support/git-fixture.ts';
import type { Scratch } from '../../test/support/git-fixture.ts';
import { gitContext, inMirror } from './context.ts';
import type { GitContext } from './context.ts';
import { createIntegration, ensureMirror } from './mirror.ts';
import { isBranchName, listRefs, moveRefIn, readRef } from './refs.ts';

function contextOf(scratch: Scratch, point?: (name: string) => void): GitContext {
  const place = {
    root: scratch.root,
    commonDir: scratch.commonDir,
    home: join(scratch.root, '.czar'),
  };
  return gitContext(point === undefined ? place : { ...place, point });
}

test('the mirror holds the user’s refs below refs/user and nothing at refs/heads', async () => {
  using scratch = scratchRepository();
  scratch.git('tag', 'v1');
  scratch.git('branch', 'czar/old');
  const before = fingerprint(scratch.root);
  const context = contextOf(scratch);
  assert.deepEqual(await ensureMirror(context), { kind: 'ready', created: true });
  const refs = await listRefs(context, 'refs/');
  assert.deepEqual([...refs.keys()].sort(), [
    'refs/user/HEAD',
    'refs/user/heads/czar/old',
    'refs/user/heads/main',
    'refs/user/tags/v1',
  ]);
  assert.equal(scratch.tryGit(context.mirror, 'remote').stdout, '');
  assert.deepEqual(fingerprint(scratch.root), before);
  assert.equal(statSync(context.state).mode & 0o077, 0);
});

test('its objects are copies, not links to the user’s', async () => {
  using scratch = scratchRepository();
  scratch.git('gc', '-q');
  const context = contextOf(scratch);
  await ensureMirror(context);
  const pack = join(scratch.commonDir, 'objects/pack');
  for (const name of readdirSync(pack)) assert.equal(statSync(join(pack, name)).nlink, 1, name);
  scratch.git('update-ref', '-d', 'HEAD');
  scratch.git('reflog', 'expire', '--expire=now', '--all');
  scratch.git('gc', '-q', '--prune=now');
  scratch.gitIn(context.mirror, 'fsck', '--strict');
});

test('a second call fetches what the user did since and forgets what is gone', async () => {
  using scratch = scratchRepository();
  scratch.git('branch', 'feat');
  const context = contextOf(scratch);
  await ensureMirror(context);
  const commit = scratch.commit('Second', { 'b.txt': 'b\n' });
  scratch.git('branch', '-D', 'feat');
  scratch.git('branch', 'feat/x');
  assert.deepEqual(await ensureMirror(context), { kind: 'ready', created: false });
  assert.equal(await readRef(context, 'refs/user/heads/main'), commit);
  assert.equal(await readRef(context, 'refs/user/heads/feat'), null);
  assert.equal(await readRef(context, 'refs/user/heads/feat/x'), commit);
});

test('a process that dies half way leaves nothing that looks like a mirror', async () => {
  using scratch = scratchRepository();
  const dying = contextOf(scratch, (name) => {
    if (name === 'mirror:before-rename') throw new Error('killed');
  });
  await assert.rejects(ensureMirror(dying), /killed/);
  const context = contextOf(scratch);
  assert.equal(existsSync(context.mirror), false);
  assert.equal((await ensureMirror(context)).kind, 'ready');
  assert.deepEqual(readdirSync(context.state), ['mirror.git']);
});

test('a push into the mirror is refused by its configuration', async () => {
  using scratch = scratchRepository();
  const context = contextOf(scratch);
  await ensureMirror(context);
  const pushed = scratch.tryGit(scratch.root, 'push', context.mirror, 'HEAD:refs/heads/x');
  assert.notEqual(pushed.code, 0);
  const over = scratch.tryGit(
    scratch.root,
    'push',
    '-f',
    context.mirror,
    'HEAD:refs/czar/integration/r',
  );
  assert.notEqual(over.code, 0);
  assert.equal(await readRef(context, 'refs/heads/x'), null);
});

test('shallow, alternates, linked worktrees and sha256 repositories have mirrors', async () => {
  using scratch = scratchRepository();
  scratch.commit('Second', { 'b.txt': 'b\n' });
  const make = (name: string, ...args: string[]): Scratch => {
    const root = join(scratch.dir, name);
    scratch.gitIn(scratch.dir, ...args, root);
    const commonDir = scratch.gitIn(
      root,
      'rev-parse',
      '--path-format=absolute',
      '--git-common-dir',
    );
    return { ...scratch, root, commonDir };
  };
  const shallow = make('shallow', 'clone', '-q', '--depth', '1', `file://${scratch.root}`);
  const shared = make('shared', 'clone', '-q', '--shared', scratch.root);
  for (const each of [shallow, shared]) {
    const context = contextOf(each);
    assert.equal((await ensureMirror(context)).kind, 'ready');
    assert.equal(existsSync(join(context.mirror, 'objects/info/alternates')), false);
    scratch.gitIn(context.mirror, 'fsck');
    assert.equal((await ensureMirror(context)).kind, 'ready');
  }
  scratch.git('worktree', 'add', '-q', '--detach', join(scratch.dir, 'linked'));
  const linked = { ...scratch, root: join(scratch.dir, 'linked') };
  const there = scratch.gitIn(linked.root, 'commit', '-q', '--allow-empty', '-m', 'Detached');
  assert.equal(there, '');
  const context = contextOf(linked);
  await ensureMirror(context);
  assert.equal(
    await readRef(context, 'refs/user/HEAD'),
    scratch.gitIn(linked.root, 'rev-parse', 'HEAD'),
  );

  using modern = scratchRepository({ objectFormat: 'sha256' });
  const other = contextOf(modern);
  assert.equal((await ensureMirror(other)).kind, 'ready');
  assert.equal((await readRef(other, 'refs/user/HEAD'))?.length, 64);
});

test('settings and hooks of the user’s repository do not run in czar’s git', async () => {
  using scratch = scratchRepository();
  const canary = join(scratch.dir, 'canary');
  const hooks = join(scratch.commonDir, 'hooks');
  mkdirSync(hooks, { recursive: true });
  for (const name of [
    'reference-transaction',
    'post-checkout',
    'pre-auto-gc',
    'post-index-change',
  ]) {
    writeFileSync(join(hooks, name), `#!/bin/sh\necho ${name} >> ${canary}\n`, { mode: 0o755 });
  }
  scratch.git('config', 'core.fsmonitor', `echo fsmonitor >> ${canary}; false`);
  scratch.git('config', 'uploadpack.packObjectsHook', `sh -c 'echo pack >> ${canary}'`);
  const context = contextOf(scratch);
  assert.equal((await ensureMirror(context)).kind, 'ready');
  assert.equal(existsSync(canary), false);
});

test('a ref moves only from where it is said to stand', async () => {
  using scratch = scratchRepository();
  const context = contextOf(scratch);
  const first = scratch.git('rev-parse', 'HEAD');
  const second = scratch.commit('Second');
  await ensureMirror(context);
  assert.deepEqual(await createIntegration(context, { run: 'r', base: first }), {
    kind: 'created',
    commit: first,
  });
  const ref = 'refs/czar/integration/r';
  assert.deepEqual(await moveRefIn(inMirror(context), { ref, from: second, to: second }), {
    kind: 'lost',
    found: first,
  });
  assert.deepEqual(await moveRefIn(inMirror(context), { ref, from: first, to: second }), {
    kind: 'moved',
  });
  assert.deepEqual(await moveRefIn(inMirror(context), { ref, from: first, to: second }), {
    kind: 'already',
  });
  assert.deepEqual(await createIntegration(context, { run: 'r', base: first }), {
    kind: 'created',
    commit: second,
  });
  assert.deepEqual(await moveRefIn(inMirror(context), { ref, from: second, to: null }), {
    kind: 'moved',
  });
});

test('branch names that git or a shell could misread are not branch names', () => {
  for (const name of ['a', 'czar/20261121-1/foundation', 'feat/x.y', 'a;b', 'ünïcode'])
    assert.ok(isBranchName(name), name);
  for (const name of [
    '',
    '-x',
    'HEAD',
    '@',
    'a..b',
    'a b',
    'a\n',
    '/a',
    'a/',
    'a//b',
    '.a',
    'x/.a',
    'a.lock',
    'x.lock/a',
    'a~1',
    'a^',
    'a:b',
    'a\\b',
    'a*',
    'a[',
    'a?',
    'a@{1}',
  ]) {
    assert.ok(!isBranchName(name), JSON.stringify(name));
  }
});
