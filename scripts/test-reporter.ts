// A node:test reporter for people and CI alike: prints failures with their error, then one line of
// totals. When TEST_TOTALS names a file, the totals and the failed names go there as JSON too.
import { writeFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import type { TestEvent } from 'node:test/reporters';
import { inspect } from 'node:util';

type DataOf<T extends TestEvent['type']> = Extract<TestEvent, { type: T }>['data'];
type Counts = DataOf<'test:summary'>['counts'];

const linesPerError = 20;

/** What one pass of the test runner found; `failures` holds one line for each failed test. */
export type Totals = {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly failures: readonly string[];
};

/** Turns the events of one test run into the text to print. */
export default async function* report(source: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const failures: string[] = [];
  const complaints = new Map<string, string>();
  const note = (file: string, message: string) => {
    const path = resolve(file);
    complaints.set(path, ((complaints.get(path) ?? '') + message).slice(-4000));
  };
  let counts: Counts | undefined;
  let duration = 0;

  for await (const event of source) {
    if (event.type === 'test:stderr') {
      note(event.data.file, event.data.message);
    } else if (event.type === 'test:diagnostic' && event.data.file !== undefined) {
      note(event.data.file, `${event.data.message}\n`);
    } else if (event.type === 'test:fail' && isOwnFailure(event.data)) {
      const title = titleOf(event.data);
      failures.push(title);
      yield `FAIL ${title}\n${indent(explain(event.data, complaints))}\n\n`;
    } else if (event.type === 'test:summary' && event.data.file === undefined) {
      counts = event.data.counts;
      duration = event.data.duration_ms;
    }
  }

  const failed = Math.max(
    (counts?.tests ?? 0) - (counts?.passed ?? 0) - waived(counts),
    failures.length,
  );
  const totals: Totals = {
    passed: counts?.passed ?? 0,
    failed,
    skipped: waived(counts),
    failures,
  };
  const out = process.env['TEST_TOTALS'];
  if (out !== undefined) writeFileSync(out, JSON.stringify(totals));
  yield `${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped (${(duration / 1000).toFixed(1)} s)\n`;
}

/** A test that only passes on the failure of its subtests adds nothing to read. */
function isOwnFailure(data: DataOf<'test:fail'>): boolean {
  if (data.todo !== undefined && data.todo !== false) return false;
  return !(
    'failureType' in data.details.error && data.details.error.failureType === 'subtestsFailed'
  );
}

function titleOf(data: DataOf<'test:fail'>): string {
  const file = data.file === undefined ? '' : relative(process.cwd(), data.file);
  return `${file}:${data.line ?? 1} ${isFile(data) ? '(the file itself)' : data.name}`;
}

/** A file fails as if it were a test when its process ends badly: then only its stderr says why. */
function isFile(data: DataOf<'test:fail'>): boolean {
  return data.nesting === 0 && data.file !== undefined && resolve(data.name) === data.file;
}

function explain(data: DataOf<'test:fail'>, complaints: ReadonlyMap<string, string>): string {
  const error = data.details.error;
  const thrown: unknown = error.cause ?? error;
  // Two errors at once: what failed first, and what failed in tidying up after it.
  const both = thrown instanceof SuppressedError ? [thrown.suppressed, thrown.error] : [thrown];
  const text = both.map((one) => inspect(one, { colors: false, depth: 4 })).join('\n');
  const heard = isFile(data) ? complaints.get(resolve(data.name)) : undefined;
  const lines = text.split('\n').slice(0, linesPerError);
  if (heard !== undefined) lines.push(...heard.trimEnd().split('\n').slice(-linesPerError));
  return lines.join('\n');
}

function waived(counts: Counts | undefined): number {
  return (counts?.skipped ?? 0) + (counts?.todo ?? 0);
}

function indent(text: string): string {
  return text.replace(/^/gm, '  ');
}
