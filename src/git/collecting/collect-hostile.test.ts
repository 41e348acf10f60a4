import assert from 'node:assert/strict';
import {
  existsSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { runCommand } from '../../process/run.ts';
import { fingerprint, writeFiles } from '../../../test/support/git-fixture.ts';
import { assertHeld, run, working } from '../../../test/support/git-worker.ts';
import type { GitRun } from '../../../test/support/git-worker.ts';

const branch = `czar/${run}/one`;

async function fifo(path: string): Promise<void> {
  const env = { PATH: process.env['PATH'] ?? '' };
  assert.equal(
    (await runCommand({ argv: ['mkfifo', path], cwd: '/', env, timeoutMs: 5000 })).code,
    0,
  );
}

test('fault 67: large files, secrets, carried files and special files are kept aside and named', async () => {
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
  const asides = (work.kept[0]?.leftOut ?? []).map((each) => each.aside ?? 'where it came from');
  assert.deepEqual(asides.toSorted(), [
    '../aside/big.bin',
    '../aside/conf/.env.local',
    '../aside/deploy.pem',
    'where it came from',
  ]);
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

test('repositories that a commit only links to are kept aside whole, and stay linked', async () => {
  const { r, tree, mirror } = await working();
  using _ = r;
  const as = ['-c', 'user.name=x', '-c', 'user.email=x', '-c', 'protocol.file.allow=always'];
  for (const inner of ['near', 'below/far']) {
    writeFiles(tree, { [`${inner}/n.txt`]: 'n\n' });
    r.scratch.gitIn(tree, 'init', '-q', inner);
    r.scratch.gitIn(join(tree, inner), 'add', '-A');
    r.scratch.gitIn(join(tree, inner), ...as, 'commit', '-q', '-m', 'n');
    r.scratch.gitIn(tree, 'add', inner);
  }
  const add = ['submodule', '--quiet', 'add', '--name', 'other'];
  r.scratch.gitIn(tree, ...as, ...add, join(tree, 'near'), 'sub');
  r.scratch.gitIn(tree, ...as, 'commit', '-q', '-m', 'links');
  writeFiles(tree, { 'near/later.txt': 'later\n', 'sub/later.txt': 'later\n' });
  r.scratch.gitIn(join(tree, 'below/far'), ...as, 'commit', '-q', '--allow-empty', '-m', 'on');
  const { work } = await r.collect('one');
  assert.equal(work.committedFor, null);
  assert.equal(mirror('ls-tree', '-r', work.tip).match(/160000/g)?.length, 3);
  assert.deepEqual(work.kept[0]?.leftOut.map((each) => each.path).sort(), [
    '.git/modules',
    'below/far',
    'near',
    'sub',
  ]);
  const aside = join(r.scratch.dir, 'aside');
  for (const file of ['near/n.txt', 'near/later.txt', 'below/far/n.txt', 'sub/later.txt'])
    assert.ok(existsSync(join(aside, file)), file);
  for (const repository of ['near/.git', 'below/far/.git', '.git/modules/other'])
    assert.ok(existsSync(join(aside, repository, 'objects')), repository);
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

test('files under names that some file system takes for .git are not stored, and are named and copied aside', async () => {
  const { r, tree, mirror } = await working();
  using _ = r;
  const odd = ['.GIT/config', 'deep/.Git/x', 'git~1'];
  writeFiles(tree, {
    ...Object.fromEntries(odd.map((path) => [path, `${path}\n`])),
    'ok.txt': 'ok\n',
  });
  const { work } = await r.collect('one');
  assert.deepEqual(work.committedFor?.files, ['ok.txt']);
  assert.deepEqual(
    work.kept[0]?.leftOut.map(({ path, why }) => `${path}: ${why}`).toSorted(),
    odd.map((path) => `${path}: git could not store it`).toSorted(),
  );
  for (const path of odd)
    assert.equal(readFileSync(join(r.scratch.dir, 'aside', path), 'utf8'), `${path}\n`);
  assert.equal(mirror('ls-tree', '-r', '--name-only', work.tip), 'README.md\nok.txt');
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

test('commits that cannot be read are left out by name, with a copy, also where no file differs', async () => {
  const { r, tree, git } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  writeFiles(tree, { 'b.txt': 'b\n' });
  git('add', '-A');
  git('commit', '-q', '-m', 'B');
  const commit = git('rev-parse', 'HEAD');
  git('checkout', '-q', '--detach', 'HEAD~1');
  rmSync(join(tree, '.git/info/exclude'));
  symlinkSync('/dev/null', join(tree, '.git/info/exclude'));
  const { work } = await r.collect('one');
  assert.equal(work.tip, r.base);
  const [kept] = work.kept;
  assert.deepEqual(kept?.files, []);
  const [left] = kept.leftOut;
  assert.match(
    left?.why ?? '',
    /^its commits cannot be read: .git\/info\/exclude is not a plain file$/,
  );
  assert.equal(left?.path, '.git');
  const copy = join(r.scratch.root, left.aside ?? '');
  assert.equal(r.scratch.gitIn(copy, 'show', `${commit}:b.txt`), 'b');
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

test('a fetch that is ended from outside is a failure to try again, not a damaged branch', async () => {
  const { r, tree, git } = await working();
  using _ = r;
  writeFiles(tree, { 'b.txt': 'b\n' });
  git('add', '-A');
  git('commit', '-q', '-m', 'B');
  const before = process.env['PATH'] ?? '';
  const real = before
    .split(':')
    .map((folder) => join(folder, 'git'))
    .find((file) => existsSync(file));
  const fake = join(r.scratch.dir, 'bin');
  const script = `case " $* " in *" fetch "*) kill -9 $$ ;; esac\nexec ${real} "$@"\n`;
  writeFiles(fake, { 'git*': `#!/bin/sh\n${script}` });
  process.env['PATH'] = `${fake}:${before}`;
  try {
    await assert.rejects(r.collect('one'), /git fetch: stopped/);
  } finally {
    process.env['PATH'] = before;
  }
  const { work } = await r.collect('one');
  assert.deepEqual(work.kept, []);
});

test('files that cannot be looked at are not deleted: they stay as they were and are named', async () => {
  const { r, tree, mirror } = await working({ 'dir/a.txt': 'a\n', 'b.txt': 'b\n' });
  using _ = r;
  // A link to itself stands for a folder without permissions, which would not hinder root.
  writeFiles(tree, { '.gitignore': 'dir\n', 'b.txt': 'changed\n' });
  rmSync(join(tree, 'dir'), { recursive: true });
  symlinkSync('dir', join(tree, 'dir'));
  const { work } = await r.collect('one');
  assert.equal(mirror('show', `${work.tip}:dir/a.txt`), 'a');
  assert.equal(mirror('show', `${work.tip}:b.txt`), 'changed');
  assert.deepEqual(work.kept[0]?.leftOut, [
    { path: 'dir/a.txt', why: 'it cannot be read', aside: null },
  ]);
});
