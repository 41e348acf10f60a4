import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cells, columns, cut, oneLine } from './cells.ts';

test('one long name does not push everything else out of the line', () => {
  const rows = [
    ['✓', 'short', 'complete', '12s', '1 commit, 1 file (1 new), 1,234 tokens'],
    ['✓', 'z'.repeat(64), 'complete', '3s', '2 commits'],
  ];
  const [first = '', second = ''] = columns(rows, { width: 80, flex: 4 });
  assert.match(first, /^✓ {2}short +complete {2}12s {2}1 commi…$/);
  assert.match(second, /^✓ {2}z+… {2}complete {2}3s {3}2 commi…$/);
  for (const line of [first, second]) assert.ok(cells(line) <= 80, line);
  assert.deepEqual(
    columns(rows, { width: 200, flex: 4 }),
    columns(rows, { width: Infinity, flex: 4 }),
  );
});

test('text is cut by cells and loses what steers a terminal', () => {
  assert.equal(oneLine('a\n\tb \u001b[31mred\u001b[0m \u202e\u0007'), 'a b red');
  assert.equal(oneLine('\u001b]0;title\u0007x'), 'x');
  assert.equal(cut('漢字漢字', 5), '漢字…');
  assert.equal(cells('漢字'), 4);
});
