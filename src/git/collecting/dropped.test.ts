import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeFiles } from '../../../test/support/git-fixture.ts';
import { gitRun, run } from '../../../test/support/git-worker.ts';
import { standsIn } from './kept.ts';
import { ensureMirror } from '../mirror.ts';
import { publish } from '../publish.ts';
import { listRefs } from '../refs.ts';

const ref = `refs/czar/kept/${run}/one/1`;
const to = `refs/czar/dropped/${run}/one/1`;
const points = ['drop:before-mirror', 'drop:after-mirror', 'drop:after-repository'];

test('kept work that is dropped changes its name in both repositories, killed at any point of it, and its number is not given again', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' });
  const { worktree } = await r.prepare('one');
  writeFiles(worktree, { 'a.txt': 'kept\n' });
  const { work } = await r.collect('one', { commitUncommitted: false });
  const commit = work.kept[0]?.commit ?? '';
  await publish(r.context, { run, refs: { [ref]: commit } });
  for (const point of points) {
    await r.killedAt(point, (context) => publish(context, { run, refs: { [to]: commit } }));
    const mirror = await listRefs(r.context, 'refs/czar/kept/', 'refs/czar/dropped/');
    assert.deepEqual([...mirror.values()], [commit], `it has one name (${point})`);
    r.scratch.git('cat-file', '-e', `${commit}^{commit}`);
  }
  const refs = { [to]: commit };
  assert.deepEqual(await publish(r.context, { run, refs }), {
    kind: 'published',
    refs,
    diverged: {},
  });
  assert.deepEqual([...(await listRefs(r.context, 'refs/czar/kept/'))], []);
  assert.equal(
    r.scratch.git('for-each-ref', '--format=%(refname)', 'refs/czar/kept', 'refs/czar/dropped'),
    to,
  );
  const again = await r.collect('one', { commitUncommitted: false });
  assert.equal(again.work.kept[0]?.ref, `refs/czar/kept/${run}/one/2`);
});

test('kept work stands in a commit when all its files do, as they are in it', async () => {
  using r = await gitRun({ 'a.txt': 'a\n', 'b.txt': 'b\n' });
  const { worktree } = await r.prepare('one');
  writeFiles(worktree, { 'a.txt': 'kept\n', 'n.txt': 'n\n' });
  await r.collect('one', { commitUncommitted: false });
  assert.equal(await standsIn(r.context, ref, [r.base]), false);
  r.scratch.write({ 'a.txt': 'kept\n', 'b.txt': 'other\n' });
  const part = r.scratch.commit('Part');
  r.scratch.write({ 'n.txt': 'n\n' });
  const whole = r.scratch.commit('Whole');
  assert.equal((await ensureMirror(r.context)).kind, 'ready');
  assert.equal(await standsIn(r.context, ref, [r.base, part]), false);
  assert.equal(await standsIn(r.context, ref, [r.base, whole]), true);
  assert.equal(await standsIn(r.context, `${ref}9`, [whole]), false);
});
