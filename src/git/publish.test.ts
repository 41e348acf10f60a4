import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fingerprint, writeFiles } from '../../test/support/git-fixture.ts';
import { commitOn, gitRun, run } from '../../test/support/git-worker.ts';
import { branchFacts } from './branches.ts';
import { checkouts } from './checkouts.ts';
import { ensureMirror } from './mirror.ts';
import { publish } from './publish.ts';

const ref = `refs/heads/czar/${run}/one`;
const integration = `refs/heads/czar/${run}-integration`;

test('the run’s branches and kept refs appear, and nothing else of the user’s repository changes (S13)', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' });
  const canary = join(r.scratch.dir, 'canary');
  const shout = `#!/bin/sh\necho "$0" >> ${canary}\n`;
  writeFiles(join(r.scratch.commonDir, 'hooks'), {
    'reference-transaction*': shout,
    'post-merge*': shout,
    'pre-push*': shout,
  });
  r.scratch.write({ 'a.txt': 'dirty\n', 'untracked.txt': 'u\n' });
  r.scratch.git('add', 'a.txt');
  r.scratch.git('config', 'core.logAllRefUpdates', 'always');
  const before = fingerprint(r.scratch.root, { refs: [`refs/heads/czar/`] });
  const one = commitOn(r, r.base, { 'b.txt': 'b\n' });
  const kept = `refs/czar/kept/${run}/one/1`;
  const refs = { [ref]: one, [integration]: r.base, [kept]: one };
  assert.deepEqual(await publish(r.context, { run, refs }), {
    kind: 'published',
    refs,
    diverged: {},
  });
  assert.equal(r.scratch.git('rev-parse', ref, integration, kept), `${one}\n${r.base}\n${one}`);
  const two = commitOn(r, one, { 'c.txt': 'c\n' });
  assert.deepEqual(await publish(r.context, { run, refs: { [ref]: two } }), {
    kind: 'published',
    refs: { [ref]: two },
    diverged: {},
  });
  assert.deepEqual(fingerprint(r.scratch.root, { refs: ['refs/heads/czar/'] }), before);
  assert.equal(existsSync(canary), false);
  r.scratch.git('gc', '-q', '--prune=now');
  r.scratch.git('fsck');
});

test('history that was rewritten moves the branch, since czar put it where it was', async () => {
  using r = await gitRun();
  const one = commitOn(r, r.base, { 'b.txt': 'b\n' });
  const other = commitOn(r, r.base, { 'c.txt': 'c\n' });
  await publish(r.context, { run, refs: { [ref]: one } });
  assert.deepEqual(await publish(r.context, { run, refs: { [ref]: other } }), {
    kind: 'published',
    refs: { [ref]: other },
    diverged: {},
  });
});

test('a branch that the user moved, deleted or has checked out is left alone with the reason', async () => {
  using r = await gitRun();
  const names = ['moved', 'deleted', 'out', 'linked', 'theirs'].map(
    (name) => `refs/heads/czar/${run}/${name}`,
  );
  const [moved = '', deleted = '', out = '', linked = '', theirs = ''] = names;
  const all = (commit: string): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, commit]));
  r.scratch.git('update-ref', theirs, r.scratch.commit('Theirs'));
  await publish(r.context, {
    run,
    refs: { [moved]: r.base, [deleted]: r.base, [out]: r.base, [linked]: r.base },
  });
  r.scratch.git('update-ref', moved, 'main');
  r.scratch.git('update-ref', '-d', deleted);
  r.scratch.git('checkout', '-q', out.slice('refs/heads/'.length));
  r.scratch.git(
    'worktree',
    'add',
    '-q',
    join(r.scratch.dir, 'linked'),
    linked.slice('refs/heads/'.length),
  );
  const before = fingerprint(r.scratch.root);
  const next = commitOn(r, r.base, { 'b.txt': 'b\n' });
  assert.deepEqual(await publish(r.context, { run, refs: all(next) }), {
    kind: 'published',
    refs: {},
    diverged: {
      [moved]: 'it was moved by someone else',
      [deleted]: 'it was deleted',
      [out]: 'it is checked out',
      [linked]: 'it is checked out',
      [theirs]: 'it existed before and holds other commits',
    },
  });
  assert.deepEqual(fingerprint(r.scratch.root), before);
});

test('where it cannot be seen what is checked out, no branch is moved', async () => {
  using r = await gitRun();
  const ref = `refs/heads/czar/${run}-integration`;
  const order = { run, refs: { [ref]: await r.integration() } };
  const folder = join(r.context.commonDir, 'worktrees');
  symlinkSync('worktrees', folder);
  const blind = await publish(r.context, order);
  assert.equal(blind.kind, 'failed');
  assert.equal(r.scratch.tryGit(r.scratch.root, 'rev-parse', '--verify', '-q', ref).stdout, '');
  rmSync(folder);
  assert.equal((await publish(r.context, order)).kind, 'published');
});

