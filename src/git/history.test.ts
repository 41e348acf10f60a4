import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { scratchRepository } from '../../test/support/git-fixture.ts';
import { gitContext } from './context.ts';
import { changes, commitsBeyond, isAncestor, mergeBases, parentsOf, treeOf } from './history.ts';
import { OpenMirror } from './mirror/open-mirror.ts';
import { emptyTree } from './refs.ts';

/** A branch beside another, a merge of both, and files of all kinds that come, go and change their kind. */
const history = `
blob
mark :1
data 2
a

blob
mark :2
data 2
b

commit refs/heads/main
mark :10
committer x <x@x> 1800000000 +0000
data 1
1
M 100644 :1 dir/file
M 100644 :1 dir.txt
M 100644 :1 becomes
M 100755 :1 "n\\303\\244me \\"q\\""
M 120000 :1 link

commit refs/heads/one
mark :11
committer x <x@x> 1800000100 +0000
data 1
2
from :10
M 100644 :2 dir/file
M 100644 :2 becomes/folder/now
D link
M 120000 :2 dir.txt

commit refs/heads/other
mark :12
committer x <x@x> 1800000200 +0000
data 1
3
from :10
M 100644 :2 new/deep/file
M 100644 :1 "n\\303\\244me \\"q\\""

commit refs/heads/both
mark :13
committer x <x@x> 1800000300 +0000
data 1
4
from :11
merge :12
M 100644 :2 new/deep/file

commit refs/heads/alone
mark :14
committer x <x@x> 1800000400 +0000
data 1
5
M 100644 :2 alone
`;

test('the open mirror says of commits what git says', async () => {
  using scratch = scratchRepository();
  const commonDir = join(scratch.dir, 'one.git');
  scratch.git('init', '-q', '--bare', '-b', 'main', commonDir);
  scratch.feed(history.trimStart(), `--git-dir=${commonDir}`, 'fast-import', '--quiet');
  const plain = { ...gitContext({ root: scratch.root, commonDir, home: '' }), mirror: commonDir };
  await using open = new OpenMirror(commonDir);
  const opened = { ...plain, open };
  const names = ['main', 'one', 'other', 'both', 'alone'];
  const ids = names.map((name) => scratch.gitIn(commonDir, 'rev-parse', name));
  for (const one of ids) {
    assert.equal(await treeOf(opened, one), await treeOf(plain, one));
    assert.deepEqual(await parentsOf(opened, one), await parentsOf(plain, one));
    for (const other of [...ids, emptyTree(one)]) {
      assert.deepEqual(await changes(opened, one, other), await changes(plain, one, other));
      assert.deepEqual(await changes(opened, other, one), await changes(plain, other, one));
    }
    for (const other of ids) {
      assert.equal(await isAncestor(opened, one, other), await isAncestor(plain, one, other));
      assert.equal(await commitsBeyond(opened, one, other), await commitsBeyond(plain, one, other));
      assert.deepEqual(await mergeBases(opened, one, other), await mergeBases(plain, one, other));
    }
  }
});
