import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, scratchRepository } from '../../test/support/git-fixture.ts';
import { commitOn, gitRun } from '../../test/support/git-worker.ts';
import { gitContext } from './context.ts';
import { git } from './git.ts';
import { inspectRepository } from './repository.ts';
import { treeFacts } from './trees/tree-facts.ts';
import { unsupportedIn } from './unsupported.ts';

async function factsOf(directory: string) {
  const found = await inspectRepository({ directory });
  if (found.kind !== 'repository') throw new Error(JSON.stringify(found));
  return found.facts;
}

async function reasonOf(directory: string): Promise<{ reason: string; passing: boolean }> {
  const found = await inspectRepository({ directory });
  if (found.kind !== 'refused') throw new Error(JSON.stringify(found));
  return { reason: found.reason, passing: found.passing };
}

test('facts of a checkout are found from any folder of it, and looking changes nothing', async () => {
  using scratch = scratchRepository({ files: { 'sub/a.txt': 'a\n', '.gitignore': '*.log\n' } });
  scratch.write({ 'sub/a.txt': 'b\n', 'new/x.txt': 'x\n', 'new/y.txt': 'y\n', 'z.log': 'z' });
  scratch.git('remote', 'add', 'origin', '../elsewhere.git');
  const before = fingerprint(scratch.root);
  const facts = await factsOf(join(scratch.root, 'sub'));
  assert.deepEqual(facts, {
    root: scratch.root,
    gitDir: scratch.commonDir,
    commonDir: scratch.commonDir,
    branch: 'main',
    head: scratch.git('rev-parse', 'HEAD'),
    shallow: false,
    objectFormat: 'sha1',
    dirty: ['sub/a.txt', 'new/x.txt', 'new/y.txt'],
    identity: { name: 'Test User', email: 'user@example.org' },
    origin: join(scratch.dir, 'elsewhere.git'),
  });
  assert.deepEqual(fingerprint(scratch.root), before);
});

test('a linked worktree with a detached HEAD, a URL and no identity are told as they are', async () => {
  using scratch = scratchRepository();
  scratch.git('remote', 'add', 'origin', 'git@example.org:x/y.git');
  scratch.git('config', '--unset', 'user.name');
  scratch.git('config', '--unset', 'user.email');
  const linked = join(scratch.dir, 'linked');
  scratch.git('worktree', 'add', '-q', '--detach', linked);
  const facts = await factsOf(linked);
  assert.equal(facts.root, linked);
  assert.equal(facts.commonDir, scratch.commonDir);
  assert.equal(facts.branch, null);
  assert.equal(facts.origin, 'git@example.org:x/y.git');
  assert.deepEqual(facts.identity, { name: 'czar', email: 'czar@localhost' });
});

test('submodules and filters of a commit are found wherever they are, and what only looks like them is not', async () => {
  using scratch = scratchRepository({ files: { '.gitmodules': '', 'a.txt': ' filter=no\n' } });
  const { root, commonDir } = scratch;
  const context = gitContext({ root, commonDir, home: join(root, '.czar') });
  const found = async () => unsupportedIn(context, scratch.git('rev-parse', 'HEAD'));
  assert.deepEqual(await found(), { kind: 'unsupported', submodules: [], filters: [] });
  const head = scratch.git('rev-parse', 'HEAD');
  scratch.git('update-index', '--add', '--cacheinfo', `160000,${head},libs/ü x`);
  scratch.git('commit', '-q', '-m', 'A submodule');
  scratch.write({
    '.gitattributes': '# *.no filter=no\n*.bin filter=lfs -text\n',
    'deep/er/.gitattributes': '*.x text filter=tidy\n*.y filter=lfs\n',
  });
  scratch.git('add', '.gitattributes', 'deep');
  scratch.git('commit', '-q', '-m', 'Filters');
  assert.deepEqual(await found(), {
    kind: 'unsupported',
    submodules: ['libs/ü x'],
    filters: ['lfs', 'tidy'],
  });
});

