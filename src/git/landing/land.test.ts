import assert from 'node:assert/strict';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, writeFiles } from '../../../test/support/git-fixture.ts';
import { commitOn, gitRun, identity, run } from '../../../test/support/git-worker.ts';
import type { GitRun } from '../../../test/support/git-worker.ts';
import type { GitContext } from '../context.ts';
import { buildLanding, commitLanding, recoverLanding } from './land.ts';
import { stillNotUpdated } from './not-updated.ts';

const files = { 'a.txt': 'a\n', 'gone/x.txt': 'x\n', 'same.txt': 's\n' };
/** What a run did: one file changed, one deleted, two made. */
const work = { 'a.txt': 'landed\n', 'gone/x.txt': null, 'new/n.txt': 'n\n', 'top.txt': 't\n' };

async function built(
  r: GitRun,
  options: { readonly mode?: 'merge' | 'squash' | 'ff'; readonly tip?: string } = {},
): Promise<{
  onto: string;
  commit: string;
  tip: string;
  land: (context?: GitContext) => ReturnType<typeof commitLanding>;
}> {
  const onto = r.scratch.git('rev-parse', 'main');
  const tip = options.tip ?? commitOn(r, r.base, work);
  const order = {
    run,
    target: 'main',
    onto,
    tip,
    mode: options.mode ?? 'merge',
    date: 1_800_000_000_000,
  };
  const made = await buildLanding(r.context, { ...order, message: 'Land the run', identity });
  if (made.kind !== 'built') throw new Error(JSON.stringify(made));
  const { commit } = made;
  const landing = { run, target: 'main', onto, commit };
  return { onto, commit, tip, land: (context = r.context) => commitLanding(context, landing) };
}

test('a clean checkout of the target goes along, whatever the mode', async () => {
  for (const mode of ['merge', 'squash', 'ff'] as const) {
    using r = await gitRun(files);
    const { onto, commit, tip, land } = await built(r, { mode });
    r.scratch.write({ 'same.txt': 'mine\n', 'note.txt': 'untracked\n' });
    assert.deepEqual(await land(), { kind: 'landed', commit });
    assert.equal(r.scratch.git('rev-parse', 'main'), commit);
    const parents = { merge: `${onto} ${tip}`, squash: onto, ff: r.base }[mode];
    assert.equal(r.scratch.git('log', '-1', '--format=%P', 'main'), parents);
    assert.equal(
      r.scratch.git('status', '--porcelain'),
      'M same.txt\n?? note.txt'.replace(/^M/, ' M'),
    );
    assert.equal(readFileSync(join(r.scratch.root, 'a.txt'), 'utf8'), 'landed\n');
    assert.equal(existsSync(join(r.scratch.root, 'gone')), false);
    assert.equal(existsSync(join(r.scratch.commonDir, 'index.lock')), false);
    assert.equal(r.scratch.git('symbolic-ref', 'HEAD'), 'refs/heads/main');
    assert.deepEqual(await land(), { kind: 'landed', commit });
    r.scratch.git('fsck');
  }
});

test('a target that is not checked out moves alone', async () => {
  using r = await gitRun(files);
  r.scratch.git('checkout', '-q', '-b', 'elsewhere');
  r.scratch.write({ 'a.txt': 'mine\n', 'top.txt': 'mine too\n' });
  const before = fingerprint(r.scratch.root, { refs: ['refs/heads/main'] });
  const { commit, land } = await built(r);
  assert.deepEqual(await land(), { kind: 'landed', commit });
  assert.equal(r.scratch.git('rev-parse', 'main'), commit);
  assert.deepEqual(fingerprint(r.scratch.root, { refs: ['refs/heads/main'] }), before);
});

test('the target in a linked checkout goes along there', async () => {
  using r = await gitRun(files);
  r.scratch.git('checkout', '-q', '-b', 'elsewhere');
  const linked = join(r.scratch.dir, 'linked');
  r.scratch.git('worktree', 'add', '-q', linked, 'main');
  const { commit, land } = await built(r);
  assert.deepEqual(await land(), { kind: 'landed', commit });
  assert.equal(r.scratch.gitIn(linked, 'status', '--porcelain'), '');
  assert.equal(readFileSync(join(linked, 'a.txt'), 'utf8'), 'landed\n');
});

