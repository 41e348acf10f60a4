import assert from 'node:assert/strict';
import test from 'node:test';
import { matchesGlob, parseGlob } from './glob.ts';

function matches(pattern: string, path: string): boolean {
  const glob = parseGlob(pattern);
  assert.ok(!('problem' in glob), `${pattern}: ${JSON.stringify(glob)}`);
  return matchesGlob(glob, path);
}

test('what is no sign of a glob means itself', () => {
  assert.ok(matches('app/(marketing)/**', 'app/(marketing)/page.tsx'));
  assert.ok(!matches('app/(marketing)/**', 'app/marketing/page.tsx'));
  assert.ok(matches('a+b|c/$x^!@', 'a+b|c/$x^!@'));
  assert.ok(matches('x{y}/{1..3}', 'x{y}/{1..3}'));
  assert.ok(matches('{a,b{c,d}}.ts', 'bd.ts'));
  assert.ok(matches('[!a]', 'b') && !matches('[!a]', 'a') && !matches('[^a]', 'a'));
});

test('brackets may be those of a name, as web frameworks name the folders of routes', () => {
  for (const name of ['[id]', '[...all]', '[[...slug]]', '[user-id]', 'p-[id].x']) {
    assert.ok(matches(`app/${name}/**`, `app/${name}/page.tsx`), name);
    assert.ok(matches(`app/${name}/[lang]/*.tsx`, `app/${name}/[lang]/page.tsx`), name);
    assert.ok(!matches(`app/${name}/**`, 'app/other/page.tsx'), name);
  }
  assert.ok(matches('app/[id]*.tsx', 'app/[id]-edit.tsx') && matches('app/[id]*.tsx', 'app/i.tsx'));
  assert.ok(matches('{a,b}/[id]/x', 'b/[id]/x') && matches('{a,b}/[id]/x', 'b/d/x'));
  assert.ok(!matches('app/[id]/x', 'app/id/x'));
});

test('a pattern that is no glob says why', () => {
  for (const pattern of ['a[b', 'a]b', '{a,b', 'a}', 'x/[]', '[', '{{a}', '[[:alpha:]]'])
    assert.deepEqual(
      parseGlob(pattern),
      { problem: 'with an unbalanced bracket or brace' },
      pattern,
    );
  assert.match(JSON.stringify(parseGlob('[z-a]')), /range/);
  assert.match(JSON.stringify(parseGlob('{a,b}'.repeat(20))), /very many alternatives/);
  assert.match(JSON.stringify(parseGlob(`{${'{'.repeat(500)}`)), /problem/);
});

test('no pattern and no path makes matching slow', () => {
  const began = performance.now();
  for (const [pattern, path] of [
    ['*a'.repeat(300), 'a'.repeat(20_000)],
    [`${'*a'.repeat(300)}b`, 'a'.repeat(20_000)],
    [`${'**/a/'.repeat(200)}b`, 'a/'.repeat(5_000) + 'c'],
    ['(a+)+b', 'a'.repeat(100_000)],
    [`${'{a,b}/'.repeat(8)}**`, 'a/'.repeat(1_000) + 'a'],
  ] as const)
    assert.equal(typeof matches(pattern, path), 'boolean');
  assert.ok(performance.now() - began < 3_000);
});
