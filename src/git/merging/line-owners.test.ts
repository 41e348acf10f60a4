import assert from 'node:assert/strict';
import test from 'node:test';
import { commitOn, gitRun } from '../../../test/support/git-worker.ts';
import { ownersOfLines } from './line-owners.ts';

test('a line is whose merge brought it, else of the last one that changed its file, else nobody’s', async () => {
  using r = await gitRun({ 'a.txt': 'one\ntwo\n', 'old.txt': 'old\n' });
  const merged = (base: string, files: Readonly<Record<string, string | null>>): string => {
    const tip = commitOn(r, base, files);
    return commitOn(r, base, files, tip);
  };
  const first = merged(r.base, { 'a.txt': 'one\nof first\ntwo\n', 'new.txt': 'x\n' });
  const second = merged(first, { 'a.txt': 'one\nof first\ntwo\nof second\n' });
  const third = merged(second, { 'new.txt': null, 'b.txt': 'b\n' });
  const merges = [
    { worker: 'first', commit: first },
    { worker: 'second', commit: second },
    { worker: 'third', commit: third },
  ];
  const places: readonly [string, number | null, string | null][] = [
    ['a.txt', 2, 'first'],
    ['a.txt', 4, 'second'],
    ['a.txt', 1, 'second'],
    ['a.txt', null, 'second'],
    ['a.txt', 99, 'second'],
    ['b.txt', 1, 'third'],
    ['new.txt', 1, 'third'],
    ['old.txt', 1, null],
    ['../outside', 1, null],
    ['-rf', null, null],
  ];
  const found = await ownersOfLines(r.context, {
    tip: third,
    merges,
    places: places.map(([file, line]) => ({ file, line })),
  });
  assert.ok(found.kind === 'owners');
  assert.deepEqual(
    found.owners,
    places.map(([, , owner]) => owner),
  );
});