test('fault 64: changes, staged changes and untracked files in the way refuse it, and everything is as it was', async () => {
  const ways: Readonly<Record<string, (r: GitRun) => string>> = {
    changed: (r) => (r.scratch.write({ 'a.txt': 'mine\n' }), 'a.txt'),
    staged: (r) => (r.scratch.write({ 'a.txt': 'mine\n' }), r.scratch.git('add', 'a.txt'), 'a.txt'),
    deleted: (r) => (rmSync(join(r.scratch.root, 'a.txt')), 'a.txt'),
    'staged new': (r) => (
      r.scratch.write({ 'top.txt': 'mine\n' }),
      r.scratch.git('add', 'top.txt'),
      'top.txt'
    ),
    untracked: (r) => (r.scratch.write({ 'top.txt': 'mine\n' }), 'top.txt'),
    'untracked above': (r) => (r.scratch.write({ new: 'a file\n' }), 'new'),
    'untracked link': (r) => (symlinkSync('/nowhere', join(r.scratch.root, 'top.txt')), 'top.txt'),
    ignored: (r) => {
      writeFileSync(join(r.scratch.commonDir, 'info/exclude'), 'top.txt\n');
      r.scratch.write({ 'top.txt': 'mine\n' });
      return 'top.txt';
    },
    'changed below': (r) => (r.scratch.write({ 'gone/x.txt': 'edited\n' }), 'gone/x.txt'),
    'a folder for a file': (r) => (r.scratch.write({ 'top.txt/inner': 'mine\n' }), 'top.txt'),
  };
  using r = await gitRun(files);
  const { land } = await built(r);
  for (const [name, act] of Object.entries(ways)) {
    const file = act(r);
    const before = fingerprint(r.scratch.root);
    const refused = await land();
    assert.equal(refused.kind, 'refused', name);
    assert.deepEqual(refused.kind === 'refused' ? refused.files : [], [file], name);
    assert.deepEqual(fingerprint(r.scratch.root), before, name);
    r.scratch.git('reset', '-q', '--hard');
    r.scratch.git('clean', '-q', '-fdx');
  }
});

test('a merge in progress, a git at work and a target that moved refuse it', async () => {
  using r = await gitRun(files);
  const { land } = await built(r);
  const refusals: [string, () => void, RegExp][] = [
    [
      'MERGE_HEAD',
      () => writeFileSync(join(r.scratch.commonDir, 'MERGE_HEAD'), `${r.base}\n`),
      /middle of a merge/,
    ],
    [
      'index.lock',
      () => writeFileSync(join(r.scratch.commonDir, 'index.lock'), ''),
      /git is at work/,
    ],
  ];
  for (const [name, act, reason] of refusals) {
    act();
    const before = fingerprint(r.scratch.root);
    const refused = await land();
    assert.match(refused.kind === 'refused' ? refused.reason : '', reason);
    assert.deepEqual(fingerprint(r.scratch.root), before);
    assert.ok(existsSync(join(r.scratch.commonDir, name)));
    rmSync(join(r.scratch.commonDir, name));
  }
  r.scratch.commit('Meanwhile');
  const before = fingerprint(r.scratch.root);
  const refused = await land();
  assert.match(refused.kind === 'refused' ? refused.reason : '', /has moved/);
  assert.deepEqual(fingerprint(r.scratch.root), before);
});

test('a target that a git which died has locked refuses it by the name of the lock, checked out or not', async () => {
  for (const elsewhere of [false, true]) {
    using r = await gitRun(files);
    const { commit, land } = await built(r);
    if (elsewhere) r.scratch.git('checkout', '-q', '-b', 'elsewhere');
    const lock = join(r.scratch.commonDir, 'refs/heads/main.lock');
    writeFileSync(lock, '');
    const before = fingerprint(r.scratch.root);
    const refused = await land();
    assert.ok(refused.kind === 'refused', JSON.stringify(refused));
    assert.equal(
      refused.reason,
      `main is locked by ${lock}: if no git is at work there, remove it, then land again`,
    );
    assert.deepEqual(fingerprint(r.scratch.root), before);
    assert.equal(existsSync(join(r.scratch.commonDir, 'index.lock')), false);
    rmSync(lock);
    assert.deepEqual(await land(), { kind: 'landed', commit });
  }
});

