import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { planOf } from '../../test/support/core-world.ts';
import { jsonPieces } from './json-pieces.ts';

test('the pieces make up the JSON of the value, and of a large plan none is long', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.nat(6), (value, depth) => {
      assert.equal([...jsonPieces(value, depth)].join(''), JSON.stringify(value));
    }),
  );
  const absent = { v: 1, run: undefined, list: [undefined, { a: undefined }] };
  assert.equal([...jsonPieces(absent)].join(''), JSON.stringify(absent));
  const ids = Array.from({ length: 2_000 }, (_, index) => ({ id: `worker-${index}` }));
  const event = { seq: 2, data: { plan: planOf(ids), scope: null } };
  const pieces = [...jsonPieces(event)];
  assert.equal(pieces.join(''), JSON.stringify(event));
  assert.ok(Math.max(...pieces.map((piece) => piece.length)) < 2_000);
});
