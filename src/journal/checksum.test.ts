import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { checksum, compiledLanes, plainLanes } from './checksum.ts';

test('a checksum depends on the text alone, and is 16 digits', () => {
  assert.equal(checksum(''), checksum(''));
  assert.equal(checksum('{"state":"complete"}'), '077ec637049fb332');
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

test('a text has the same checksum however it is divided, and however long it is', () => {
  for (const letter of ['x', 'é', '€', '😀']) {
    const text = letter.repeat(70_000 / letter.length);
    const whole = checksum(text);
    assert.notEqual(checksum(text.slice(letter.length)), whole);
    for (const before of [1, 2, 3, 4, 5, 30_000].map((count) => count * letter.length))
      assert.equal(checksum(text.slice(0, before), '', text.slice(before)), whole, letter);
  }
  fc.assert(
    fc.property(fc.array(fc.string({ unit: 'grapheme' })), (texts) => {
      assert.equal(checksum(...texts), checksum(texts.join('')));
    }),
  );
});

test('the loop in WebAssembly and the one in JavaScript say the same, whatever came before', () => {
  const both = [compiledLanes(), plainLanes()].filter((lanes) => lanes !== null);
  assert.equal(both.length, 2, 'this machine has WebAssembly');
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 60 }), fc.integer(), fc.integer(), (text, one, two) => {
      const [first, second] = both.map(({ bytes, sum }) => {
        bytes.fill(7);
        bytes.set(text);
        bytes.fill(0, text.length, text.length + 3);
        return sum(text.length, one, two);
      });
      assert.deepEqual(first, second);
    }),
  );
});