test('what cannot be built is refused with the reason: conflict, nothing new, no fast-forward, no branch', async () => {
  using r = await gitRun(files);
  const tip = commitOn(r, r.base, work);
  const order = { run, target: 'main', tip, date: 0, message: 'Land', identity };
  const reason = async (changes: Partial<Parameters<typeof buildLanding>[1]>): Promise<string> => {
    const onto = r.scratch.git('rev-parse', 'main');
    const made = await buildLanding(r.context, { ...order, onto, mode: 'merge', ...changes });
    return made.kind === 'refused' ? [made.reason, ...made.files].join('|') : made.kind;
  };
  assert.match(await reason({ tip: r.base }), /has everything/);
  assert.match(await reason({ target: 'none' }), /there is no branch none/);
  assert.match(await reason({ onto: tip }), /has moved/);
  r.scratch.commit('Mine', { 'a.txt': 'mine\n' });
  assert.match(await reason({ mode: 'ff' }), /commits of its own/);
  assert.match(await reason({}), /conflicts with main\|a\.txt/);
});

test('hooks of the user’s repository do not run when a run lands', async () => {
  using r = await gitRun(files);
  const canary = join(r.scratch.dir, 'canary');
  const hook = `#!/bin/sh\necho "$0" >> ${canary}\nexit 1\n`;
  const names = [
    'reference-transaction',
    'post-checkout',
    'post-index-change',
    'post-merge',
    'pre-commit',
  ];
  writeFiles(
    join(r.scratch.commonDir, 'hooks'),
    Object.fromEntries(names.map((name) => [`${name}*`, hook])),
  );
  const { commit, land } = await built(r);
  assert.deepEqual(await land(), { kind: 'landed', commit });
  assert.equal(existsSync(canary), false);
});

test('line ends and filters that the user configured hold for the files that a landing writes', async () => {
  using r = await gitRun({ ...files, '.gitattributes': '*.txt filter=shout\n' });
  r.scratch.git('config', 'filter.shout.smudge', 'tr a-z A-Z');
  r.scratch.git('config', 'filter.shout.clean', 'tr A-Z a-z');
  const { commit, land } = await built(r);
  assert.deepEqual(await land(), { kind: 'landed', commit });
  assert.equal(readFileSync(join(r.scratch.root, 'a.txt'), 'utf8'), 'LANDED\n');
  assert.equal(r.scratch.git('status', '--porcelain'), '');
});

test('fault 72: a landing that is killed at any point is carried through, or is as if it had not been', async () => {
  const points = [
    'land:before-fetch',
    'land:after-fetch',
    'land:before-move',
    'land:before-cas',
    'land:after-cas',
    'land:after-files',
    'land:after-index',
  ];
  for (const point of points) {
    using r = await gitRun(files);
    const { commit, land } = await built(r);
    r.scratch.write({ 'same.txt': 'mine\n' });
    await r.killedAt(point, land);
    assert.deepEqual(await land(), { kind: 'landed', commit }, point);
    assert.equal(r.scratch.git('status', '--porcelain'), ' M same.txt'.trimEnd(), point);
    assert.equal(readFileSync(join(r.scratch.root, 'new/n.txt'), 'utf8'), 'n\n', point);
    assert.equal(existsSync(join(r.scratch.commonDir, 'index.lock')), false, point);
  }
});

test('a landing killed while files were written is carried through; what the user changed since stays', async () => {
  using r = await gitRun(files);
  const { commit, land } = await built(r);
  await r.killedAt('land:after-cas', land);
  r.scratch.write({ 'top.txt': 't\n', 'a.txt': 'the user was here\n' });
  rmSync(join(r.scratch.root, 'gone/x.txt'));
  assert.equal((await recoverLanding(r.context)).kind, 'recovered');
  assert.equal(r.scratch.git('status', '--porcelain'), ' M a.txt');
  assert.equal(readFileSync(join(r.scratch.root, 'a.txt'), 'utf8'), 'the user was here\n');
  assert.deepEqual(await land(), { kind: 'landed', commit });
});

