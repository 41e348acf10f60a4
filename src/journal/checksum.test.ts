import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { checksum, folded } from './checksum.ts';

test('a checksum depends on the text alone', () => {
  assert.equal(checksum('{"state":"complete"}'), '0bd40bc973cc8743');
  assert.equal(checksum(''), '751a3b17226dd2e9');
  // What a longer text left behind changes nothing.
  const before = checksum('abcde');
  checksum('x'.repeat(300_000));
  assert.equal(checksum('abcde'), before);
});

test('the compiled checksum is the one that is written out', () => {
  const plain = (text: string): string => {
    const bytes = Buffer.from(text, 'utf16le');
    const buffer = new ArrayBuffer((bytes.length + 7) & ~7);
    bytes.copy(new Uint8Array(buffer));
    return folded(bytes.length, buffer).toString(16).padStart(16, '0');
  };
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
      assert.equal(checksum(text), plain(text));
    }),
  );
  const long = '{"ünïcode": 1}'.repeat(10_000);
  assert.equal(checksum(long), plain(long));
});

test('every single flipped bit of a text shows in its checksum', () => {
  const text = Buffer.from(JSON.stringify({ id: 'worker', state: 'complete', n: [1, 2, 3] }));
  const sum = checksum(text.toString('latin1'));
  for (let bit = 0; bit < text.length * 8; bit += 1) {
    const flipped = Buffer.from(text);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    assert.notEqual(checksum(flipped.toString('latin1')), sum);
  }
});

test('texts that are moved, cut or filled up have other checksums', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1, maxLength: 40 }), fc.nat(40), (text, at) => {
      const turned = text.slice(at % text.length) + text.slice(0, at % text.length);
      if (turned !== text) assert.notEqual(checksum(turned), checksum(text));
      assert.notEqual(checksum(text.slice(0, -1)), checksum(text));
      assert.notEqual(checksum(`${text}\0`), checksum(text));
    }),
  );
});
