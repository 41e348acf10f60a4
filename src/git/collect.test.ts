import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../process/run.ts';
import { fingerprint, writeFiles } from '../../test/support/git-fixture.ts';
import { gitRun, identity, run } from '../../test/support/git-worker.ts';
import type { GitRun } from '../../test/support/git-worker.ts';
import { collect } from './collect.ts';
import { keepFiles } from './keep.ts';
import { listRefs } from './refs.ts';

const branch = `czar/${run}/one`;

/** A run with a prepared tree of worker `one`, and git in it. */
async function working(files?: Readonly<Record<string, string>>): Promise<{
  r: GitRun;
  tree: string;
  git: (...args: string[]) => string;
  mirror: (...args: string[]) => string;
}> {
  const r = await gitRun(files);
  const { worktree: tree } = await r.prepare('one');
  const git = (...args: string[]): string => r.scratch.gitIn(tree, ...args);
  const mirror = (...args: string[]): string => r.scratch.gitIn(r.context.mirror, ...args);
  return { r, tree, git, mirror };
}

/** Whether every id is reachable from a ref of czar's in the mirror. */
async function assertHeld(r: GitRun, ids: readonly string[]): Promise<void> {
  const refs = [...(await listRefs(r.context, 'refs/czar/')).values()];
  const reachable = new Set(r.scratch.gitIn(r.context.mirror, 'rev-list', ...refs).split('\n'));
  for (const id of ids) assert.ok(reachable.has(id), `${id} is not held`);
}

async function fifo(path: string): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '' };
  assert.equal(
    (await runCommand({ argv: ['mkfifo', path], cwd: '/', env, timeoutMs: 5000 })).code,
    0,
  );
}

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
    'collect:before-commit-ref',
    'collect:after-commit-ref',
    'collect:before-move-on',
    'collect:after-move-on',
    'collect:done',
  ]) {
    const { r, tree } = await working({ 'a.txt': 'a\n' });
    using _ = r;
    writeFiles(tree, { 'new.txt': 'n\n', 'secret.pem': 'key' });
    const context = r.crashingAt(point);
    const integration = await r.integration();
    const dying = collect(context, {
      ...{
        run,
        worker: 'one',
        attempt: 1,
        tree,
        branch,
        base: r.base,
        integration,
        commitUncommitted: true,
      },
      ...{ message: 'M', why: 'w', identity, rules: r.rules, now: 5_000 },
    });
    await assert.rejects(dying, /killed/, point);
    const { work } = await r.collect('one');
    assert.deepEqual(work.committedFor?.files, ['new.txt'], point);
    assert.equal(work.commits, 1, point);
    assert.equal(work.kept.length, 1, point);
    assert.equal((await listRefs(r.context, 'refs/czar/kept/')).size, 1, point);
    assert.deepEqual((await r.collect('one')).work, work, point);
  }
});

