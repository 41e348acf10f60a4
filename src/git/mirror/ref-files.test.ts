import assert from 'node:assert/strict';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { commitOn, gitRun, run } from '../../../test/support/git-worker.ts';
import { inMirror } from '../context.ts';
import { refInFiles, refsInFiles } from './ref-files.ts';
import { integrationRef, listRefs, listRefsIn, readRef, setRefs } from '../refs.ts';

test('refs in files and in the file of packed ones are those that git lists', async () => {
  using r = await gitRun();
  const { context } = r;
  const { mirror } = context;
  const next = commitOn(r, r.base, { 'a.txt': 'a\n' });
  const same = async (...prefixes: readonly string[]): Promise<number> => {
    const ours = await listRefs(context, ...prefixes);
    assert.deepEqual([...ours], [...(await listRefsIn(inMirror(context), ...prefixes))]);
    for (const [ref, commit] of ours) assert.equal(await readRef(context, ref), commit);
    return ours.size;
  };
  const work = `refs/czar/work/${run}/one`;
  const names = ['1/heads/a%2Fb', '1/HEAD', '1/tip', '10/tip', '2/seen/x.y'];
  await setRefs(context, new Map(names.map((name) => [`${work}/${name}`, r.base])));
  assert.equal(await same(`${work}/`), 5);
  r.scratch.gitIn(mirror, 'pack-refs', '--all');
  assert.equal(await same(`${work}/`), 5);
  // A file counts before what is packed.
  await setRefs(context, new Map([[`${work}/1/tip`, next]]));
  assert.equal((await listRefs(context, `${work}/`)).get(`${work}/1/tip`), next);
  assert.equal(await same(`${work}/`, integrationRef(run)), 6);
  assert.equal(await same(`${work}/1/tip`), 1);
  assert.equal(await same(`refs/czar/work/${run}/on`), 0);
  assert.equal(await readRef(context, `${work}/3/tip`), null);
  assert.equal(await readRef(context, work), null);
  // A lock is no ref.
  writeFileSync(join(mirror, `${work}/1/new.lock`), '');
  assert.equal(await same(`${work}/`), 5);
});

test('what is not beyond doubt is left to git', async () => {
  using r = await gitRun();
  const { mirror } = r.context;
  const ref = integrationRef(run);
  assert.equal(refInFiles(mirror, ref), r.base);
  for (const name of ['HEAD', 'refs/heads/main', 'refs/czar/../x', 'refs/czar/a b', `${ref}^1`]) {
    assert.equal(refInFiles(mirror, name), undefined);
    assert.equal(refsInFiles(mirror, name), undefined);
  }
  r.scratch.gitIn(mirror, 'symbolic-ref', 'refs/czar/integration/link', ref);
  assert.equal(refInFiles(mirror, 'refs/czar/integration/link'), undefined);
  assert.equal(refsInFiles(mirror, 'refs/czar/integration/'), undefined);
  assert.equal(await readRef(r.context, 'refs/czar/integration/link'), r.base);
  r.scratch.gitIn(mirror, 'symbolic-ref', '-d', 'refs/czar/integration/link');

  const packed = join(mirror, 'packed-refs');
  rmSync(packed, { force: true });
  assert.equal(refInFiles(mirror, `${ref}-none`), null);
  mkdirSync(packed);
  assert.equal(refInFiles(mirror, `${ref}-none`), undefined);
  assert.equal(refsInFiles(mirror, ref), undefined);
  rmSync(packed, { recursive: true });

  const many = join(mirror, 'refs/czar/many');
  mkdirSync(many);
  for (let n = 0; n < 501; n += 1) writeFileSync(join(many, String(n)), `${r.base}\n`);
  assert.equal(refsInFiles(mirror, 'refs/czar/many/'), undefined);
  assert.equal((await listRefs(r.context, 'refs/czar/many/')).size, 501);
  rmSync(join(mirror, 'refs'), { recursive: true });
  assert.equal(refInFiles(mirror, ref), undefined);
});