test('states that czar does not work with are refused in one sentence', async () => {
  using scratch = scratchRepository();
  assert.match((await reasonOf(scratch.dir)).reason, /not in a git repository/);
  const bare = join(scratch.dir, 'bare');
  scratch.git('clone', '-q', '--bare', scratch.root, bare);
  assert.match((await reasonOf(bare)).reason, /is bare/);
  const empty = join(scratch.dir, 'empty');
  mkdirSync(empty);
  scratch.gitIn(empty, 'init', '-q');
  assert.deepEqual(await reasonOf(empty), {
    reason: 'this repository has no commit yet: make the first one',
    passing: true,
  });
  writeFileSync(join(scratch.commonDir, 'MERGE_HEAD'), scratch.git('rev-parse', 'HEAD'));
  assert.deepEqual(await reasonOf(scratch.root), {
    reason: 'a merge is in progress in this checkout: finish it first',
    passing: true,
  });
  const partial = join(scratch.dir, 'partial');
  scratch.git('config', 'uploadpack.allowFilter', 'true');
  scratch.git('clone', '-q', '--filter=blob:none', `file://${scratch.root}`, partial);
  assert.match((await reasonOf(partial)).reason, /partial clone/);
});

test('nothing of the caller’s environment or of the machine’s settings reaches a call', async () => {
  using scratch = scratchRepository();
  const hostile = {
    GIT_DIR: '/nowhere',
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'x.y',
    GIT_CONFIG_VALUE_0: 'z',
  };
  Object.assign(process.env, hostile);
  try {
    assert.equal((await git(['rev-parse', 'HEAD'], { cwd: scratch.root })).code, 0);
    assert.equal((await git(['config', '--get', 'x.y'], { cwd: scratch.root })).code, 1);
    const listed = await git(['config', '--show-origin', '--list'], { cwd: scratch.root });
    const origins = listed.stdout
      .toString()
      .split('\n')
      .map((line) => line.split('\t')[0]);
    assert.deepEqual(new Set(origins), new Set(['', 'command line:', 'file:.git/config']));
  } finally {
    for (const name of Object.keys(hostile)) delete process.env[name];
  }
});

test('a call that takes too long or is stopped ends, and says which', async () => {
  using scratch = scratchRepository();
  const slow = { cwd: scratch.root, input: undefined } as const;
  scratch.git('config', 'alias.slow', '!sleep 30');
  assert.equal((await git(['slow'], { ...slow, timeoutMs: 50 })).trouble, 'timeout');
  const controller = new AbortController();
  const stopped = git(['slow'], { ...slow, signal: controller.signal });
  controller.abort();
  assert.equal((await stopped).trouble, 'stopped');
  assert.equal(
    (await git(['cat-file', '-p', 'HEAD'], { cwd: scratch.root, maxOutputBytes: 8 })).trouble,
    'too much output',
  );
  assert.equal((await git(['version'], { cwd: join(scratch.dir, 'none') })).trouble, 'not started');
});

test('a tree says what its git is in the middle of, read from files alone', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' });
  const tree = r.treeOf('one');
  const repository = r.isolation.repository(r.context, tree);
  const facts = (files: readonly string[] = []) =>
    treeFacts(r.context, { tree, repository, files });
  assert.deepEqual(await facts(), { exists: false, unfinished: null });
  const { worktree } = await r.prepare('one');
  assert.deepEqual(await facts(), { exists: true, unfinished: null });
  const other = commitOn(r, r.base, { 'a.txt': 'theirs\n' });
  r.scratch.gitIn(worktree, 'checkout', '-q', '-b', 'mine');
  r.scratch.gitIn(worktree, 'rm', '-q', 'a.txt');
  writeFileSync(join(worktree, 'a.txt'), 'ours\n');
  r.scratch.gitIn(worktree, 'add', '-A');
  r.scratch.gitIn(worktree, 'commit', '-q', '-m', 'Ours');
  assert.equal(r.scratch.tryGit(worktree, 'merge', other).code, 1);
  assert.equal((await facts()).unfinished, 'a.txt still has conflict markers');
  r.scratch.gitIn(worktree, 'commit', '-q', '-a', '-m', 'Markers and all');
  assert.equal((await facts()).unfinished, null);
  assert.equal((await facts(['a.txt'])).unfinished, 'a.txt still has conflict markers');
  writeFileSync(join(worktree, 'a.txt'), 'both\n');
  r.scratch.gitIn(worktree, 'reset', '-q', '--hard', 'HEAD~1');
  r.scratch.tryGit(worktree, 'merge', other);
  writeFileSync(join(worktree, 'a.txt'), 'both\n');
  assert.equal((await facts()).unfinished, 'a merge is not committed yet');
  r.scratch.gitIn(worktree, 'merge', '--abort');
  assert.equal(r.scratch.tryGit(worktree, 'rebase', other).code, 1);
  writeFileSync(join(worktree, 'a.txt'), 'both\n');
  assert.equal((await facts()).unfinished, 'a rebase is under way');
});