test('a landing killed together with its git has its files written whole, and no other', async () => {
  const before = { ...files, 'b.txt': 'bb\n', 'c.txt': 'cc\n', 'd.txt': 'dd\n' };
  using r = await gitRun(before);
  const tip = commitOn(r, r.base, {
    ...work,
    'b.txt': 'landed b\n',
    'c.txt': 'landed c\n',
    'd.txt': 'landed d\n',
    'e.txt': 'landed e\n',
    'f.txt': 'landed f\n',
  });
  const { commit, land } = await built(r, { tip });
  await r.killedAt('land:after-cas', land);
  // Git locks the index that it works on, takes a file away before it writes it anew, and writes it bit by bit.
  const lock = join(r.context.state, 'landing-index.lock');
  writeFileSync(lock, '');
  utimesSync(lock, 0, 0);
  rmSync(join(r.scratch.root, 'a.txt'));
  r.scratch.write({ 'b.txt': '', 'c.txt': 'landed', 'e.txt': 'land', 'new/n.txt': '' });
  r.scratch.write({ 'd.txt': 'landed by me\n', 'f.txt': 'mine\n' });
  const recovered = await recoverLanding(r.context);
  assert.deepEqual(recovered, { kind: 'recovered', notUpdated: ['d.txt', 'f.txt'] });
  assert.equal(r.scratch.git('status', '--porcelain'), 'M d.txt\n M f.txt'.replace(/^M/, ' M'));
  assert.equal(readFileSync(join(r.scratch.root, 'd.txt'), 'utf8'), 'landed by me\n');
  assert.equal(readFileSync(join(r.scratch.root, 'f.txt'), 'utf8'), 'mine\n');
  assert.deepEqual(await land(), { kind: 'landed', commit });
});

test('a landing killed before its branch moved leaves no lock when the loop starts again', async () => {
  using r = await gitRun(files);
  const { land } = await built(r);
  const before = fingerprint(r.scratch.root);
  await r.killedAt('land:before-cas', land);
  assert.ok(existsSync(join(r.scratch.commonDir, 'index.lock')));
  assert.equal((await recoverLanding(r.context)).kind, 'recovered');
  assert.equal(existsSync(join(r.scratch.commonDir, 'index.lock')), false);
  assert.deepEqual(fingerprint(r.scratch.root), before);
});

test('what cannot follow once the branch has moved is named, and neither lock nor note stays', async () => {
  using r = await gitRun(files);
  const { commit, land } = await built(r);
  // Between the last look and the writing; a folder without permissions would not hinder root.
  const point = (name: string): void => {
    if (name !== 'land:after-cas') return;
    rmSync(join(r.scratch.root, 'a.txt'));
    r.scratch.write({ 'a.txt/theirs': 'theirs\n', new: 'theirs\n' });
  };
  const notUpdated = ['a.txt', 'new/n.txt'];
  assert.deepEqual(await land({ ...r.context, point }), { kind: 'landed', commit, notUpdated });
  assert.equal(r.scratch.git('rev-parse', 'main'), commit);
  for (const path of ['a.txt/theirs', 'new'])
    assert.equal(readFileSync(join(r.scratch.root, path), 'utf8'), 'theirs\n');
  assert.equal(readFileSync(join(r.scratch.root, 'top.txt'), 'utf8'), 't\n');
  assert.equal(existsSync(join(r.scratch.root, 'gone')), false);
  assert.equal(existsSync(join(r.scratch.commonDir, 'index.lock')), false);
  assert.equal(existsSync(join(r.context.state, 'landing')), false);
  assert.deepEqual(await land(), { kind: 'landed', commit });

  const asked = { target: 'main', paths: [...notUpdated, 'top.txt'] };
  const still = async () => stillNotUpdated(r.context, asked);
  assert.deepEqual(await still(), { kind: 'looked', paths: notUpdated });
  for (const path of ['a.txt', 'new']) rmSync(join(r.scratch.root, path), { recursive: true });
  r.scratch.git('restore', '--staged', '--worktree', ...notUpdated);
  assert.deepEqual(await still(), { kind: 'looked', paths: [] });
});

test('an index that cannot be replaced does not hold a landing up for ever', async () => {
  using r = await gitRun(files);
  const { commit, land } = await built(r);
  const point = (name: string): void => {
    if (name === 'land:after-files') mkdirSync(join(r.scratch.commonDir, 'index.czar'));
  };
  const landed = await land({ ...r.context, point });
  assert.ok(landed.kind === 'landed' && landed.notUpdated?.includes('a.txt'));
  assert.equal(existsSync(join(r.scratch.commonDir, 'index.lock')), false);
  assert.deepEqual(await land(), { kind: 'landed', commit });
});
