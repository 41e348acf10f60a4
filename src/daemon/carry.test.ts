import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { carry } from './carry.ts';

test('files are carried into a tree, but through no link that leads out of it', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-carry-')));
  const [root, tree, outside] = ['root', 'tree', 'outside'].map((name) => join(base, name));
  try {
    assert.ok(root !== undefined && tree !== undefined && outside !== undefined);
    for (const folder of [join(root, 'a'), tree, outside]) mkdirSync(folder, { recursive: true });
    writeFileSync(join(root, 'a/key'), 'k');
    await carry(root, { copy: ['a/key'], link: [] }, tree);
    assert.equal(readFileSync(join(tree, 'a/key'), 'utf8'), 'k');
    for (const target of [outside, join(outside, 'missing')]) {
      for (const how of [
        { copy: ['a/key'], link: [] },
        { copy: [], link: ['a/key'] },
      ]) {
        rmSync(join(tree, 'a'), { recursive: true, force: true });
        symlinkSync(target, join(tree, 'a'));
        await assert.rejects(carry(root, how, tree), /leads out/);
        assert.deepEqual(readdirSync(outside), []);
      }
    }
    rmSync(join(tree, 'a'));
    mkdirSync(join(tree, 'b'));
    symlinkSync('b', join(tree, 'a'));
    await carry(root, { copy: ['a/key'], link: [] }, tree);
    assert.equal(readFileSync(join(tree, 'b/key'), 'utf8'), 'k');
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
