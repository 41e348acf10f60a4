import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { checksum, compiledLanes, plainLanes } from './checksum.ts';

test('a checksum depends on the text alone, and is 16 digits', () => {
  assert.equal(checksum(''), checksum(''));
  assert.equal(checksum('{"state":"complete"}'), 'c6be36d54f6da9e2');
  // What a longer text left behind changes nothing.
  const before = checksum('abcde');
  checksum('x'.repeat(100_000));
  assert.equal(checksum('abcde'), before);
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => /^[0-9a-f]{16}$/.test(checksum(text))),
  );
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

test('the loop in WebAssembly and the one in JavaScript say the same, whatever came before', () => {
  const both = [compiledLanes(), plainLanes()].filter((lanes) => lanes !== null);
  assert.equal(both.length, 2, 'this machine has WebAssembly');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(3), (bytes, pages) => {
      const length = bytes.length + pages * 65_536;
      const [one, other] = both.map(({ room, sum }) => {
        const memory = room(length + 3);
        memory.fill(7, 0, length);
        memory.set(bytes, length - bytes.length);
        memory.fill(0, length, length + 3);
        return sum(length);
      });
      assert.deepEqual(one, other);
    }),
  );
});
