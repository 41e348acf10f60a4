// Runs every pass of tests, also after one has failed, and ends with the names that failed and one
// line of totals over all passes, which .ci/run reads. The passes that keep to one core run side by side.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeTestFolder } from './test-folder.ts';
import type { Totals } from './test-reporter.ts';

const namesToList = 40;
/** What Node compiled of sources and tests, for all the processes that load them. */
const compiled = join(import.meta.dirname, '../node_modules/.cache/czar-tests');

const folder = makeTestFolder();
const alone = ['test:git', 'test:unit', 'test:worlds'].map(run);
await oneLeft(alone);
// The end-to-end tests wait for processes much of the time: the last of the others goes on beside them.
const passes = await Promise.all([run('test:e2e'), ...alone]);

const failures = passes.flatMap((pass) => pass.failures);
for (const name of failures.slice(0, namesToList)) console.log(`failed: ${name}`);
if (failures.length > namesToList) console.log(`and ${failures.length - namesToList} more`);

const passed = passes.reduce((sum, pass) => sum + pass.passed, 0);
const failed = passes.reduce((sum, pass) => sum + pass.failed, 0);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

/** Resolves when all but one of them are over. */
async function oneLeft(all: readonly Promise<unknown>[]): Promise<void> {
  await new Promise<void>((resolve) => {
    let left = all.length;
    for (const one of all) void one.then(() => (left -= 1) === 1 && resolve());
  });
}

/** Runs one npm script; a pass that ends badly without saying why counts as one failure. */
async function run(script: string): Promise<Totals> {
  console.log(`== ${script}`);
  const file = join(folder, `${script.replace(':', '-')}.json`);
  const child = spawn('npm', ['run', '--silent', script], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TEST_TOTALS: file, NODE_COMPILE_CACHE: compiled, TMPDIR: folder },
  });
  const ended = await new Promise<string | number>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`));
  });
  const totals = read(file);
  if (totals === undefined || (ended !== 'exit code 0' && totals.failed === 0)) {
    const failure = `${script} ended with ${ended} and ${totals === undefined ? 'no totals' : 'no failed test'}`;
    return { passed: 0, skipped: 0, ...totals, failed: 1, failures: [failure] };
  }
  return totals;
}

function read(file: string): Totals | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}
