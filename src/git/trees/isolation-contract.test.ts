/** What every way to tie a working tree to a repository must do (the port `Isolation`), held against each of them. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { fingerprint, writeFiles } from '../../../test/support/git-fixture.ts';
import {
  assertHeld,
  commitOn,
  gitRun,
  identity,
  run,
  working,
} from '../../../test/support/git-worker.ts';
import { clone } from './clone.ts';
import { gitContext, inMirror } from '../context.ts';
import type { Isolation } from './isolation.ts';
import { linked } from './linked.ts';
import { integrationRef, listRefs, moveRefIn, readRef } from '../refs.ts';
import { treeFacts } from './tree-facts.ts';
import { prepareTree, topLevel } from './worktree.ts';

const branch = `czar/${run}/one`;
/** What a run may do in the user's repository, whatever the isolation. */
const allowed = { refs: ['refs/heads/czar/'] };

for (const [name, isolation] of [
  ['clone', clone],
  ['worktree', linked],
] as const) {
  describe(`isolation: ${name}`, () => contract(isolation));
}

function contract(isolation: Isolation): void {
  test('a tree stands on its branch at its commit, as git sees it, and nothing else of the user’s has changed', async () => {
    using r = await gitRun({ 'a.txt': 'a\n', 'bin/x*': '#!/bin/sh\n' }, isolation);
    const before = fingerprint(r.scratch.root, allowed);
    const tree = await r.prepare('one');
    assert.deepEqual(tree, {
      kind: 'ready',
      worktree: r.treeOf('one'),
      branch,
      base: r.base,
      continued: false,
      kept: [],
    });
    const git = (...args: string[]): string => r.scratch.gitIn(tree.worktree, ...args);
    assert.equal(git('rev-parse', 'HEAD'), r.base);
    assert.equal(await topLevel(tree.worktree), tree.worktree);
    writeFiles(tree.worktree, { [isolation.identityFile]: 'who\n' });
    assert.equal(git('status', '--porcelain', '--branch', '--ignored=no'), `## ${branch}`);
    git('add', '-A');
    assert.equal(git('diff', '--cached', '--name-only'), '', 'what czar puts there is not added');
    assert.deepEqual(fingerprint(r.scratch.root, allowed), before);
    assert.equal(r.scratch.git('status', '--porcelain'), '');
    assert.deepEqual(await r.prepare('one'), tree, 'preparing it again changes nothing');
  });

  test('faults 28 and 29: commits, and what was left uncommitted and untracked, come home; the tree goes on from there', async () => {
    const { r, tree, git, mirror } = await working(
      { 'a.txt': 'a\n', 'gone.txt': 'g\n' },
      isolation,
    );
    using _ = r;
    writeFiles(tree, { 'b.txt': 'b\n' });
    git('add', 'b.txt');
    git('commit', '-q', '-m', 'B');
    const own = git('rev-parse', 'HEAD');
    writeFiles(tree, { 'a.txt': 'more\n', 'new/c.txt': 'c\n' });
    rmSync(join(tree, 'gone.txt'));
    const { work, notes } = await r.collect('one');
    assert.deepEqual(notes, []);
    assert.deepEqual(work.committedFor?.files, ['a.txt', 'gone.txt', 'new/c.txt']);
    assert.equal(mirror('rev-parse', `${work.tip}^`), own);
    assert.equal(git('rev-parse', 'HEAD'), work.tip);
    assert.equal(git('symbolic-ref', 'HEAD'), `refs/heads/${branch}`);
    assert.equal(git('status', '--porcelain'), '');
    assert.deepEqual((await r.collect('one')).work, work, 'collecting it again says the same');

    writeFiles(tree, { 'd.txt': 'd\n', '.git-not': 'x' });
    const next = await r.prepare('one', { attempt: 2, continues: true });
    assert.deepEqual([next.continued, next.base], [true, work.tip]);
    assert.equal(git('status', '--porcelain'), '?? .git-not\n?? d.txt');
    const failed = await r.collect('one', {
      attempt: 2,
      base: next.base,
      commitUncommitted: false,
    });
    assert.equal(failed.work.tip, work.tip);
    assert.deepEqual(failed.work.kept[0]?.files, ['.git-not', 'd.txt']);
    assert.equal(mirror('show', `${failed.work.kept[0]?.commit}:d.txt`), 'd');
  });

  test('faults 58, 59 and 60: switched and deleted branches, detached HEAD, reset, amend, rebase and stash are all held', async () => {
    const { r, tree, git } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    const ids: string[] = [];
    const commit = (file: string, ...args: string[]): void => {
      writeFiles(tree, { [file]: `${file} ${ids.length}\n` });
      git('add', '-A');
      git('commit', '-q', '-m', file, ...args);
      ids.push(git('rev-parse', 'HEAD'));
    };
    commit('first');
    commit('first', '--amend');
    git('checkout', '-q', '-b', 'side/way');
    commit('side');
    git('checkout', '-q', '--detach', branch);
    commit('detached');
    git('checkout', '-q', branch);
    git('branch', '-q', '-D', 'side/way');
    git('branch', '-q', 'side', 'HEAD');
    for (const each of ['one', 'two']) {
      writeFiles(tree, { 'a.txt': `stashed ${each}\n` });
      git('stash', '-q');
      ids.push(git('rev-parse', 'refs/stash'));
    }
    commit('dropped');
    git('reset', '-q', '--hard', 'HEAD~1');
    git('checkout', '-q', '-b', 'other', r.base);
    commit('other');
    git('rebase', '-q', branch);
    ids.push(git('rev-parse', 'HEAD'));
    git('checkout', '-q', branch);
    const { work } = await r.collect('one');
    assert.equal(work.tip, git('rev-parse', branch));
    await assertHeld(r, ids);

    git('reset', '-q', '--hard', r.base);
    git('branch', '-q', '-D', 'side', 'other');
    git('tag', '-a', 'mine', '-m', 'tag');
    git('reflog', 'expire', '--expire=now', '--all');
    git('gc', '-q', '--prune=now');
    const after = await r.collect('one');
    assert.equal(after.work.tip, r.base);
    await assertHeld(r, [...ids, work.tip]);
    r.scratch.gitIn(r.context.mirror, 'fsck', '--strict');
  });

  test('fault 58: work on a detached HEAD and another branch is the work when it goes on from the worker’s branch', async () => {
    const { r, tree, git } = await working(undefined, isolation);
    using _ = r;
    git('checkout', '-q', '--detach');
    writeFiles(tree, { 'a.txt': 'a\n' });
    git('add', '-A');
    git('commit', '-q', '-m', 'A');
    git('checkout', '-q', '-b', 'feature');
    git('commit', '-q', '--allow-empty', '-m', 'Further');
    const head = git('rev-parse', 'HEAD');
    writeFiles(tree, { 'b.txt': 'b\n' });
    const { work, notes } = await r.collect('one');
    assert.equal(r.scratch.gitIn(r.context.mirror, 'rev-parse', `${work.tip}^`), head);
    assert.match(notes.join(), /committed on the branch feature/);
    assert.equal(git('symbolic-ref', 'HEAD'), `refs/heads/${branch}`);
    assert.equal(git('rev-parse', branch), work.tip);
    assert.equal(git('status', '--porcelain'), '');
  });

  test('faults 30 and 68: a tree is taken away only after what it holds is stored, and its branch begins anew', async () => {
    const { r, tree, git } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    git('commit', '-q', '--allow-empty', '-m', 'Never collected');
    const commit = git('rev-parse', 'HEAD');
    writeFiles(tree, { 'open.txt': 'not committed\n' });
    for (const point of ['keep:before-ref', 'tree:before-discard', 'tree:after-discard']) {
      await r.killedAt(point, (context) => r.prepare('one', { attempt: 2 }, context));
      if (point !== 'tree:after-discard') assert.ok(existsSync(join(tree, 'open.txt')), point);
    }
    const next = await r.prepare('one', { attempt: 2 });
    assert.equal(next.continued, false);
    assert.deepEqual(
      next.kept.map((one) => one.files),
      [['open.txt']],
    );
    await assertHeld(r, [commit]);
    assert.equal(git('rev-parse', branch), r.base);
    assert.equal(git('status', '--porcelain', '--branch'), `## ${branch}`);
    assert.equal(existsSync(join(tree, 'open.txt')), false);
  });

  test('fault 67: commits that are too much stay in the tree and out of the mirror, and are kept before it is made anew', async () => {
    const { r, tree, git } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    writeFileSync(join(tree, 'huge.bin'), randomBytes(300_000));
    git('add', '-A');
    git('commit', '-q', '-m', 'huge');
    const huge = git('rev-parse', 'HEAD');
    writeFiles(tree, { 'open.txt': 'o\n' });
    const most = { bytes: 100_000, paths: 1_000 };
    const before = await listRefs(r.context, 'refs/czar/');
    await assert.rejects(
      r.collect('one', { most }),
      /bring 300\d{3} bytes, and 100000 are allowed/,
    );
    assert.deepEqual(await listRefs(r.context, 'refs/czar/'), before);
    assert.equal(git('rev-parse', 'HEAD'), huge);
    assert.ok(existsSync(join(tree, 'open.txt')));
    await r.prepare('one', { attempt: 2 });
    await assertHeld(r, [huge]);
  });

  test('fault 67: files without number are no work of one worker, and what others merged does not count as its own', async () => {
    const { r, tree, git } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    const merged = commitOn(r, r.base, { 'merged.bin': randomBytes(300_000).toString('base64') });
    await moveRefIn(inMirror(r.context), { ref: integrationRef(run), from: r.base, to: merged });
    assert.equal(await isolation.offer(r.context, { run, tree, commit: merged }), true);
    git('merge', '-q', merged);
    const many = Array.from({ length: 30 }, (_, n) => [`many/${n}`, `${n}\n`]);
    writeFiles(tree, Object.fromEntries(many));
    const { work } = await r.collect('one', { most: { bytes: 100_000, paths: 30 } });
    assert.equal(work.changed.length, 30);
    const fewer = r.collect('one', { most: { bytes: 100_000, paths: 29 } });
    await assert.rejects(fewer, /changes 30 files, and 29 are allowed/);
  });

  test('fault 51: a making that is killed at any point leaves nothing that looks like a tree, and is made anew', async () => {
    using r = await gitRun({ 'a.txt': 'a\n' }, isolation);
    const points = ['tree:before-make', 'tree:before-checkout', 'tree:before-rename'];
    if (isolation === linked) points.push('link:before-branch', 'link:after-admin');
    for (const point of [...points, 'tree:after-rename']) {
      await r.killedAt(point, (context) => r.prepare('one', {}, context));
      const whole = existsSync(r.treeOf('one'));
      assert.equal(whole, point === 'tree:after-rename', point);
      r.scratch.git('worktree', 'prune', '--expire', 'now');
      await isolation.reclaim(r.context);
      const folder = join(r.treeOf('one'), '..');
      const left = existsSync(folder) ? readdirSync(folder) : [];
      const expected = whole ? ['one'] : [];
      assert.deepEqual(
        left.filter((each) => !['.gitignore', '.trash', '.spare'].includes(each)),
        expected,
        point,
      );
    }
    const tree = await r.prepare('one');
    assert.deepEqual(tree.kept, []);
    assert.equal(
      r.scratch.gitIn(tree.worktree, 'status', '--porcelain', '--branch'),
      `## ${branch}`,
    );
    assert.equal(
      r.scratch.git('worktree', 'list').split('\n').length,
      isolation === linked ? 2 : 1,
    );
  });

  test('faults 52 and 53: twenty trees at once, while a setting of the user is being written and a worktree made', async () => {
    using r = await gitRun({ 'a.txt': 'a\n' }, isolation);
    writeFileSync(join(r.scratch.commonDir, 'config.lock'), '');
    const names = Array.from({ length: 20 }, (_, n) => `w${n}`);
    const making = Promise.all(names.map((name) => r.prepare(name)));
    r.scratch.git('worktree', 'add', '-q', '--detach', join(r.scratch.dir, 'users'));
    for (const { worktree, base } of await making) {
      assert.equal(base, r.base);
      assert.equal(r.scratch.gitIn(worktree, 'status', '--porcelain'), '');
    }
    assert.equal(existsSync(join(r.scratch.commonDir, 'config.lock')), true, 'that is the user’s');
  });

  test('fault 54: locks of a git that was killed in a tree are gone when an attempt goes on there', async () => {
    const { r, tree, git } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    const { gitDir } = isolation.repository(r.context, tree);
    for (const lock of ['index.lock', 'HEAD.lock']) writeFileSync(join(gitDir, lock), '');
    const ref = git('rev-parse', '--git-path', `refs/heads/${branch}.lock`);
    writeFileSync(ref.startsWith('/') ? ref : join(tree, ref), '');
    await r.prepare('one', { attempt: 2, continues: true });
    git('commit', '-q', '--allow-empty', '-m', 'Free again');
  });

  test('a tree whose .git is gone or leads elsewhere loses no file', async () => {
    const damages: readonly ((tree: string) => void)[] = [
      (tree) => rmSync(join(tree, '.git'), { recursive: true }),
      (tree) => {
        rmSync(join(tree, '.git'), { recursive: true });
        writeFileSync(join(tree, '.git'), 'gitdir: /nowhere\n');
      },
    ];
    for (const damage of damages) {
      const { r, tree } = await working({ 'a.txt': 'a\n' }, isolation);
      using _ = r;
      writeFiles(tree, { 'new.txt': 'n\n' });
      damage(tree);
      const { work } = await r.collect('one');
      const stored = work.committedFor?.commit ?? work.kept[0]?.commit;
      assert.equal(r.scratch.gitIn(r.context.mirror, 'show', `${stored}:new.txt`), 'n');
      const next = await r.prepare('one', { attempt: 2 });
      assert.equal(r.scratch.gitIn(next.worktree, 'status', '--porcelain'), '');
    }
  });

  test('the integration tip can be merged in a tree, and an unfinished merge is seen', async () => {
    const { r, tree, git } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    const commit = commitOn(r, r.base, { 'a.txt': 'theirs\n' });
    await isolation.offer(r.context, { run, tree, commit });
    const name = isolation === linked ? `refs/czar/integration/${run}` : 'refs/czar/integration';
    writeFiles(tree, { 'a.txt': 'ours\n' });
    git('commit', '-q', '-a', '-m', 'Ours');
    assert.equal(r.scratch.tryGit(tree, 'merge', name).code, 1);
    const repository = isolation.repository(r.context, tree);
    const facts = () => treeFacts(r.context, { tree, repository });
    assert.equal((await facts()).unfinished, 'a.txt still has conflict markers');
    writeFiles(tree, { 'a.txt': 'both\n' });
    assert.equal((await facts()).unfinished, 'a merge is not committed yet');
    const { work } = await r.collect('one');
    const parents = r.scratch.gitIn(r.context.mirror, 'log', '-1', '--format=%P', work.tip);
    assert.equal(parents, `${git('rev-parse', `${branch}^1`)} ${commit}`);
    assert.equal((await facts()).unfinished, null);
  });

  test('nothing that an agent planted runs while czar collects, keeps, makes anew or removes', async () => {
    const { r, tree, git } = await working({ 'a.txt': 'a\n' }, isolation);
    using _ = r;
    const canary = join(r.scratch.dir, 'canary');
    const common = git('rev-parse', '--path-format=absolute', '--git-common-dir');
    for (const hook of [
      'post-checkout',
      'post-index-change',
      'reference-transaction',
      'post-commit',
    ])
      writeFiles(join(common, 'hooks'), { [`${hook}*`]: `#!/bin/sh\ntouch ${canary}\n` });
    const lender = join(r.scratch.dir, 'lender');
    r.scratch.gitIn(r.scratch.dir, 'clone', '-q', '--bare', r.scratch.root, lender);
    writeFiles(common, { 'objects/info/alternates': `${lender}/objects\n` });
    const payload = `touch ${canary}`;
    for (const [key, value] of [
      ['core.fsmonitor', `${payload}; false`],
      ['core.sshCommand', payload],
      ['core.alternateRefsCommand', payload],
      ['filter.x.clean', `${payload}; cat`],
      ['filter.x.smudge', `${payload}; cat`],
      ['filter.x.process', payload],
      ['diff.external', payload],
      ['uploadpack.packObjectsHook', payload],
      ['gc.auto', '1'],
    ] as const)
      r.scratch.gitIn(r.scratch.dir, 'config', '--file', join(common, 'config'), key, value);
    writeFiles(tree, { '.gitattributes': '* filter=x\n', 'b.txt': 'b\n' });
    const { work } = await r.collect('one');
    assert.deepEqual(work.committedFor?.files, ['.gitattributes', 'b.txt']);
    await r.collect('one', { commitUncommitted: false });
    const next = await r.prepare('one', { attempt: 2, commit: work.tip });
    assert.equal(readFileSync(join(next.worktree, 'b.txt'), 'utf8'), 'b\n');
    await (
      await isolation.release(r.context, tree)
    ).deleted;
    assert.equal(existsSync(canary), false);
    assert.equal(existsSync(tree), false);
  });

  test('a repository that is moved goes on: trees keep branch, files and git', async () => {
    using r = await gitRun({ 'a.txt': 'a\n' }, isolation);
    await r.prepare('one');
    writeFiles(r.treeOf('one'), { 'open.txt': 'open\n' });
    const moved = join(r.scratch.dir, 'elsewhere');
    renameSync(r.scratch.root, moved);
    const there = join(moved, '.czar/worktrees/one');
    assert.equal(r.scratch.gitIn(there, 'status', '--porcelain'), '?? open.txt');
    r.scratch.gitIn(there, 'commit', '-q', '--allow-empty', '-m', 'Still works');
    const commonDir = join(moved, '.git');
    const context = gitContext({ root: moved, commonDir, home: join(moved, '.czar') });
    const again = await prepareTree(context, {
      isolation,
      run,
      worker: 'one',
      attempt: 2,
      branch,
      commit: r.base,
      continues: true,
      dir: there,
      identity,
      origin: null,
      rules: r.rules,
      now: 0,
    });
    if (again.kind === 'failed') throw new Error(again.error);
    assert.deepEqual([again.continued, again.worktree], [true, there]);
    assert.equal(again.base, r.scratch.gitIn(there, 'rev-parse', 'HEAD'));
    const listed = r.scratch.gitIn(moved, 'worktree', 'list');
    assert.equal(listed.includes(`${there} `), isolation === linked);
  });

  test('SHA-256 repositories have trees too', async () => {
    using r = await gitRun({ 'a.txt': 'a\n' }, isolation, 'sha256');
    const { worktree } = await r.prepare('one');
    writeFiles(worktree, { 'b.txt': 'b\n' });
    const { work } = await r.collect('one');
    assert.equal(work.tip.length, 64);
    assert.equal(r.scratch.gitIn(worktree, 'rev-parse', 'HEAD'), work.tip);
    assert.equal(await readRef(r.context, `refs/czar/work/${run}/one/1/tip`), work.tip);
    assert.equal((await listRefs(r.context, 'refs/czar/kept/')).size, 0);
    assert.equal(work.committedFor?.files.join(), 'b.txt');
    assert.equal(identity.name, r.scratch.gitIn(worktree, 'log', '-1', '--format=%an'));
  });
}
