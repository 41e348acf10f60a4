import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import { chainHash, genesis } from './chain.ts';
import { utf8Pieces } from './utf8-pieces.ts';

test('the pieces of a text are its UTF-8, and none is long', () => {
  for (const text of ['', 'a', 'é€😀', 'x😀'.repeat(50_000), '€'.repeat(100_000)]) {
    const pieces = Array.from(utf8Pieces(text), (piece) => {
      assert.ok(piece.length <= 65_536);
      return Buffer.from(piece);
    });
    assert.ok(Buffer.concat(pieces).equals(Buffer.from(text)));
  }
});

test('the hash of an event is that of its text, however long that is', () => {
  const row = { v: 1, seq: 1, at: 5, run: 'r', worker: null, attempt: null, type: 't' };
  for (const data of ['{}', JSON.stringify({ text: 'é😀 '.repeat(100_000) })]) {
    const text = `${genesis}\n[1,1,5,"r",null,null,"t"]\n${data}`;
    const expected = createHash('sha256').update(text).digest('hex');
    assert.equal(chainHash(genesis, { ...row, data }), expected);
  }
});
