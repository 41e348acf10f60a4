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
import { withMark } from '../../git/collecting/czar-files.ts';
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
        assert.match((await carry(root, how, tree)) ?? '', /leads out/);
        assert.deepEqual(readdirSync(outside), []);
      }
    }
    assert.equal(
      await carry(root, { copy: ['none'], link: [] }, tree),
      'none cannot be carried into the tree: there is no such file',
    );
    rmSync(join(tree, 'a'));
    mkdirSync(join(tree, 'b'));
    symlinkSync('b', join(tree, 'a'));
    await carry(root, { copy: ['a/key'], link: [] }, tree);
    assert.equal(readFileSync(join(tree, 'b/key'), 'utf8'), 'k');
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test('what czar wrote for an agent makes way for a file that is carried in; what somebody changed stays', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-carry-')));
  const [root, tree] = [join(base, 'root'), join(base, 'tree')];
  try {
    for (const folder of [root, tree]) mkdirSync(folder);
    const ours = withMark('You.\n');
    const own = join(tree, 'CLAUDE.md');
    writeFileSync(join(root, 'CLAUDE.md'), '# Build\n');
    const put = async (text: string): Promise<string> => {
      writeFileSync(own, text);
      await carry(root, { copy: ['CLAUDE.md'], link: [] }, tree);
      return readFileSync(own, 'utf8');
    };
    assert.equal(await put(ours), '# Build\n');
    assert.equal(await put(`${ours}More.\n`), `${ours}More.\n`);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});
