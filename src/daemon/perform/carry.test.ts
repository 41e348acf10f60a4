import assert from 'node:assert/strict';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { skip, smallDisk } from '../../../test/support/small-disk.ts';
import { withMark } from '../../git/collecting/czar-files.ts';
import { runCommand } from '../../process/run.ts';
import { carry } from './carry.ts';

const byName = (one: string, other: string): number => (one < other ? -1 : 1);

async function pipeAt(path: string): Promise<void> {
  await runCommand({
    argv: ['mkfifo', path],
    cwd: '/',
    env: { PATH: process.env['PATH'] ?? '' },
    timeoutMs: 10_000,
    maxOutputBytes: 0,
  });
}

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

test('sockets and pipes in a folder that is copied are passed over: all else in it is carried', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-carry-')));
  const [root, tree] = [join(base, 'root'), join(base, 'tree')];
  const servers = ['a', 'f5x', 'z'].map((name) => ({ name, server: createServer() }));
  try {
    for (const folder of [join(root, 'cf/sub'), tree]) mkdirSync(folder, { recursive: true });
    for (const { name, server } of servers)
      await new Promise<void>((bound) => server.listen(join(root, 'cf', name), bound));
    await pipeAt(join(root, 'cf/sub/pipe'));
    for (const name of ['f1', 'f5', 'f9', 'sub/f'])
      writeFileSync(join(root, 'cf', name), `${name}\n`);
    symlinkSync('f1', join(root, 'cf/link'));
    chmodSync(join(root, 'cf'), 0o555);
    assert.equal(await carry(root, { copy: ['cf'], link: [] }, tree), null);
    const carried = readdirSync(join(tree, 'cf'), { recursive: true }).map(String).toSorted(byName);
    assert.deepEqual(carried, ['f1', 'f5', 'f9', 'link', 'sub', 'sub/f']);
    assert.equal(readlinkSync(join(tree, 'cf/link')), 'f1');
    assert.equal(lstatSync(join(tree, 'cf')).mode & 0o777, 0o555);
  } finally {
    for (const { server } of servers) server.close();
    for (const folder of [root, tree]) chmodSync(join(folder, 'cf'), 0o755);
    rmSync(base, { recursive: true, force: true });
  }
});

test('what is itself a pipe or a socket is not carried, and that is said in one sentence', async () => {
  const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-carry-')));
  const [root, tree] = [join(base, 'root'), join(base, 'tree')];
  try {
    for (const folder of [root, tree]) mkdirSync(folder);
    await pipeAt(join(root, 'pipe'));
    assert.equal(
      await carry(root, { copy: ['pipe'], link: [] }, tree),
      'pipe cannot be carried into the tree: it is neither a file nor a folder, and cannot be copied',
    );
    assert.deepEqual(readdirSync(tree), []);
  } finally {
    rmSync(base, { recursive: true, force: true });
  }
});

test(
  'a copy that failed half way leaves nothing, and is made anew as a whole',
  { skip },
  async () => {
    using disk = smallDisk(4 * 1024 * 1024);
    const base = realpathSync(mkdtempSync(join(tmpdir(), 'czar-carry-')));
    const [root, tree] = [join(base, 'root'), join(disk.path, 'tree')];
    const files = Array.from({ length: 9 }, (_, n) => `f${n + 1}`);
    const both = { copy: ['cf', 'one'], link: [] };
    try {
      for (const folder of [join(root, 'cf'), tree]) mkdirSync(folder, { recursive: true });
      for (const name of files) writeFileSync(join(root, 'cf', name), Buffer.alloc(32 * 1024, 'x'));
      writeFileSync(join(root, 'one'), Buffer.alloc(128 * 1024, 'y'));
      for (const leave of [128 * 1024, 320 * 1024]) {
        disk.fill(leave);
        await assert.rejects(carry(root, both, tree), /ENOSPC/, `${leave} bytes left`);
        disk.free();
        assert.deepEqual(readdirSync(disk.path), ['tree']);
      }
      assert.deepEqual(readdirSync(tree), ['cf'], 'what was carried as a whole stays');
      assert.equal(await carry(root, both, tree), null);
      assert.deepEqual(readdirSync(join(tree, 'cf')).toSorted(byName), files);
      assert.equal(readFileSync(join(tree, 'one')).length, 128 * 1024);
    } finally {
      rmSync(base, { recursive: true, force: true });
    }
  },
);