test('a linked checkout whose folder is gone or is something else now hinders no publishing and no landing', async () => {
  const spoil: Readonly<Record<string, (linked: string) => void>> = {
    gone: () => undefined,
    'a file': (linked) => writeFileSync(linked, 'x'),
    'a folder': (linked) => mkdirSync(linked),
    'a file above': (linked) => {
      rmSync(dirname(linked), { recursive: true });
      writeFileSync(dirname(linked), 'x');
    },
    'a .git that leads nowhere': (linked) => writeFiles(linked, { '.git': 'gitdir: /missing\n' }),
  };
  for (const [what, now] of Object.entries(spoil)) {
    using r = await gitRun();
    for (const [n, folder] of [r.scratch.dir, r.scratch.root].entries()) {
      const linked = join(folder, 'above', 'linked');
      r.scratch.git('worktree', 'add', '-q', '-b', `side-${n}`, linked);
      rmSync(linked, { recursive: true });
      now(linked);
    }
    const found = (await checkouts(r.context)).filter((each) => each.ref.includes('side'));
    assert.deepEqual(
      found.map(({ path }) => path),
      [null, null],
      what,
    );
    const refs = { [ref]: commitOn(r, r.base, { 'b.txt': 'b\n' }) };
    const done = await publish(r.context, { run, refs });
    assert.deepEqual(done, { kind: 'published', refs, diverged: {} }, what);
  }
});

test('a branch that was there and that the worker went on from is moved forward', async () => {
  using r = await gitRun();
  r.scratch.git('branch', 'feat/x');
  await ensureMirror(r.context);
  const next = commitOn(r, r.base, { 'b.txt': 'b\n' });
  const refs = { 'refs/heads/feat/x': next };
  assert.deepEqual(await publish(r.context, { run, refs }), {
    kind: 'published',
    refs,
    diverged: {},
  });
});

test('a publish that is killed at any point is completed by the next', async () => {
  for (const point of ['publish:after-fetch', 'publish:before-branch', 'publish:after-branch']) {
    using r = await gitRun();
    const refs = { [ref]: commitOn(r, r.base, { 'b.txt': 'b\n' }) };
    await r.killedAt(point, (context) => publish(context, { run, refs }));
    assert.deepEqual(
      await publish(r.context, { run, refs }),
      { kind: 'published', refs, diverged: {} },
      point,
    );
  }
});

test('what is merged already and not yet in the log stays shown when something older is published', async () => {
  using r = await gitRun();
  const merged = commitOn(r, r.base, { 'b.txt': 'b\n' });
  const shown = `refs/czar/integration/${run}`;
  r.scratch.git(`--git-dir=${r.context.mirror}`, 'update-ref', shown, merged);
  const refs = { [shown]: r.base };
  for (const _time of [1, 2])
    assert.deepEqual(await publish(r.context, { run, refs }), {
      kind: 'published',
      refs,
      diverged: {},
    });
  assert.equal(r.scratch.git('rev-parse', shown), merged);
});

test('locks that a killed git left on refs of ours are taken away, and one that somebody holds is waited for', async () => {
  using r = await gitRun();
  const refs = { [ref]: commitOn(r, r.base, { 'b.txt': 'b\n' }), [integration]: r.base };
  const flat = `czar%2F${run}%2Fone`;
  const lock = (name: string): string => join(r.scratch.commonDir, `${name}.lock`);
  const left = [
    `refs/czar/incoming/${flat}`,
    `refs/czar/published/${flat}`,
    `refs/czar/integration/${run}`,
    ref,
  ].map(lock);
  const others = [lock('refs/heads/main'), lock('refs/czar/other')];
  for (const file of [...left, ...others]) {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    utimesSync(file, 1_700_000_000, 1_700_000_000);
  }
  const held = lock(`refs/czar/incoming/czar%2F${run}-integration`);
  writeFileSync(held, '');
  const published = publish(r.context, { run, refs });
  setImmediate(() => rmSync(held));
  assert.deepEqual(await published, { kind: 'published', refs, diverged: {} });
  assert.deepEqual(left.filter(existsSync), []);
  assert.deepEqual(others.filter(existsSync), others, 'what is not ours is not touched');
});

test('branch names that collide with what is there are found before a run', async () => {
  using r = await gitRun();
  r.scratch.git('branch', 'czar');
  r.scratch.git('branch', 'feat/x');
  r.scratch.git('branch', 'ahead', r.scratch.commit('Second'));
  const names = [`czar/${run}/one`, 'feat', 'ahead', 'free', 'other', 'other/sub', 'Ahead', 'a b'];
  const found = await branchFacts(r.context, { names, base: r.base });
  assert.equal(found.kind, 'branches');
  if (found.kind !== 'branches') return;
  const byName = Object.fromEntries(found.branches.map((each) => [each.name, each]));
  assert.match(byName[`czar/${run}/one`]?.collision ?? '', /^a branch named czar is in the way/);
  assert.match(byName['feat']?.collision ?? '', /feat\/x/);
  assert.match(byName['other']?.collision ?? '', /other\/sub/);
  assert.match(byName['Ahead']?.collision ?? '', /upper and lower case/);
  assert.match(byName['a b']?.collision ?? '', /does not take/);
  assert.deepEqual([byName['free']?.collision, byName['free']?.commit], [null, null]);
  assert.equal(byName['ahead']?.ahead, 1);
});
