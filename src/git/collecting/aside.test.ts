import assert from 'node:assert/strict';
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { working } from '../../../test/support/git-worker.ts';
import { copyAside } from './aside.ts';
import { Unreadable, copyOne } from './copy-file.ts';
import type { FileToCopy } from './copy-file.ts';

const megabyte = 1024 * 1024;
const rules = { maxFileBytes: 10_000 };

/** A folder to work in: what is `put` aside lies in its folder `to`. */
function folder(): {
  readonly dir: string;
  readonly put: (
    path: string,
    options?: { diskReserveBytes?: number; signal?: AbortSignal },
  ) => Promise<string | undefined>;
} & Disposable {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), 'czar-aside-')));
  return {
    dir,
    put: async (name, { signal, ...more } = {}) => {
      const [from, to] = [Buffer.from(join(dir, name)), join(dir, 'to', name)];
      const one = { name, from, to, via: join(dir, 'to.new') };
      return (await copyAside([one], { ...rules, ...more }, signal)).get(name);
    },
    [Symbol.dispose]: () => rmSync(dir, { recursive: true, force: true }),
  };
}

function fileToCopy(from: string, to: string): FileToCopy {
  return { from: Buffer.from(from), to: Buffer.from(to), via: `${to}.new`, stat: lstatSync(from) };
}

/** A file with a word at its start and one in the middle, and holes else. */
function sparse(path: string, size: number): void {
  writeFileSync(path, 'begin', { mode: 0o640 });
  truncateSync(path, size);
  const file = openSync(path, 'r+');
  writeSync(file, 'middle', size / 2);
  closeSync(file);
}

function assertSparse(path: string, size: number): void {
  const stat = lstatSync(path);
  assert.equal(stat.size, size);
  assert.ok(stat.blocks * 512 < 2 * megabyte, `${stat.blocks} blocks`);
  const file = openSync(path, 'r');
  const word = Buffer.alloc(6);
  assert.equal(readSync(file, word, 0, 5, 0) + readSync(file, word, 0, 6, size / 2), 11);
  closeSync(file);
  assert.equal(word.toString(), 'middle');
}

test('the copy of a file with holes takes no more of the disk than the file', async () => {
  using of = folder();
  const size = 3_000 * megabyte;
  sparse(join(of.dir, 'sparse.bin'), size);
  const copy = await of.put('sparse.bin');
  assert.equal(copy, join(of.dir, 'to/sparse.bin'));
  assertSparse(copy, size);
  assert.equal(lstatSync(copy).mode & 0o777, 0o640);
});

test('holes stay holes also where there is no cp that knows them', async () => {
  using of = folder();
  const [from, to] = [join(of.dir, 'sparse.bin'), join(of.dir, 'copy')];
  const size = 64 * megabyte;
  sparse(from, size);
  const before = process.env['PATH'];
  process.env['PATH'] = of.dir;
  try {
    await copyOne(fileToCopy(from, to), new AbortController().signal);
  } finally {
    process.env['PATH'] = before;
  }
  assertSparse(to, size);
  assert.ok(readFileSync(to).equals(readFileSync(from)));
});

test('what is aside as a whole is not copied again; what is not, or was changed since, is', async () => {
  using of = folder();
  const [file, copy] = [join(of.dir, 'a/b/file'), join(of.dir, 'to/a/b/file')];
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'one', { mode: 0o400 });
  assert.equal(await of.put('a'), join(of.dir, 'to/a'));
  const { ctimeMs } = lstatSync(copy);
  assert.equal(await of.put('a'), join(of.dir, 'to/a'));
  assert.equal(lstatSync(copy).ctimeMs, ctimeMs);
  rmSync(file);
  writeFileSync(file, 'two');
  await of.put('a');
  assert.equal(readFileSync(copy, 'utf8'), 'two');
  rmSync(copy);
  // Of a copying that was killed.
  writeFileSync(copy, 'tw');
  await of.put('a');
  assert.equal(readFileSync(copy, 'utf8'), 'two');
});

