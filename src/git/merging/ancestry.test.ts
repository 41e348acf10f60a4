import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { scratchRepository } from '../../../test/support/git-fixture.ts';
import { relate } from './ancestry.ts';
import { OpenMirror } from '../mirror/open-mirror.ts';

/** A commit: how far back its parents are, and how many seconds after the one before it. */
const history = fc.array(
  fc.record({
    back: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
    later: fc.constantFrom(0, 0, 1, 60),
  }),
  { minLength: 8, maxLength: 14 },
);

test('relations of commits are those that git sees, and skewed clocks are left to it', async () => {
  using scratch = scratchRepository();
  const histories = fc.sample(history, { numRuns: 25, seed: 7 });
  const parts: string[] = [];
  let mark = 0;
  const marks = histories.map((commits) => {
    const first = mark;
    let time = 1_800_000_000;
    for (const { back, later } of commits) {
      time += later;
      mark += 1;
      parts.push(`commit refs/heads/c${mark}\nmark :${mark}\ncommitter x <x@x> ${time} +0000\n`);
      parts.push(`data 1\nx\n`);
      back
        .map((distance) => mark - distance)
        .filter((parent) => parent > first)
        .forEach((parent, index) => parts.push(`${index === 0 ? 'from' : 'merge'} :${parent}\n`));
    }
    return { first, last: mark };
  });
  const skewed = [1_800_000_100, 1_800_000_000].map((time, index) => {
    const from = index === 0 ? '' : 'from refs/heads/s0\n';
    return `commit refs/heads/s${index}\ncommitter x <x@x> ${time} +0000\ndata 1\nx\n${from}`;
  });
  scratch.feed([...parts, ...skewed].join(''), 'fast-import', '--quiet');

  const listed = scratch.git('for-each-ref', '--format=%(refname:short) %(objectname)').split('\n');
  const ids = new Map(listed.map((line) => [line.split(' ')[0], line.split(' ')[1] ?? '']));
  await using mirror = new OpenMirror(join(scratch.root, '.git'));
  const read = (id: string): ReturnType<OpenMirror['commit']> => mirror.commit(id);
  const seen = { none: 0, one: 0, more: 0 };
  for (const { first, last } of marks) {
    for (const [one, other] of [
      [last, last - 1],
      [last - 2, last],
      [first + 3, last],
    ]) {
      const [left = '', right = ''] = [ids.get(`c${one}`), ids.get(`c${other}`)];
      const related = await relate(read, left, right);
      const bases = scratch.tryGit(scratch.root, 'merge-base', '--all', left, right).stdout;
      const expected = bases.split('\n').filter((id) => id !== '');
      // Candidates may lie below one another; then there is more than one, and git is asked.
      if (related?.bases.length === 1 || expected.length === 0)
        assert.deepEqual(related?.bases, expected);
      for (const id of expected) assert.ok(related?.bases.includes(id));
      const count = scratch.git('rev-list', '--count', `${left}..${right}`);
      assert.equal(related?.beyond, Number(count));
      seen[expected.length === 0 ? 'none' : expected.length === 1 ? 'one' : 'more'] += 1;
    }
  }
  assert.ok(seen.none > 3 && seen.one > 20 && seen.more > 3, JSON.stringify(seen));
  const [old = '', young = ''] = [ids.get('s0'), ids.get('s1')];
  assert.equal(await relate(read, old, young), null);
  assert.equal(await relate(read, old, '0'.repeat(40)), null);
});
