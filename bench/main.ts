/**
 * `npm run bench -- [NAME…] [--quick]`: runs the benchmarks one after another and writes RESULTS.md, in which the
 * sections of those that did not run stay as they are. Exit 1 when one could not run; a missed goal is no failure.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { agents } from './agents.ts';
import { conflicts } from './conflicts.ts';
import { daemon } from './daemon.ts';
import { dispatch } from './dispatch.ts';
import { graph } from './graph.ts';
import type { Benchmark } from './kit/figure.ts';
import { merge } from './merge.ts';
import { queue } from './queue.ts';
import { describe, resultsPage, type Made } from './kit/results.ts';
import { journal } from './journal.ts';
import { recovery } from './recovery.ts';
import { startup } from './startup.ts';
import { status } from './status.ts';
import { tree } from './tree.ts';

/** In the order of the page. */
const benchmarks: Readonly<Record<string, Benchmark>> = {
  graph,
  dispatch,
  merge,
  conflicts,
  queue,
  tree,
  startup,
  status,
  recovery,
  daemon,
  agents,
  journal,
};

const file = fileURLToPath(new URL('RESULTS.md', import.meta.url));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean', default: false } },
});

const unknown = positionals.filter((name) => !(name in benchmarks));
if (unknown.length > 0) {
  console.error(
    `no benchmark ${unknown.join(', ')}; there are: ${Object.keys(benchmarks).join(', ')}`,
  );
  process.exit(2);
}
const wanted = positionals.length > 0 ? positionals : Object.keys(benchmarks);
const made: Made[] = [];
// Kept until the end: a file system without a journal makes files slowly for minutes where many were deleted.
const folders = new DisposableStack();
for (const [name, benchmark] of Object.entries(benchmarks)) {
  if (!wanted.includes(name)) continue;
  const scratch = mkdtempSync(join(tmpdir(), `czar-bench-${name}-`));
  folders.defer(() => rmSync(scratch, { recursive: true, force: true }));
  try {
    const section = await benchmark({
      scratch,
      quick: values.quick,
      say: (line) => console.error(`${name}: ${line}`),
    });
    made.push({ name, section });
    console.log(describe(section));
  } catch (error) {
    console.error(`${name} could not run: ${error instanceof Error ? error.stack : String(error)}`);
    process.exitCode = 1;
  }
}
if (!values.quick && made.length > 0) {
  const before = readOrEmpty(file);
  writeFileSync(file, resultsPage(before, Object.keys(benchmarks), made));
  console.log(`written: ${file}`);
}
folders.dispose();

function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
