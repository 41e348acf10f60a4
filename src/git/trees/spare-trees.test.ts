import assert from 'node:assert/strict';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../../process/run.ts';
import { scratchRepository, writeFiles } from '../../../test/support/git-fixture.ts';
import { commitOn, gitRun } from '../../../test/support/git-worker.ts';
import type { GitRun } from '../../../test/support/git-worker.ts';
import { checkTree, removeCheckTree } from './check-tree.ts';
import { gitContext } from '../context.ts';
import { allDeleted } from './discard.ts';
import { ensureMirror } from '../mirror.ts';
import { emptyPool, sweepRecords } from './spare-trees.ts';

const files = {
  '.gitignore': 'ignored/\n*.o\n',
  'a.txt': 'aaaa\n',
  'b.txt': 'bbbb\n',
  'deep/er/c.txt': 'cccc\n',
  'deep/d.txt': 'dddd\n',
  'deep/odd\nname': 'odd\n',
  'föö/ü.txt': 'ü\n',
  'run.sh*': '#!/bin/sh\n',
  'src/main.ts': 'main\n',
};

/** Everything below a folder but `.git`: kind, rights and content of each path. */
function contents(dir: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  const visit = (folder: string): void => {
    for (const name of readdirSync(join(dir, folder))) {
      const path = join(folder, name);
      if (path === '.git') continue;
      const stat = lstatSync(join(dir, path));
      const mode = stat.mode.toString(8);
      if (stat.isSymbolicLink()) found[path] = `link ${readlinkSync(join(dir, path))}`;
      else if (stat.isDirectory()) {
        found[path] = mode;
        visit(path);
      } else found[path] = `${mode} ${stat.isFile() ? readFileSync(join(dir, path), 'utf8') : '?'}`;
    }
  };
  visit('');
  return found;
}

/** Whether a tree is as one that was made from nothing. */
function assertLike(r: GitRun, tree: string, cold: string, what: string): void {
  assert.deepEqual(contents(tree), contents(cold), what);
  for (const name of ['config', 'hooks/pre-push', 'info/exclude', 'objects/info/alternates']) {
    const [ours, its] = [tree, cold].map((dir) => join(dir, '.git', name));
    if (its !== undefined && existsSync(its))
      assert.equal(readFileSync(ours ?? '', 'utf8'), readFileSync(its, 'utf8'), what);
  }
  assert.equal(r.scratch.gitIn(tree, 'status', '--porcelain', '--ignored'), '', what);
  const parts = (folder: string): string[] => readdirSync(join(folder, '.git'));
  assert.deepEqual(parts(tree), parts(cold), what);
}

const inode = (path: string): number => lstatSync(path).ino;

