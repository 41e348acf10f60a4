/**
 * The real process with system calls that fail: strace makes the k-th write or sync of its main thread, which is the one
 * that owns the log, come back with an error. Effects and agents are not touched.
 *
 * Takes a few of all places; with CZAR_EVERY_INSTANT=1 it takes every one.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { openJournalForReading } from '../src/journal/sqlite.ts';
import { mayTrace } from './support/may-trace.ts';
import { all } from './support/log.ts';
import { Scratch } from './support/scratch.ts';

const launcher = join(import.meta.dirname, '../bin/czar');
const skip = mayTrace();
const every = process.env['CZAR_EVERY_INSTANT'] === '1';

const script = `set -e
echo "$CZAR_WORKER/$CZAR_ATTEMPT" >> "$LAUNCHES"
echo "$CZAR_WORKER" > "$CZAR_WORKER.txt"
`;

interface Failing {
  readonly call: 'fsync' | 'pwrite64';
  readonly error: 'EIO' | 'ENOSPC' | 'EROFS';
  /** Which call fails: the k-th, or with `onwards` all from it on. */
  readonly at: number;
  readonly onwards: boolean;
}

/** How many such calls the reference run makes; a little more than it does, so that its end is met. */
const calls = { fsync: 50, pwrite64: 420 } as const;

function places(): readonly Failing[] {
  const few: readonly Failing[] = [
    { call: 'fsync', error: 'EIO', at: 4, onwards: false },
    { call: 'fsync', error: 'EIO', at: 17, onwards: true },
    { call: 'pwrite64', error: 'EROFS', at: 90, onwards: true },
    { call: 'pwrite64', error: 'ENOSPC', at: 150, onwards: false },
    { call: 'pwrite64', error: 'EIO', at: 215, onwards: false },
  ];
  if (!every) return few;
  const each = (call: Failing['call'], error: Failing['error'], step: number): Failing[] =>
    Array.from({ length: Math.floor(calls[call] / step) }, (_, n) => n * step + 1).flatMap((at) => [
      { call, error, at, onwards: false },
      // A disk that stays full is waited for: `disk-full.test.ts`.
      ...(error === 'ENOSPC' ? [] : [{ call, error, at, onwards: true }]),
    ]);
  return [
    ...each('fsync', 'EIO', 1),
    ...each('pwrite64', 'EIO', 5),
    ...each('pwrite64', 'ENOSPC', 5),
    ...each('pwrite64', 'EROFS', 5),
  ];
}

describe(
  'faults 7, 9 and 11: a run whose process cannot write ends with a sentence, and the next run carries it through',
  { skip },
  () => {
    for (const failing of places()) {
      const { call, error, at, onwards } = failing;
      test(`${call} ${at}${onwards ? ' and all after it' : ''}: ${error}`, async () => {
        await using scratch = await Scratch.make();
        const launches = join(scratch.base, 'home/launches');
        scratch.scripted(`LAUNCHES=${launches}\n${script}`, 'retry: {initial: 0s}\n');
        scratch.worker('a', 'verify: test -f a.txt');
        scratch.worker('b');
        scratch.worker('c', 'dependencies: [a, b]');
        scratch.commitAll();
        const first = traced(scratch, failing);
        assert.doesNotMatch(first.stderr, /internal error|^\s+at /m);
        if (first.status !== 0) {
          assert.equal(first.status, 4, first.stderr);
          assert.match(first.stderr, /^czar: the (?:log|disk) .*\n {2}next: /m);
          const said = first.stderr.slice(first.stderr.indexOf('czar: '));
          assert.ok(said.trim().split('\n').length <= 3, said);
        }
        const next = await scratch.czar('run');
        assert.equal(next.code, 0, next.stderr);
        assertWhole(scratch, launches);
      });
    }
  },
);

/** Everything is merged, every worker's agent was launched once, and the log is whole. */
function assertWhole(scratch: Scratch, launches: string): void {
  const launched = readFileSync(launches, 'utf8').trim().split('\n').toSorted();
  assert.deepEqual(
    launched.map((attempt) => attempt[0]),
    ['a', 'b', 'c'],
  );
  // A process that ended between the record of a launch and the launch leaves an attempt that can never start.
  for (const attempt of launched.filter((each) => !each.endsWith('/1'))) {
    const [worker = ''] = attempt;
    const ends = all(scratch.log(), 'attempt.ended', worker).map(({ data }) => data.end.how);
    assert.deepEqual(ends, ['lost', 'exited'], attempt);
  }
  const refs = scratch.git('for-each-ref', '--format=%(refname)', 'refs/heads/czar').split('\n');
  const integration = refs.find((ref) => ref.endsWith('-integration')) ?? '';
  const tree = scratch.git('ls-tree', '-r', '--name-only', integration).split('\n');
  assert.deepEqual(
    tree.filter((path) => path.endsWith('.txt')),
    ['a.txt', 'b.txt', 'c.txt'],
  );
  using journal = openJournalForReading(join(scratch.repo, '.git/czar/czar.db'));
  assert.equal(journal?.verifyChain().ok, true);
  assert.deepEqual(
    scratch.log().map(({ seq }) => seq),
    [...(journal?.read() ?? [])].map(({ seq }) => seq),
  );
}

function traced(
  scratch: Scratch,
  { call, error, at, onwards }: Failing,
): { readonly status: number | null; readonly stderr: string } {
  const when = `when=${at}${onwards ? '+' : ''}`;
  const { status, stderr } = spawnSync(
    'strace',
    [
      '-q',
      '-o',
      '/dev/null',
      '-e',
      `trace=${call}`,
      '-e',
      `inject=${call}:error=${error}:${when}`,
      launcher,
      'run',
    ],
    {
      cwd: scratch.repo,
      env: scratch.env,
      encoding: 'utf8',
      timeout: 60_000,
    },
  );
  return { status, stderr };
}
