import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { runCommand } from './run.ts';
import { readStatus } from './status.ts';
import { lastLines, plainText, readLines } from './tail.ts';

const home = mkdtempSync(join(tmpdir(), 'czar-tail-'));
after(() => rmSync(home, { recursive: true, force: true }));
let files = 0;
function file(content: string | Uint8Array): string {
  const path = join(home, String((files += 1)));
  writeFileSync(path, content);
  return path;
}

test('only whole lines are read, and the rest when it is complete', () => {
  const path = file('one\ntwo\nthr');
  const first = readLines({ path, offset: 0 });
  assert.deepEqual(
    first.lines.map((line) => line.text),
    ['one', 'two'],
  );
  assert.equal(first.offset, 8);
  assert.deepEqual(readLines({ path, offset: 8 }), { lines: [], offset: 8 });
  appendFileSync(path, 'ee\r\n');
  assert.deepEqual(readLines({ path, offset: 8 }), {
    lines: [{ text: 'three', cut: false }],
    offset: 15,
  });
});

test('at the end of a file that grows no more a last line without a line feed counts', () => {
  const path = file('one\n{"a":1}');
  const read = readLines({ path, offset: 0, atEnd: true });
  assert.deepEqual(
    read.lines.map((line) => line.text),
    ['one', '{"a":1}'],
  );
  assert.deepEqual(readLines({ path, offset: read.offset, atEnd: true }).lines, []);
});

test('a line over the limit is cut and marked, and the next one is whole', () => {
  const path = file(`${'x'.repeat(2_500)}\nnext\n`);
  const seen: unknown[] = [];
  let offset = 0;
  for (let calls = 0; calls < 10; calls += 1) {
    const read = readLines({ path, offset, maxBytes: 1_000, maxLineBytes: 10 });
    seen.push(...read.lines);
    if (read.offset === offset) break;
    offset = read.offset;
  }
  assert.deepEqual(seen, [
    { text: 'xxxxxxxxxx', cut: true },
    { text: 'next', cut: false },
  ]);
  assert.equal(offset, 2_506);
});

test('many lines come in portions and none is lost or repeated', () => {
  const all = Array.from({ length: 500 }, (_, i) => `line ${i} ${'é'.repeat(i % 7)}`);
  const path = file(`${all.join('\n')}\n`);
  const seen: string[] = [];
  let offset = 0;
  for (;;) {
    const read = readLines({ path, offset, maxBytes: 97 });
    if (read.offset === offset) break;
    seen.push(...read.lines.map((line) => line.text));
    offset = read.offset;
  }
  assert.deepEqual(seen, all);
});

test('bytes that are no text, a missing file and a shortened one do no harm', () => {
  const path = file(Buffer.from([0x00, 0xff, 0xfe, 0x0a, 0x41, 0x0a]));
  assert.deepEqual(
    readLines({ path, offset: 0 }).lines.map((line) => line.text),
    ['\0��', 'A'],
  );
  assert.deepEqual(readLines({ path: join(home, 'none'), offset: 5 }), { lines: [], offset: 5 });
  assert.deepEqual(readLines({ path, offset: 100 }), { lines: [], offset: 6 });
});

test('the last lines are plain text', () => {
  const path = file(
    'old\n\x1b[31mred\x1b[0m and \x1b]0;title\x07plain\n\n  \n10%\r50%\rdone\r\n\x1b[2K\x1b(Bbell\x07\x00!\n',
  );
  assert.deepEqual(lastLines(path, 3), ['red and plain', 'done', 'bell!']);
  assert.deepEqual(lastLines(join(home, 'none'), 3), []);
});

test('control sequences that are not finished swallow no later text of other lines', () => {
  assert.equal(plainText('a\x1b[31'), 'a');
  assert.equal(plainText('a\x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\'), 'alink');
  assert.equal(plainText('tab\there'), 'tab here');
});

test('of lines that begin with a brace only those are given, and the offset is the same as of all', () => {
  const path = file('noise\n{"a":1}\nx {"b":2}\n  {"c":3}\n\nmore noise\n{"torn');
  const objects = readLines({ path, offset: 0, objects: true });
  assert.deepEqual(
    objects.lines.map(({ text }) => text),
    ['{"a":1}', '  {"c":3}'],
  );
  assert.equal(objects.offset, readLines({ path, offset: 0 }).offset);
});

test('a FIFO or a link in place of a file that an agent can replace neither blocks nor is read', async () => {
  const dir = mkdtempSync(join(home, 'hostile-'));
  const status = join(dir, 'status');
  const put: readonly (() => void | Promise<unknown>)[] = [
    () =>
      runCommand({
        argv: ['mkfifo', status],
        cwd: dir,
        env: { PATH: process.env['PATH'] ?? '' },
        timeoutMs: 5_000,
      }),
    () => symlinkSync(file('exit 0 .\n'), status),
  ];
  for (const make of put) {
    await make();
    assert.deepEqual(readStatus(dir), { kind: 'none' });
    assert.deepEqual(readLines({ path: status, offset: 3 }), { lines: [], offset: 3 });
    assert.deepEqual(lastLines(status, 5), []);
    rmSync(status);
  }
});