/** What an agent may do to a tree, each by a name. */
const mischief: Readonly<Record<string, (tree: string, outside: string) => void>> = {
  'nothing at all': () => undefined,
  'a file of the same size and time': (tree) => {
    const { atimeMs, mtimeMs } = lstatSync(join(tree, 'a.txt'));
    writeFileSync(join(tree, 'a.txt'), 'AAAA\n');
    utimesSync(join(tree, 'a.txt'), atimeMs / 1e3, mtimeMs / 1e3);
  },
  'files that changed places': (tree) => {
    renameSync(join(tree, 'a.txt'), join(tree, 'x'));
    renameSync(join(tree, 'b.txt'), join(tree, 'a.txt'));
    renameSync(join(tree, 'x'), join(tree, 'b.txt'));
  },
  'other rights': (tree) => {
    chmodSync(join(tree, 'a.txt'), 0o600);
    chmodSync(join(tree, 'b.txt'), 0o755);
    chmodSync(join(tree, 'run.sh'), 0o644);
    chmodSync(join(tree, 'deep'), 0o777);
    chmodSync(join(tree, 'src'), 0o700);
  },
  'nothing may be read or written': (tree) => {
    chmodSync(join(tree, 'src/main.ts'), 0);
    chmodSync(join(tree, 'src'), 0);
    chmodSync(join(tree, 'deep'), 0o500);
  },
  'a second name outside': (tree, outside) => linkSync(join(tree, 'a.txt'), join(outside, 'a')),
  'links in place of a file and of a folder': (tree, outside) => {
    writeFiles(outside, { 'd.txt': 'dddd\n', 'er/c.txt': 'cccc\n', 'mine.txt': 'stays\n' });
    rmSync(join(tree, 'deep'), { recursive: true });
    symlinkSync(outside, join(tree, 'deep'));
    rmSync(join(tree, 'a.txt'));
    symlinkSync(join(outside, 'mine.txt'), join(tree, 'a.txt'));
  },
  'ignored, untracked and empty things': (tree) => {
    writeFiles(tree, {
      'ignored/big/file': 'x',
      'x.o': 'x',
      'deep/new.txt': 'x',
      'A.TXT': 'x',
      '.env': 'x',
    });
    mkdirSync(join(tree, 'deep/empty/er'), { recursive: true });
    chmodSync(join(tree, 'ignored/big'), 0o500);
  },
  'a folder in place of a file, a file in place of a folder': (tree) => {
    rmSync(join(tree, 'b.txt'));
    writeFiles(tree, { 'b.txt/inside': 'x' });
    rmSync(join(tree, 'deep'), { recursive: true });
    writeFileSync(join(tree, 'deep'), 'x');
  },
  'a folder that was moved away and linked to': (tree, outside) => {
    renameSync(join(tree, 'deep'), join(outside, 'moved'));
    symlinkSync(join(outside, 'moved'), join(tree, 'deep'));
  },
  'a file in a folder whose times were set back': (tree) => {
    const { atimeMs, mtimeMs } = lstatSync(join(tree, 'deep/er'));
    writeFileSync(join(tree, 'deep/er/late'), 'x');
    utimesSync(join(tree, 'deep/er'), atimeMs / 1e3, mtimeMs / 1e3);
  },
  'nothing left': (tree) => {
    for (const name of readdirSync(tree))
      if (name !== '.git') rmSync(join(tree, name), { recursive: true });
  },
};

test('a tree that serves again is as one made from nothing, whatever its last user did to it', async () => {
  using r = await gitRun(files);
  const pool = join(r.scratch.dir, 'spare/trees');
  const [cold, tree] = [join(r.scratch.dir, 'cold'), join(r.scratch.dir, 'tree')];
  for (const dir of [cold, tree])
    assert.equal((await checkTree(r.context, { dir, pool, commit: r.base })).kind, 'ready');
  const root = inode(tree);
  const outside = join(r.scratch.dir, 'outside');
  mkdirSync(outside);
  for (const [what, act] of Object.entries(mischief)) {
    const kept = inode(join(tree, 'föö/ü.txt'));
    act(tree, outside);
    await removeCheckTree(r.context, { dir: tree, pool });
    await checkTree(r.context, { dir: tree, pool, commit: r.base });
    assertLike(r, tree, cold, what);
    assert.equal(inode(tree), root, `it is the same folder: ${what}`);
    if (what !== 'nothing left') assert.equal(inode(join(tree, 'föö/ü.txt')), kept, what);
  }
  assert.equal(readFileSync(join(outside, 'mine.txt'), 'utf8'), 'stays\n');
  assert.equal(readFileSync(join(outside, 'moved/d.txt'), 'utf8'), 'dddd\n');
  appendFileSync(join(outside, 'a'), 'more\n');
  assert.equal(readFileSync(join(tree, 'a.txt'), 'utf8'), 'aaaa\n');
  await allDeleted();
});

