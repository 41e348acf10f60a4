// A reporter that miscounts would let a broken change through, so it is tried on every way to fail.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const reporter = fileURLToPath(new URL('../scripts/test-reporter.ts', import.meta.url));
const scratch = mkdtempSync(join(tmpdir(), 'czar-reporter-'));
after(() => rmSync(scratch, { recursive: true, force: true }));

test('passed, skipped and to-do tests are told apart, and only leaves are printed as failures', () => {
  const { totals, stdout } = report({
    'mixed.test.mjs': `
      import { describe, test } from 'node:test';
      describe('suite', () => {
        test('passes', () => {});
        test('is skipped', { skip: true }, () => {});
        test('is to do', { todo: true }, () => { throw new Error('later'); });
        test('fails', () => { throw new Error('the reason'); });
      });
      test('parent', async (t) => {
        await t.test('child fails', () => { throw new Error('the other reason'); });
      });`,
  });
  assert.deepEqual(
    { ...totals, failures: totals.failures.length },
    { passed: 1, failed: 3, skipped: 2, failures: 2 },
  );
  assert.match(stdout, /FAIL mixed\.test\.mjs:7 fails\n {2}Error: the reason\n/);
  assert.match(stdout, /FAIL mixed\.test\.mjs:10 child fails\n {2}Error: the other reason\n/);
  assert.match(stdout, /\n1 passed, 3 failed, 2 skipped \(\d+\.\d s\)\n$/);
});

test('a test that never ends, a file that does not load and one that exits all count', () => {
  const { totals, stdout } = report({
    'hangs.test.mjs': `import { test } from 'node:test'; test('hangs', () => new Promise(() => {}));`,
    'loads-not.test.mjs': `import './missing.mjs';`,
    'exits.test.mjs': `console.error('last words'); process.exit(7);`,
    'passes.test.mjs': `import { test } from 'node:test'; test('passes', () => {});`,
  });
  assert.deepEqual(
    { ...totals, failures: totals.failures.toSorted() },
    {
      passed: 1,
      failed: 3,
      skipped: 0,
      failures: [
        'exits.test.mjs:1 (the file itself)',
        'hangs.test.mjs:1 hangs',
        'loads-not.test.mjs:1 (the file itself)',
      ],
    },
  );
  assert.match(stdout, /ERR_MODULE_NOT_FOUND/);
  assert.match(stdout, /last words/);
});

test('no test at all is no failure', () => {
  const { totals, stdout } = report({});
  assert.deepEqual(totals, { passed: 0, failed: 0, skipped: 0, failures: [] });
  assert.match(stdout, /^0 passed, 0 failed, 0 skipped/);
});

/** Runs these files as node:test does in `npm run test:e2e`, and reads what the reporter made of it. */
function report(files: Readonly<Record<string, string>>) {
  const cwd = mkdtempSync(join(scratch, 'run-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(cwd, name), text);
  const out = join(cwd, 'totals.json');
  // Without this, the inner runner takes itself for a file of the outer one and runs nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const { stdout } = spawnSync(
    process.execPath,
    ['--test', '--test-timeout=1000', `--test-reporter=${reporter}`, '**/*.test.mjs'],
    { cwd, env: { ...env, TEST_TOTALS: out }, encoding: 'utf8' },
  );
  return { totals: JSON.parse(readFileSync(out, 'utf8')), stdout };
}
