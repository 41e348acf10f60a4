/** Which paths are tests. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isTestFile } from './test-files.ts';

test('tests are known by the names that languages give them, or by their folder', () => {
  for (const path of [
    'src/a.test.ts',
    'src/a.spec.js',
    'pkg/a_test.go',
    'test_a.py',
    'a_test.py',
    'tests/unit/a.py',
    'src/__tests__/a.tsx',
    'src/main/java/FooTest.java',
    'spec/models/user_spec.rb',
    'test/run.bats',
    't/basic.t',
    'crates/x/tests/it.rs',
  ])
    assert.ok(isTestFile(path), path);
  for (const path of [
    'src/latest.ts',
    'contest.py',
    'src/attest.go',
    'tests/README.md',
    'protest/a.ts',
    'test.md.txt',
  ])
    assert.equal(isTestFile(path), false, path);
});