test('nothing of an old .git acts in a tree that serves again', async () => {
  using r = await gitRun(files);
  const { worktree } = await r.prepare('one');
  const canary = join(r.scratch.dir, 'canary');
  const git = join(worktree, '.git');
  const hook = `#!/bin/sh\ntouch ${canary}\n`;
  r.scratch.gitIn(worktree, 'update-index', '--assume-unchanged', 'a.txt');
  r.scratch.gitIn(worktree, 'update-index', '--skip-worktree', 'b.txt');
  writeFiles(worktree, { 'a.txt': 'changed\n', 'b.txt': 'changed\n' });
  writeFiles(git, {
    'hooks/post-checkout*': hook,
    'hooks/post-index-change*': hook,
    'fsmonitor*': hook,
    'info/attributes': '* filter=evil text eol=crlf\n',
    'info/sparse-checkout': '/nothing\n',
  });
  appendFileSync(
    join(git, 'config'),
    `[core]\n\tfsmonitor = ${git}/fsmonitor\n\tworktree = ${r.scratch.dir}\n\tsparseCheckout = true\n[filter "evil"]\n\tsmudge = touch ${canary}\n\trequired = true\n`,
  );
  rmSync(join(git, 'HEAD'));
  const fifo = await runCommand({
    argv: ['mkfifo', join(git, 'HEAD')],
    cwd: '/',
    env: {},
    timeoutMs: 5_000,
  });
  assert.equal(fifo.spawnError, null);
  writeFileSync(join(git, 'objects/info/alternates'), '/nowhere\n');
  const cold = (await r.prepare('cold')).worktree;
  await r.prepare('one', { attempt: 2 });
  assertLike(r, worktree, cold, 'an old .git');
  assert.equal(existsSync(canary), false);
  await allDeleted();
});

test('a check tree serves the next check at another commit, whatever the last one left', async () => {
  using r = await gitRun(files);
  const at = (name: string): { dir: string; pool: string } => ({
    dir: join(r.scratch.dir, `cache/${name}/tree`),
    pool: join(r.scratch.dir, 'cache/spare/trees'),
  });
  const next = commitOn(r, r.base, { 'a.txt': null, 'src/main.ts': 'next\n', 'new/file': 'new\n' });
  await checkTree(r.context, { ...at('one'), commit: r.base });
  const { ino } = lstatSync(at('one').dir);
  writeFiles(at('one').dir, { 'build/out': 'x', 'new/other': 'x', 'src/main.ts': 'spoilt\n' });
  await removeCheckTree(r.context, at('one'));
  assert.equal(existsSync(at('one').dir), false);
  const ready = await checkTree(r.context, { ...at('two'), commit: next });
  assert.deepEqual(ready, {
    kind: 'ready',
    tree: r.scratch.gitIn(r.context.mirror, 'rev-parse', `${next}^{tree}`),
  });
  await checkTree(r.context, { ...at('cold'), commit: next });
  assert.equal(inode(at('two').dir), ino);
  assert.deepEqual(contents(at('two').dir), contents(at('cold').dir));
  assert.equal(r.scratch.gitIn(at('two').dir, 'status', '--porcelain', '--ignored'), '');
  assert.equal(r.scratch.gitIn(at('two').dir, 'rev-parse', 'HEAD'), next);

  for (const name of ['two', 'cold']) await removeCheckTree(r.context, at(name));
  assert.equal(readdirSync(at('one').pool).length, 2);
  await emptyPool(r.context, at('one').pool);
  await allDeleted();
  assert.deepEqual(readdirSync(at('one').pool), []);
  await sweepRecords(r.context, [dirname(r.treeOf('one'))]);
  assert.deepEqual(readdirSync(join(r.context.state, 'records')), []);
});

test('more trees than can be of use are deleted when they are given back', async () => {
  using r = await gitRun(files);
  const pool = join(r.scratch.dir, 'cache/spare/trees');
  const dirs = ['a', 'b', 'c'].map((name) => join(r.scratch.dir, 'cache', name));
  for (const dir of dirs) await checkTree(r.context, { dir, pool, commit: r.base });
  for (const dir of dirs) await removeCheckTree(r.context, { dir, pool });
  assert.equal(readdirSync(pool).length, 2);
  assert.deepEqual(readdirSync(join(r.scratch.dir, 'cache/spare/.trash')), []);
});

