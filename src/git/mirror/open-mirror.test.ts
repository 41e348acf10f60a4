import assert from 'node:assert/strict';
import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitOn, gitRun, run } from '../../../test/support/git-worker.ts';
import { scratchRepository } from '../../../test/support/git-fixture.ts';
import { makeCommit } from '../commit.ts';
import { moveLooseRef } from './loose-ref.ts';
import { OpenMirror } from './open-mirror.ts';
import { candidateRef, integrationRef, setRefs } from '../refs.ts';

test('a commit that is written without git is the commit that git writes', async () => {
  using r = await gitRun();
  await using open = new OpenMirror(r.context.mirror);
  const tree = r.scratch.gitIn(r.context.mirror, 'rev-parse', `${r.base}^{tree}`);
  const other = commitOn(r, r.base, { 'a.txt': 'a\n' });
  const plain = { name: 'Zoë O’Hara', email: 'zoe@example.org' };
  for (const [message, identity, parents] of [
    ['Subject\n\nBody\n', plain, [r.base, other]],
    ['No line end', plain, []],
    ['Trailing blanks  \n\n\n', plain, [r.base]],
    ['Names that git cleans', { name: ' "Dr." J. Doe.', email: '<a@b>' }, [r.base]],
    ['The same parent twice', plain, [r.base, r.base]],
  ] as const) {
    const options = { tree, parents, message, identity, date: 1_800_000_000_123 };
    const ours = await makeCommit({ ...r.context, open }, options);
    assert.equal(ours, await makeCommit(r.context, options), message);
  }
  assert.equal(r.scratch.gitIn(r.context.mirror, 'fsck', '--strict', '--no-dangling'), '');
});

test('objects and names are read as git knows them, also those that come later, and none is invented', async () => {
  using scratch = scratchRepository({ objectFormat: 'sha256' });
  await using open = new OpenMirror(join(scratch.root, '.git'));
  const first = scratch.git('rev-parse', 'HEAD');
  assert.equal(await open.resolve('refs/heads/main'), first);
  assert.equal(await open.resolve('refs/heads/none'), null);
  assert.equal(await open.resolve('refs/heads/main\ninfo HEAD'), null);
  assert.equal(await open.commit('0'.repeat(64)), null);
  scratch.git('pack-refs', '--all');
  scratch.git('repack', '-adq');
  const second = scratch.commit('Second', { 'dir/b.txt': 'b\n' });
  const commit = await open.commit(second);
  assert.deepEqual(commit?.parents, [first]);
  const tree = await open.tree(commit.tree);
  assert.deepEqual(
    tree?.entries.map(({ name, mode }) => [name, mode]),
    [
      ['README.md', '100644'],
      ['dir', '40000'],
    ],
  );
  // A tree is no commit, and a commit no tree.
  assert.equal(await open.commit(commit.tree), null);
  assert.equal(await open.tree(second), null);
  assert.equal(await open.resolve(`${first}^{tree}`), (await open.commit(first))?.tree);
});

test('a damaged object is left to git', async () => {
  using r = await gitRun();
  await using open = new OpenMirror(r.context.mirror);
  const commit = commitOn(r, r.base, { 'a.txt': 'a\n' });
  const file = join(r.context.mirror, 'objects', commit.slice(0, 2), commit.slice(2));
  rmSync(file);
  writeFileSync(file, 'not what it says');
  assert.equal(await open.commit(commit), null);
});

test('a mirror that is not there gives no answer, and one that comes is read', async () => {
  using scratch = scratchRepository();
  const place = join(scratch.dir, 'later.git');
  await using open = new OpenMirror(place);
  assert.equal(await open.resolve('HEAD'), null);
  scratch.git('clone', '-q', '--bare', scratch.root, place);
  assert.equal(await open.resolve('HEAD'), scratch.git('rev-parse', 'HEAD'));
});

test('a ref moves from where it must stand, one mover at a time, and git’s locks are kept', async () => {
  using r = await gitRun();
  const { mirror } = r.context;
  const ref = integrationRef(run);
  const next = commitOn(r, r.base, { 'a.txt': 'a\n' });
  const move = (from: string | null, to: string): ReturnType<typeof moveLooseRef> =>
    moveLooseRef(mirror, { ref, from, to });
  assert.equal(await move(next, r.base), 'lost');
  assert.equal(await move(null, next), 'lost');
  const moves = await Promise.all(Array.from({ length: 8 }, () => move(r.base, next)));
  assert.equal(moves.filter((moved) => moved === 'moved').length, 1);
  assert.equal(r.scratch.gitIn(mirror, 'rev-parse', ref), next);
  assert.equal(existsSync(join(mirror, `${ref}.lock`)), false);

  writeFileSync(join(mirror, `${ref}.lock`), '');
  assert.equal(await move(next, r.base), null);
  rmSync(join(mirror, `${ref}.lock`));
  // What git knows better: packed refs, names of other kinds, and folders where the ref should be.
  r.scratch.gitIn(mirror, 'pack-refs', '--all');
  assert.equal(await move(next, r.base), null);
  assert.equal(await moveLooseRef(mirror, { ref: candidateRef(run, 'a'), to: next }), 'moved');
  assert.equal(await moveLooseRef(mirror, { ref: 'refs/czar/integration', to: next }), null);
  assert.equal(await moveLooseRef(mirror, { ref: 'HEAD', to: next }), null);
  assert.equal(await moveLooseRef(mirror, { ref: 'refs/czar/../x', to: next }), null);
  mkdirSync(join(mirror, 'refs/czar/folder'), { recursive: true });
  assert.equal(await moveLooseRef(mirror, { ref: 'refs/czar/folder', to: next }), null);
  assert.equal(r.scratch.gitIn(mirror, 'rev-parse', ref), next);
});

test('a new ref is made beside git, and both see one another', async () => {
  using r = await gitRun();
  await using open = new OpenMirror(r.context.mirror);
  const context = { ...r.context, open };
  const ref = candidateRef(run, 'one');
  await setRefs(context, new Map([[ref, r.base]]));
  assert.equal(r.scratch.gitIn(r.context.mirror, 'rev-parse', ref), r.base);
  assert.equal(await open.resolve(ref), r.base);
  const file = statSync(join(r.context.mirror, ref));
  assert.equal(file.mode & 0o777, 0o666 & ~process.umask());
  r.scratch.gitIn(r.context.mirror, 'update-ref', '-d', ref, r.base);
  assert.equal(await open.resolve(ref), null);
});
