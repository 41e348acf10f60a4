/** Repositories in which czar does not start: refused before anything is made, in one sentence. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { commonDirOf } from './support/git-fixture.ts';
import {
  arranged,
  cloneOf,
  halfMade,
  upstream,
  type OddRepository,
} from './support/odd-repository.ts';
import { Scratch } from './support/scratch.ts';

interface Refused extends OddRepository {
  readonly exit: 2 | 4;
  readonly says: RegExp;
}

const refused: readonly Refused[] = [
  {
    name: 'one without a commit',
    repository: (scratch) => {
      scratch.gitIn(scratch.base, 'init', '-q', '-b', 'main', 'repo');
    },
    exit: 4,
    says: /no commit yet/,
  },
  {
    name: 'fault 66: a partial clone',
    repository: (scratch) => {
      const origin = upstream(scratch);
      scratch.gitIn(origin, 'config', 'uploadpack.allowFilter', 'true');
      cloneOf(scratch, '--filter=blob:none', `file://${origin}`);
    },
    exit: 2,
    says: /partial clone/,
  },
  {
    name: 'fault 52: a linked worktree of the user that was never finished',
    arrange: (scratch) => {
      halfMade(scratch);
    },
    exit: 4,
    says: /linked worktree half was never finished/,
  },
  {
    name: 'fault 66: one with submodules',
    arrange: (scratch) => {
      const origin = upstream(scratch);
      scratch.git('-c', 'protocol.file.allow=always', 'submodule', '--quiet', 'add', origin, 'sub');
      scratch.commitAll('a submodule');
    },
    exit: 2,
    says: /submodules \(sub\)/,
  },
  {
    name: 'fault 66: one with LFS pointers',
    arrange: (scratch) => {
      scratch.write('.gitattributes', '*.bin filter=lfs diff=lfs merge=lfs -text\n');
      scratch.write('a.bin', 'version https://git-lfs.github.com/spec/v1\n');
      scratch.commitAll('pointers');
    },
    exit: 2,
    says: /filters \(lfs\)/,
  },
  {
    name: 'one with filters (clean, smudge, process) that a folder of it names',
    arrange: (scratch) => {
      scratch.write('deep/er/.gitattributes', '*.txt filter=tidy\n');
      scratch.write('deep/er/a.txt', 'a\n');
      scratch.commitAll('filtered');
      for (const key of ['clean', 'smudge', 'process'])
        scratch.git('config', `filter.tidy.${key}`, 'cat');
    },
    exit: 2,
    says: /filters \(tidy\)/,
  },
  {
    name: 'one with a filter that its own settings give to a file, and no commit does',
    arrange: (scratch) => {
      scratch.write('a.bin', 'a\n');
      scratch.write('.git/info/attributes', '*.bin filter=tidy\n*.txt filter=none\n');
      scratch.commitAll('filtered');
      scratch.git('config', 'filter.tidy.clean', 'cat');
    },
    exit: 2,
    says: /filters \(tidy\)/,
  },
  {
    name: 'one in a folder whose name has a line feed',
    folder: 'two\nlines',
    exit: 2,
    says: /"[^"]*two\\nlines" has a line feed in its path/,
  },
  {
    name: 'one with a longer path than the log may have',
    folder: Array.from({ length: 5 }, () => 'x'.repeat(100)).join('/'),
    exit: 2,
    says: /is too long: its git directory may have 480 bytes/,
  },
  {
    name: 'a branch named czar',
    arrange: (scratch) => scratch.git('branch', 'czar'),
    exit: 2,
    says: /branch named czar is in the way of czar\/\S+-integration/,
  },
  {
    name: 'a branch below the name of a worker’s',
    arrange: (scratch) => scratch.git('branch', 'feat/x/y'),
    worker: 'branch: feat/x\n',
    exit: 2,
    says: /branch named feat\/x\/y is in the way of feat\/x[\s\S]*\.czar\/workers\/a\.md:2/,
  },
  {
    name: 'a worker whose branch is where the run lands',
    worker: 'branch: main\n',
    exit: 2,
    says: /The branch main of a worker is where the run lands[\s\S]*\.czar\/workers\/a\.md:2/,
  },
  {
    name: 'a rebase that waits for the user',
    arrange: (scratch) => {
      scratch.git('checkout', '-q', '-b', 'side');
      scratch.write('README.md', 'side\n');
      scratch.commitAll('side');
      scratch.git('checkout', '-q', 'main');
      scratch.write('README.md', 'main\n');
      scratch.commitAll('main');
      scratch.acting(() => {
        assert.throws(() => scratch.gitIn(scratch.repo, 'rebase', 'side'));
      });
    },
    exit: 4,
    says: /a rebase is in progress/,
  },
];

describe('a run is refused up front, in one sentence and with nothing made, in', () => {
  for (const row of refused) {
    test(row.name, async () => {
      await using scratch = await arranged(row);
      const done = await scratch.czar('run', ...(row.run ?? []));
      assert.equal(done.code, row.exit, done.stderr + done.stdout);
      assert.match(done.stderr, row.says);
      assert.ok(done.stderr.trim().split('\n').length <= 3, done.stderr);
      assert.equal(done.stdout, '');
      assert.equal(
        scratch.gitIn(scratch.repo, 'for-each-ref', 'refs/czar', 'refs/heads/czar/'),
        '',
      );
      assert.equal(existsSync(join(commonDirOf(scratch.repo), 'czar/mirror.git')), false);
    });
  }

  test('one of another user’s, unless the settings of git say that it may be worked in', async (t) => {
    if (process.getuid?.() !== 0) return t.skip('only root gives a repository to another user');
    await using scratch = await Scratch.make();
    scratch.scripted('echo a > a.txt');
    scratch.worker('a');
    scratch.commitAll();
    const give = (owner: string) => spawnSync('chown', ['-R', owner, scratch.repo]);
    give('65534:65534');
    const asked = await scratch.czar('run');
    assert.equal(asked.code, 2, asked.stderr);
    assert.match(asked.stderr, /belongs to another user, .* safe\.directory /);
    const setting = ['config', '--global', 'safe.directory', scratch.repo];
    assert.equal(spawnSync('git', setting, { env: scratch.env }).status, 0);
    const done = await scratch.czar('run');
    assert.equal(done.code, 0, done.stderr);
    const landed = await scratch.czar('land');
    assert.equal(landed.code, 0, landed.stderr);
    assert.ok(existsSync(join(scratch.repo, 'a.txt')));
    give('0:0');
  });

  test('one whose log is another user’s, which is not taken for one without a run', async (t) => {
    await using scratch = await Scratch.make();
    scratch.scripted('echo a > a.txt');
    scratch.worker('a');
    scratch.commitAll();
    assert.equal((await scratch.czar('run')).code, 0);
    const isRoot = process.getuid?.() === 0;
    const state = join(commonDirOf(scratch.repo), 'czar');
    const other = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    const ask = (...args: readonly string[]) =>
      spawnSync(scratch.launcher, args, {
        ...other,
        cwd: scratch.repo,
        env: scratch.env,
        encoding: 'utf8',
      });
    chmodSync(scratch.base, 0o755);
    if (ask('--version').status !== 0)
      return t.skip('czar itself is no other user’s to start here');
    if (spawnSync('ls', [scratch.repo], other).status !== 0)
      return t.skip('no other user comes to the scratch repository');
    if (!isRoot) chmodSync(state, 0);
    const asked = ask('status');
    chmodSync(state, 0o700);
    assert.equal(asked.status, 4, asked.stderr);
    assert.match(
      asked.stderr,
      /^czar: the log is not yours to read .*\n +next: run czar as the user/,
    );
  });

  test('one in whose git directory the user may not write, by the name of the folder', async (t) => {
    await using scratch = await Scratch.make();
    scratch.scripted('echo a > a.txt');
    scratch.worker('a');
    scratch.commitAll();
    const isRoot = process.getuid?.() === 0;
    const other = isRoot ? { uid: 65_534, gid: 65_534 } : {};
    const give = (owner: string) => isRoot && spawnSync('chown', ['-R', owner, scratch.base]);
    const ask = (...args: readonly string[]) =>
      spawnSync(scratch.launcher, args, {
        ...other,
        cwd: scratch.repo,
        env: scratch.env,
        encoding: 'utf8',
      });
    give('65534:65534');
    if (ask('--version').status !== 0) {
      give('0:0');
      return t.skip('czar itself is no other user’s to start here');
    }
    for (const name of ['objects', 'refs']) {
      const folder = join(commonDirOf(scratch.repo), name);
      chmodSync(folder, 0o555);
      const asked = ask('run');
      chmodSync(folder, 0o755);
      assert.equal(asked.status, 4, asked.stderr);
      assert.ok(asked.stderr.includes(`may not write in ${folder}`), asked.stderr);
    }
    give('0:0');
  });

  test('one where the disk does not take a file, which is no fault of czar', async () => {
    await using scratch = await Scratch.make();
    scratch.scripted('echo a > a.txt');
    scratch.worker('a');
    scratch.write('.czar/logs/daemon.log/in-the-way', '');
    const { code, stderr } = await scratch.czar('daemon', 'start');
    assert.equal(code, 4, stderr);
    assert.match(stderr, /^czar: EISDIR: .*daemon\.log'$/m);
    assert.doesNotMatch(stderr, /internal error/);
  });

  test('one on a machine without git, which the verbs that need it say too', async () => {
    await using scratch = await Scratch.make();
    scratch.scripted('echo a > a.txt');
    scratch.worker('a');
    scratch.commitAll();
    assert.equal((await scratch.czar('run')).code, 0);
    const tools = join(scratch.base, 'tools');
    mkdirSync(tools);
    const path = scratch.env['PATH'];
    scratch.env['PATH'] = tools;
    for (const [exit, ...args] of [
      [2, 'run', '--new'],
      [2, 'land'],
      [1, 'diff', 'a'],
    ] as const) {
      const { code, stderr } = await scratch.czar(...args);
      assert.match(stderr, /^czar: git is not on the PATH: czar needs git 2\.38 or newer$/m);
      assert.equal(code, exit, args.join(' '));
    }
    assert.match((await scratch.czar('doctor')).stdout, /^problem git: git is not on the PATH/m);
    assert.equal((await scratch.czar('status')).code, 0, 'reading needs no git');
    scratch.env['PATH'] = path;
  });

  test('a bare one', async () => {
    await using scratch = await Scratch.make();
    scratch.gitIn(scratch.base, 'clone', '-q', '--bare', scratch.repo, 'bare.git');
    const done = await scratch.czar('run', '--repo', join(scratch.base, 'bare.git'));
    assert.equal(done.code, 2, done.stderr);
    assert.match(done.stderr, /is a bare repository/);
    assert.equal(existsSync(join(scratch.base, 'bare.git/czar')), false);
  });
});

test('validate finds the branch of a worker that is the configured target, and warns of one that is checked out', async () => {
  await using scratch = await Scratch.make();
  scratch.config('target: release\n');
  scratch.git('branch', 'release');
  scratch.worker('a', 'branch: release\n');
  scratch.worker('b', 'branch: main\n');
  scratch.commitAll();
  const { code, stdout } = await scratch.czar('validate');
  assert.equal(code, 2, stdout);
  assert.match(stdout, /a\.md:2:\d+: error: branch: release is where runs land/);
  assert.match(stdout, /b\.md:2:\d+: warning: branch: main is checked out/);
  scratch.worker('a');
  assert.equal((await scratch.czar('validate')).code, 0);
  const refused = await scratch.czar('run');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /main of a worker is checked out[\s\S]*workers\/b\.md:2/);
});