test('a tree in which somebody still works, or has a file open, serves nobody', async () => {
  for (const how of ['works', 'open'] as const) {
    using r = await gitRun(files);
    const { worktree } = await r.prepare('one');
    const root = inode(worktree);
    const file = how === 'open' ? openSync(join(worktree, 'a.txt'), 'r+') : null;
    const before = process.cwd();
    if (how === 'works') process.chdir(join(worktree, 'deep'));
    try {
      const { worktree: next } = await r.prepare('one', { attempt: 2 });
      assert.notEqual(inode(next), root, how);
      assert.equal(readFileSync(join(next, 'a.txt'), 'utf8'), 'aaaa\n');
    } finally {
      process.chdir(before);
      if (file !== null) closeSync(file);
    }
    await allDeleted();
  }
});

test('where attributes changed, or the record cannot be used, the tree is made from nothing', async () => {
  using r = await gitRun({ ...files, 'crlf.txt': 'one\r\ntwo\r\n' });
  const { worktree } = await r.prepare('one');
  const root = inode(worktree);
  const next = commitOn(r, r.base, { 'src/.gitattributes': '*.ts text eol=crlf\n' });
  const second = await r.prepare('one', { attempt: 2, commit: next });
  assert.notEqual(inode(second.worktree), root);
  assert.equal(readFileSync(join(second.worktree, 'src/main.ts'), 'utf8'), 'main\r\n');
  await allDeleted();

  const records = join(r.context.state, 'records');
  for (const name of readdirSync(records)) appendFileSync(join(records, name), 'more');
  const third = await r.prepare('one', { attempt: 3, commit: next });
  assert.notEqual(inode(third.worktree), inode(second.worktree) === root ? root : -1);
  assert.equal(readFileSync(join(third.worktree, 'src/main.ts'), 'utf8'), 'main\r\n');
  await allDeleted();
});

test('a kill at any step of giving back and taking again is carried through', async () => {
  using r = await gitRun(files);
  let attempt = 1;
  const cold = (await r.prepare('cold')).worktree;
  await r.prepare('one');
  for (const point of [
    'spare:before-put',
    'spare:after-put',
    'spare:before-take',
    'spare:after-take',
    'spare:after-renew',
  ]) {
    attempt += 1;
    const tree = r.treeOf('one');
    writeFiles(tree, { 'open.txt': `${point}\n` });
    await r.killedAt(point, (context) => r.prepare('one', { attempt }, context));
    const { kept } = await r.prepare('one', { attempt });
    const texts = kept.map(({ ref }) =>
      r.scratch.gitIn(r.context.mirror, 'show', `${ref}:open.txt`),
    );
    assert.ok(texts.includes(point), `${point}: ${texts.join()}`);
    assertLike(r, tree, cold, point);
  }
  await allDeleted();
});

test('trees of SHA-256 repositories serve again', async () => {
  using scratch = scratchRepository({ objectFormat: 'sha256', files });
  const home = join(scratch.root, '.czar');
  const context = gitContext({ root: scratch.root, commonDir: scratch.commonDir, home });
  assert.equal((await ensureMirror(context)).kind, 'ready');
  const commit = scratch.git('rev-parse', 'HEAD');
  const [dir, pool] = [join(scratch.dir, 'check/tree'), join(scratch.dir, 'spare/trees')];
  await checkTree(context, { dir, pool, commit });
  const root = inode(dir);
  await removeCheckTree(context, { dir, pool });
  assert.equal((await checkTree(context, { dir, pool, commit })).kind, 'ready');
  assert.equal(inode(dir), root);
  assert.equal(scratch.gitIn(dir, 'status', '--porcelain'), '');
});
