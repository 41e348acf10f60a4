import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createPrinter, layOut, spanText, type Printer } from './render.ts';
import { fit, plain, printableJson, textWidth } from './text.ts';

function collect(options: {
  readonly colours?: boolean;
  readonly width?: number | null | (() => number);
  readonly quiet?: boolean;
}): {
  readonly out: Printer;
  readonly stdout: () => string;
  readonly stderr: () => string;
} {
  const [stdout, stderr]: string[][] = [[], []];
  const sink = (into: string[] = []) => ({
    write: (text: string) => void into.push(text),
    colours: options.colours ?? false,
    width: () => (typeof options.width === 'function' ? options.width() : (options.width ?? null)),
    rows: () => 24,
  });
  return {
    out: createPrinter({
      stdout: sink(stdout),
      stderr: sink(stderr),
      quiet: () => options.quiet ?? false,
    }),
    stdout: () => (stdout ?? []).join(''),
    stderr: () => (stderr ?? []).join(''),
  };
}

test('nothing in a text can steer the terminal', () => {
  assert.equal(
    plain('a\u001b[31mred\u001b[0m\u001b]0;title\u0007b\u009b2Jc\u202ed\rE'),
    'aredb2JcdE',
  );
  assert.equal(plain('one\ntwo\tthree'), 'one two three');
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      // oxlint-disable-next-line no-control-regex -- that is what must not be left
      assert.doesNotMatch(plain(text), /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
    }),
  );
});

test('colours are printed only where they are wanted, and only from spans', () => {
  const plainly = collect({});
  plainly.out.line({ text: 'a', style: 'red' }, '\u001b[31mb');
  assert.equal(plainly.stdout(), 'ab\n');
  const coloured = collect({ colours: true });
  coloured.out.line({ text: 'a', style: 'red' }, '\u001b[32mb');
  assert.equal(coloured.stdout(), '\u001b[31ma\u001b[39mb\n');
});

test('a text is cut to cells, not characters, and says that it is cut', () => {
  assert.equal(fit('hello', 5), 'hello');
  assert.equal(fit('hello!', 5), 'hell…');
  assert.equal(fit('日本語', 4), '日…');
  assert.equal(textWidth('日本é👍'), 7);
});

test('the lines of a table fit the width, whatever stands in its cells', () => {
  const rows = fc.array(
    fc.array(fc.string({ unit: 'grapheme', maxLength: 30 }), { minLength: 3, maxLength: 3 }),
    { minLength: 1, maxLength: 5 },
  );
  fc.assert(
    fc.property(rows, fc.integer({ min: 10, max: 60 }), fc.nat(2), (cells, width, flex) => {
      for (const line of layOut(cells, { width, flex, indent: 2 }))
        assert.ok(textWidth(spanText(line)) <= width);
    }),
  );
});

test('columns align, and the last one gives way', () => {
  const { out, stdout } = collect({ width: 16 });
  out.table([
    ['a', 'short', 'x'],
    ['long', 'b', 'a sentence that is cut'],
  ]);
  assert.match(stdout(), /^a     short  x\nlong  b/);
  for (const line of stdout().split('\n')) assert.ok(line.length <= 16);
});

test('notes are silenced by quiet, errors are not, and neither goes to stdout', () => {
  const { out, stdout, stderr } = collect({ quiet: true });
  out.note('progress');
  out.error('trouble');
  assert.equal(stderr(), 'trouble\n');
  assert.equal(stdout(), '');
});

test('a document is one line of JSON', () => {
  const { out, stdout } = collect({ colours: true });
  out.json({ text: 'a\nb' });
  assert.equal(stdout(), '{"text":"a\\nb"}\n');
});

test('a picture is taken away whole when the terminal has become narrower meanwhile', () => {
  let width = 20;
  const { out, stderr } = collect({ width: () => width });
  out.picture(['0123456789abcdef', 'short']);
  width = 6;
  out.note('x');
  assert.equal(stderr().split('\u001b')[1], '[4A');
});

test('JSON holds nothing that a terminal would act on, and reads as what it was', () => {
  const value = { text: 'a\u202eb\u009b2Jc\u200b\ufeff\u2028 ü 日 \u0007' };
  const text = printableJson(value);
  assert.doesNotMatch(text, /[\u0000-\u001f\u007f-\u009f\u200b\u202e\u2028\ufeff]/);
  assert.deepEqual(JSON.parse(text), value);
  assert.ok(text.includes('ü 日'));
});