test('a copying that is stopped ends, and leaves no half copy', async () => {
  using of = folder();
  writeFileSync(join(of.dir, 'large.bin'), Buffer.alloc(3 * megabyte, 'x'));
  const signal = AbortSignal.abort();
  await assert.rejects(of.put('large.bin', { signal }), /put aside in time/);
  const from = join(of.dir, 'large.bin');
  await assert.rejects(copyOne(fileToCopy(from, `${from}.copy`), signal), /put aside in time/);
  assert.deepEqual(readdirSync(of.dir), ['large.bin', 'to']);
  assert.deepEqual(readdirSync(join(of.dir, 'to')), []);
});

test('what does not fit above the reserve is not begun: collecting fails, all stays in the tree, and is had later', async () => {
  const { r, tree } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  writeFileSync(join(tree, 'ok.txt'), 'ok\n');
  writeFileSync(join(tree, 'large.bin'), Buffer.alloc(200_000, 'x'));
  writeFileSync(join(tree, 'server.pem'), 'key\n');
  // Where blocks can be shared there is always room.
  const shares = await r.collect('one', { rules: { ...r.rules, diskReserveBytes: 2 ** 60 } }).then(
    () => true,
    (error: Error) => {
      assert.equal(
        error.message,
        'what git is not given of it takes 200 KB put aside (most of it: large.bin), and 0 B are free above the reserve (disk_reserve): everything stays in its tree',
      );
      return false;
    },
  );
  const aside = join(r.scratch.dir, 'aside/large.bin');
  assert.equal(existsSync(aside), shares);
  assert.ok(existsSync(join(tree, 'large.bin')));
  const { work } = await r.collect('one', { rules: { ...r.rules, diskReserveBytes: 0 } });
  assert.deepEqual(
    work.changed.map(({ path }) => path),
    ['ok.txt'],
  );
  assert.equal(readFileSync(aside).length, 200_000);
});

test('so little as git would be given unasked is put aside also when less than the reserve is free', async () => {
  using of = folder();
  writeFileSync(join(of.dir, '.env'), 'TOKEN=1\n');
  assert.equal(await of.put('.env', { diskReserveBytes: 2 ** 60 }), join(of.dir, 'to/.env'));
});

test('when the copies have no place collecting fails, and the tree keeps everything', async () => {
  const { r, tree } = await working({ 'a.txt': 'a\n' });
  using _ = r;
  writeFileSync(join(tree, 'server.pem'), 'key\n');
  const worker = join(r.scratch.dir, 'aside/run/one');
  mkdirSync(dirname(worker), { recursive: true });
  writeFileSync(worker, 'a file');
  const rules = { ...r.rules, asideDir: join(worker, '1') };
  await assert.rejects(r.collect('one', { rules }), /ENOTDIR|EEXIST/);
  assert.equal(readFileSync(join(tree, 'server.pem'), 'utf8'), 'key\n');
  rmSync(worker);
  await r.collect('one', { rules });
  assert.equal(readFileSync(join(worker, '1/server.pem'), 'utf8'), 'key\n');
  assert.deepEqual(readdirSync(worker), ['1']);
});

test('what cannot be copied now leaves its older copy as it was', async () => {
  using of = folder();
  const [file, copy] = [join(of.dir, 'large.bin'), join(of.dir, 'to/large.bin')];
  const size = 3 * megabyte;
  writeFileSync(file, Buffer.alloc(size, 'x'));
  await of.put('large.bin');
  const changed = fileToCopy(file, copy);
  rmSync(file);
  const signal = AbortSignal.abort();
  await assert.rejects(copyOne(changed, new AbortController().signal), Unreadable);
  await assert.rejects(copyOne(changed, signal));
  // Of the program that copies, which copies a link as a link.
  writeFileSync(join(of.dir, 'other'), 'other');
  symlinkSync('other', file);
  await assert.rejects(copyOne(changed, new AbortController().signal), Unreadable);
  assert.equal(readFileSync(copy).length, size);
  assert.deepEqual(readdirSync(join(of.dir, 'to')), ['large.bin']);
  assert.equal(readFileSync(join(of.dir, 'other'), 'utf8'), 'other');
});
