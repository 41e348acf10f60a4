import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import picomatch from 'picomatch';
import { meetings } from './claims.ts';
import { globsOverlap } from '../core/overlap.ts';

const cases: readonly (readonly [string, string, boolean])[] = [
  ['src/**', 'src/a/b.ts', true],
  ['src/**', 'docs/**', false],
  ['src/*.ts', 'src/*.js', false],
  ['src/*.ts', 'src/a*', true],
  ['**/*.md', 'docs/x/README.md', true],
  ['**/*.md', 'src/**', true],
  ['src/a/**', 'src/b/**', false],
  ['src/{a,b}/**', 'src/b/x', true],
  ['src/{a,b}/**', 'src/c/x', false],
  ['a/?.ts', 'a/bc.ts', false],
  ['a/[bc].ts', 'a/[cd].ts', true],
  ['a/[bc].ts', 'a/[de].ts', false],
  ['a/[a-c].ts', 'a/x.ts', true],
  ['a', 'a/b', true],
  ['a/b', 'a/bc', false],
  ['a/b', 'a/*/c', true],
  ['app/[id]/page.ts', 'app/?id?/*', true],
  ['app/[id]/**', 'app/[id]/page.tsx', true],
  ['app/[id]/**', 'app/*d]/page.tsx', true],
  ['app/[id]/**', 'app/[slug]/**', false],
  ['app/[id]/x/[lang]/**', 'app/[id]/y/[lang]/**', false],
  ['app/[[...slug]]/**', 'app/[[...slug]]/page.tsx', true],
  ['a/[b]/[c]/[d]/[e]/[f]', 'x/y', true],
  ['a/*', 'a/b/c', false],
  ['a/**', 'a', true],
  ['**', 'anything/at/all', true],
  ['app/(group)/x', 'app/other/x', false],
  ['app/(group)/**', 'app/(group)/x', true],
  ['a/*b*c', 'a/xbyyc', true],
  ['a/*b*c', 'a/xcyyb', false],
];

for (const [a, b, expected] of cases) {
  test(`${a} and ${b} ${expected ? 'overlap' : 'do not overlap'}`, () => {
    assert.equal(globsOverlap(a, b), expected);
    assert.equal(globsOverlap(b, a), expected);
  });
}

function meet(...claims: readonly (readonly string[])[]): readonly (readonly number[])[] {
  return (meetings(claims, 1_000) ?? []).map((others) => [...others].sort((a, b) => a - b));
}

test('two claims overlap when any of their patterns do', () => {
  assert.deepEqual(meet(['a/**', 'b/**'], ['c/**', 'b/x']), [[1], [0]]);
  assert.deepEqual(meet(['a/**'], []), [[], []]);
  assert.deepEqual(meet(['src/a/'], ['src/b/'], ['src/*/x.ts'], ['docs']), [[2], [2], [0, 1], []]);
});

test('a thousand claims on folders of their own are told apart at once, and too many that overlap are said', () => {
  const own = Array.from({ length: 2_000 }, (_, n) => [
    `src/m${n}/**`,
    `test/m${n}/**`,
    `docs/m${n}.md`,
  ]);
  assert.ok(meetings(own, 10)?.every((others) => others.size === 0));
  assert.equal(
    meetings(
      Array.from({ length: 200 }, () => ['**']),
      1_000,
    ),
    null,
  );
  const wild = Array.from({ length: 2 }, (_, claim) =>
    Array.from({ length: 1_000 }, (_, n) => `**/${claim}${n}*{x,y,z}/**`),
  );
  assert.deepEqual(
    meetings(wild, 10)?.map((others) => others.size),
    [1, 1],
    'too much to compare counts as an overlap',
  );
});

const segment = fc.oneof(
  fc.constantFrom(
    '**',
    '*',
    'a',
    'b',
    'ab',
    '?',
    'a*',
    '*b',
    '[ab]',
    '[!a]',
    '{a,b}',
    '{a,bc}*',
    'a?b',
    '.a',
    'c',
  ),
);
const glob = fc.array(segment, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('/'));
const path = fc
  .array(fc.constantFrom('a', 'b', 'c', 'ab', 'bc', 'aab', 'acb', '.a'), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join('/'));

/** How a pattern is read when changes are judged. */
function reading(pattern: string): (one: string) => boolean {
  if (!/[*?[{]/.test(pattern)) return (one) => one === pattern || one.startsWith(`${pattern}/`);
  const matches = picomatch(pattern, { dot: true, nonegate: true });
  return (one) => one === pattern || matches(one);
}

test('two patterns that match one path always overlap', () => {
  fc.assert(
    fc.property(glob, glob, fc.array(path, { minLength: 20, maxLength: 20 }), (a, b, paths) => {
      const [isA, isB] = [reading(a), reading(b)];
      const shared = paths.find((one) => isA(one) && isB(one));
      if (shared !== undefined)
        assert.equal(globsOverlap(a, b), true, `${a} and ${b} share ${shared}`);
    }),
    { numRuns: 2000 },
  );
});

test('two patterns that do not overlap are quickly told apart, however many stars they have', () => {
  const stars = `${'*a'.repeat(200)}b`;
  assert.equal(globsOverlap(stars, `${'*a'.repeat(200)}c`), false);
});
