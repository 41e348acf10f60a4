import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { droppedBytes, keepBounded, olderPart } from './bounded-file.ts';
import { readLines } from './tail.ts';

const bound = 1_000;

function folder(): Disposable & { readonly path: string; readonly file: string } {
  const path = mkdtempSync(join(tmpdir(), 'czar-bounded-'));
  return {
    path,
    file: join(path, 'output'),
    [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }),
  };
}

test('fault 40: a file that grows for ever stays bounded, and a reader gets each line once', () => {
  using dir = folder();
  const seen: string[] = [];
  let at = 0;
  let wrote = 0;
  for (let n = 0; n < 900; n += 1) {
    const line = `line ${n}\n`;
    appendFileSync(dir.file, line);
    wrote += line.length;
    if (n % 7 !== 0) continue;
    const dropped = droppedBytes(dir.file);
    const { lines, offset } = readLines({ path: dir.file, offset: at - dropped });
    seen.push(...lines.map(({ text }) => text));
    at = dropped + offset;
    keepBounded(dir.file, at, bound);
    assert.ok(statSync(dir.file).size <= bound + 100);
    assert.ok(droppedBytes(dir.file) <= at);
  }
  assert.deepEqual(
    seen,
    seen.map((_, n) => `line ${n}`),
  );
  assert.ok(seen.length > 890);
  assert.equal(droppedBytes(dir.file) + statSync(dir.file).size, wrote);
  const older = readFileSync(olderPart(dir.file), 'utf8').split('\n');
  assert.match(older[0] ?? '', /^\[czar dropped \d+ bytes of this output\]$/);
  assert.match(older[1] ?? '', /^line \d+$/);
});

test('fault 40: what nobody could read in time is dropped too, and reading goes on behind it', () => {
  using dir = folder();
  writeFileSync(dir.file, 'x'.repeat(3 * bound));
  assert.equal(keepBounded(dir.file, 0, bound), false);
  appendFileSync(dir.file, 'x'.repeat(2 * bound));
  assert.equal(keepBounded(dir.file, 0, bound), true);
  appendFileSync(dir.file, 'next\n');
  assert.equal(droppedBytes(dir.file), 5 * bound);
  assert.deepEqual(readLines({ path: dir.file, offset: 0 }).lines, [{ text: 'next', cut: false }]);
});

test('a crash between the record and the emptying of a file moves no offset', () => {
  using dir = folder();
  writeFileSync(dir.file, 'x'.repeat(2_000));
  writeFileSync(`${dir.file}.dropped`, '500 2000 .\n');
  assert.equal(droppedBytes(dir.file), 500, 'it was not emptied yet');
  writeFileSync(dir.file, 'y\n');
  assert.equal(droppedBytes(dir.file), 2_500, 'it was emptied, and nobody wrote that down');
});

test('nothing is emptied through a link, under a second name, or where no plain file is', () => {
  for (const put of [
    (file: string, other: string) => symlinkSync(other, file),
    (file: string, other: string) => linkSync(other, file),
    (file: string) => mkdirSync(file),
  ]) {
    using dir = folder();
    const other = join(dir.path, 'other');
    writeFileSync(other, 'precious'.repeat(10_000));
    put(dir.file, other);
    assert.equal(keepBounded(dir.file, Infinity, 1), false);
    assert.equal(statSync(other).size, 80_000);
    assert.equal(existsSync(olderPart(dir.file)), false);
  }
});

test('a folder in the place of the records does not keep a file from being bounded', () => {
  using dir = folder();
  mkdirSync(join(`${dir.file}.dropped`, 'in it'), { recursive: true });
  writeFileSync(dir.file, 'x'.repeat(2 * bound));
  assert.equal(keepBounded(dir.file, Infinity, bound), true);
  assert.equal(droppedBytes(dir.file), 2 * bound);
});