test('what a failed attempt left is kept under a ref, once, and its branch stays', async () => {
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

test('large files, secrets, carried files and special files are kept aside and named', async () => {
  const { r, tree, mirror } = await working({ '.env': 'TRACKED=1\n', 'a.txt': 'a\n' });
  using _ = r;
  writeFiles(tree, {
    'ok.txt': 'ok\n',
    '.env': 'TRACKED=2\n',
    'conf/.env.local': 'TOKEN=1\n',
    '.env.example': 'TOKEN=\n',
    'deploy.pem': 'key\n',
    'carried/x': 'x\n',
    'big.bin': '',
  });
  truncateSync(join(tree, 'big.bin'), 10_001);
  await fifo(join(tree, 'pipe'));
  const rules = { ...r.rules, carried: ['carried'] };
  const { work } = await r.collect('one', { rules });
  assert.deepEqual(work.committedFor?.files, ['.env', '.env.example', 'ok.txt']);
  const left = Object.fromEntries(
    (work.kept[0]?.leftOut ?? []).map((each) => [each.path, each.why]),
  );
  assert.deepEqual(left, {
    'big.bin': 'it is larger than 10000 bytes',
    'carried/x': 'it was carried into the tree',
    'conf/.env.local': 'its name looks like a secret',
    'deploy.pem': 'its name looks like a secret',
  });
  assert.equal(readFileSync(join(r.scratch.dir, 'aside/conf/.env.local'), 'utf8'), 'TOKEN=1\n');
  assert.ok(existsSync(join(r.scratch.dir, 'aside/big.bin')));
  assert.equal(work.kept[0]?.commit, work.tip);
  assert.doesNotMatch(mirror('ls-tree', '-r', '--name-only', work.tip), /pem|big|local|carried/);
});

test('files of nested repositories are stored, their history is kept aside', async () => {
  const { r, tree, git, mirror } = await working();
  using _ = r;
  r.scratch.gitIn(tree, 'init', '-q', 'fake');
  writeFiles(tree, { 'fake/f.txt': 'f\n', 'real/g.txt': 'g\n', 'real/deep/h.txt': 'h\n' });
  r.scratch.gitIn(tree, 'init', '-q', 'real/deep');
  r.scratch.gitIn(tree, 'init', '-q', 'real');
  r.scratch.gitIn(
    join(tree, 'real'),
    '-c',
    'user.name=x',
    '-c',
    'user.email=x',
    'commit',
    '-q',
    '--allow-empty',
    '-m',
    'x',
  );
  const { work } = await r.collect('one');
  assert.deepEqual(work.committedFor?.files, ['fake/f.txt', 'real/deep/h.txt', 'real/g.txt']);
  assert.deepEqual(work.kept[0]?.leftOut.map((each) => each.path).sort(), [
    'fake/.git',
    'real/.git',
    'real/deep/.git',
  ]);
  assert.ok(existsSync(join(r.scratch.dir, 'aside/real/.git/HEAD')));
  assert.doesNotMatch(mirror('ls-tree', '-r', work.tip), /160000/);
  void git;
});

test('odd names survive: newline, quote, bytes that are no UTF-8, a link out, a folder for a file', async () => {
  const { r, tree, mirror } = await working({ 'was-file': 'x\n', 'was-folder/a': 'a\n' });
  using _ = r;
  writeFiles(tree, { 'new\nline': '1', 'quo"te': '2', '-dash': '3', ':(top)x': '4' });
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/byte`), Buffer.from([0xff])]), '5');
  symlinkSync('/etc/passwd', join(tree, 'link'));
  rmSync(join(tree, 'was-file'));
  writeFiles(tree, { 'was-file/inner': 'i' });
  rmSync(join(tree, 'was-folder'), { recursive: true });
  writeFiles(tree, { 'was-folder': 'now a file' });
  const { work } = await r.collect('one');
  assert.deepEqual(work.kept, []);
  const listed = mirror('ls-tree', '-r', '-z', work.tip)
    .split('\0')
    .map((each) => each.replace(/^(\d+) .*\t/s, '$1 '));
  for (const name of [
    '100644 new\nline',
    '100644 quo"te',
    '100644 -dash',
    '100644 :(top)x',
    '120000 link',
    '100644 was-file/inner',
    '100644 was-folder',
  ]) {
    assert.ok(listed.includes(name), JSON.stringify(name));
  }
  assert.ok(listed.some((each) => each.startsWith('100644 byte')));
});

test('every commit is held: other branches, detached HEAD, stash, rewritten and reflog-only ones', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  const commit = (name: string): string => {
    writeFiles(tree, { [name]: name });
    git('add', '-A');
    git('commit', '-q', '-m', name);
    return git('rev-parse', 'HEAD');
  };
  const ids: string[] = [];
  ids.push(commit('amended'));
  writeFiles(tree, { amended: 'again' });
  git('commit', '-q', '-a', '--amend', '-m', 'amended');
  ids.push(git('rev-parse', 'HEAD'));
  git('checkout', '-q', '-b', 'side/way');
  ids.push(commit('side'));
  git('checkout', '-q', '--detach', branch);
  ids.push(commit('detached'));
  git('checkout', '-q', branch);
  writeFiles(tree, { 'a.txt': 'stashed one' });
  git('stash', '-q');
  ids.push(git('rev-parse', 'refs/stash'));
  writeFiles(tree, { 'a.txt': 'stashed two' });
  git('stash', '-q');
  ids.push(git('rev-parse', 'refs/stash'));
  ids.push(commit('dropped'));
  git('reset', '-q', '--hard', 'HEAD~1');
  git('tag', '-a', 'mine', '-m', 'tag');
  const { work } = await r.collect('one');
  assert.equal(work.tip, git('rev-parse', branch));
  await assertHeld(r, ids);

  git('reset', '-q', '--hard', r.base);
  git('branch', '-D', 'side/way');
  git('branch', 'side');
  git('reflog', 'expire', '--expire=now', '--all');
  git('gc', '-q', '--prune=now');
  const after = await r.collect('one');
  assert.equal(after.work.tip, r.base);
  await assertHeld(r, [...ids, work.tip]);
});

test('work on a detached HEAD or another branch counts when it goes on from the worker’s branch', async () => {
  for (const args of [
    ['checkout', '-q', '--detach'],
    ['checkout', '-q', '-b', 'feature'],
  ]) {
    const { r, tree, git } = await working();
    using _ = r;
    git(...args);
    writeFiles(tree, { 'a.txt': 'a\n' });
    git('add', '-A');
    git('commit', '-q', '-m', 'A');
    const head = git('rev-parse', 'HEAD');
    writeFiles(tree, { 'b.txt': 'b\n' });
    const { work, notes } = await r.collect('one');
    assert.equal(r.scratch.gitIn(r.context.mirror, 'rev-parse', `${work.tip}^`), head);
    assert.deepEqual(work.committedFor?.files, ['b.txt']);
    assert.match(notes.join(), /committed on (a detached HEAD|the branch feature)/);
    assert.equal(git('symbolic-ref', 'HEAD'), `refs/heads/${branch}`);
    assert.equal(git('status', '--porcelain'), '');
  }
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

test('a tree whose .git is gone, replaced, empty or special loses no file', async () => {
  const spoil: Readonly<Record<string, (r: GitRun, tree: string) => void | Promise<void>>> = {
    gone: (_r, tree) => rmSync(join(tree, '.git'), { recursive: true }),
    link: (r, tree) => {
      rmSync(join(tree, '.git'), { recursive: true });
      symlinkSync(r.scratch.commonDir, join(tree, '.git'));
    },
    gitfile: (r, tree) => {
      rmSync(join(tree, '.git'), { recursive: true });
      writeFileSync(join(tree, '.git'), `gitdir: ${r.scratch.commonDir}\n`);
    },
    empty: (r, tree) => {
      rmSync(join(tree, '.git'), { recursive: true });
      r.scratch.gitIn(tree, 'init', '-q');
    },
    'FIFO for a ref': (_r, tree) => fifo(join(tree, '.git/refs/heads/pipe')),
    'FIFO for config': async (_r, tree) => {
      rmSync(join(tree, '.git/config'));
      await fifo(join(tree, '.git/config'));
    },
    'FIFO among the objects': (_r, tree) => fifo(join(tree, '.git/objects/info/commit-graph')),
    commondir: (r, tree) => writeFileSync(join(tree, '.git/commondir'), `${r.scratch.commonDir}\n`),
  };
  for (const [name, act] of Object.entries(spoil)) {
    const { r, tree } = await working({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
    using _ = r;
    writeFiles(tree, { 'new.txt': 'n\n', 'a.txt': 'changed\n' });
    await act(r, tree);
    const before = fingerprint(r.scratch.root);
    const { work, notes } = await r.collect('one');
    assert.equal(work.tip, r.base, name);
    assert.deepEqual(work.kept[0]?.files, ['a.txt', 'new.txt'], name);
    assert.equal(notes.length, 1, name);
    assert.deepEqual(fingerprint(r.scratch.root), before, name);
  }
});

test('nothing that an agent configured runs when its tree is collected', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  const canary = join(r.scratch.dir, 'canary');
  const shout = (name: string): string => `sh -c 'echo ${name} >> ${canary}; cat'`;
  const keys = [
    'core.fsmonitor',
    'core.sshCommand',
    'core.pager',
    'core.editor',
    'diff.external',
    'filter.evil.clean',
    'filter.evil.smudge',
    'filter.evil.process',
    'merge.evil.driver',
    'diff.evil.textconv',
    'uploadpack.packObjectsHook',
    'core.alternateRefsCommand',
    'gpg.program',
    'credential.helper',
    'alias.fetch',
  ];
  for (const key of keys) git('config', key, shout(key));
  git('config', 'core.worktree', '/etc');
  git('config', 'uploadpack.hideRefs', 'refs/heads');
  git('config', 'core.excludesFile', join(tree, 'everything'));
  const hooks: Record<string, string> = {};
  for (const hook of [
    'post-checkout',
    'reference-transaction',
    'post-index-change',
    'pre-commit',
    'post-commit',
    'fsmonitor-watchman',
  ]) {
    hooks[`.git/hooks/${hook}*`] = `#!/bin/sh\necho ${hook} >> ${canary}\n`;
  }
  writeFiles(tree, {
    ...hooks,
    '.gitattributes': '* filter=evil diff=evil merge=evil\n',
    everything: '*\n',
    '.git/info/exclude': '*\n',
    '.git/info/attributes': '* filter=evil\n',
    'new.txt': 'n\n',
  });
  const { work } = await r.collect('one');
  assert.equal(existsSync(canary), false, existsSync(canary) ? readFileSync(canary, 'utf8') : '');
  assert.deepEqual(work.committedFor?.files, ['.gitattributes', 'everything', 'new.txt']);
  await r.prepare('one', { attempt: 2 });
  assert.equal(existsSync(canary), false);
});

test('a damaged branch keeps its files and says so; sound branches still come home', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  git('checkout', '-q', '-b', 'good');
  git('commit', '-q', '--allow-empty', '-m', 'Good');
  const good = git('rev-parse', 'HEAD');
  git('checkout', '-q', branch);
  writeFiles(tree, { 'b.txt': 'b\n' });
  git('add', '-A');
  git('commit', '-q', '-m', 'B');
  const id = git('rev-parse', 'HEAD^{tree}');
  rmSync(join(tree, '.git/objects', id.slice(0, 2), id.slice(2)));
  const { work, notes } = await r.collect('one');
  assert.deepEqual(work.kept[0]?.files, ['b.txt']);
  assert.match(notes.join(), /damaged/);
  await assertHeld(r, [good]);
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
