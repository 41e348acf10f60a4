/** What is predicted is what git's own merge of the two says, and nothing is written for it. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import fc from 'fast-check';
import { scratchRepository, type Scratch } from '../../../test/support/git-fixture.ts';
import { gitContext, type GitContext } from '../context.ts';
import { predictConflicts, type Prediction } from './predict-conflicts.ts';

/** The repository itself as the mirror. */
function contextOf({ root, commonDir, home }: Scratch): GitContext {
  return { ...gitContext({ root, commonDir, home }), mirror: commonDir };
}

/** A commit that changes files of `from`: text, or null to remove one. */
function branch(
  scratch: Scratch,
  from: string,
  files: Readonly<Record<string, string | null>>,
): string {
  scratch.git('checkout', '-q', '--detach', from);
  for (const [path, text] of Object.entries(files)) {
    if (text === null) scratch.git('rm', '-q', '--ignore-unmatch', path);
    else scratch.write({ [path]: text });
  }
  scratch.git('add', '-A');
  scratch.git('commit', '-q', '--allow-empty', '-m', 'change');
  return scratch.git('rev-parse', 'HEAD');
}

async function predicted(scratch: Scratch, tips: readonly string[]): Promise<Prediction> {
  const found = await predictConflicts(contextOf(scratch), { tips, borrowed: [] });
  assert.ok(found.kind === 'predicted', JSON.stringify(found));
  return found;
}

function objects(scratch: Scratch): readonly string[] {
  return readdirSync(join(scratch.commonDir, 'objects'), { recursive: true }).map(String).sort();
}

const lines = (middle: string): string => `${'a\n'.repeat(5)}${middle}\n${'b\n'.repeat(5)}`;

test('content, remove against change, two new files of one name, and folder against file are conflicts', async () => {
  using scratch = scratchRepository({ files: { f: lines('x'), g: 'g\n', 'd/one': '1\n' } });
  const base = scratch.git('rev-parse', 'HEAD');
  const tips = [
    branch(scratch, base, { f: lines('one'), new: 'mine\n' }),
    branch(scratch, base, { f: lines('two') }),
    branch(scratch, base, { g: null }),
    branch(scratch, base, { g: 'changed\n', new: 'yours\n' }),
    branch(scratch, base, { 'h/in': '1\n' }),
    branch(scratch, base, { h: '1\n' }),
    base,
  ];
  const before = objects(scratch);
  const { clashes, unknown } = await predicted(scratch, tips);
  assert.deepEqual(
    clashes.map(({ one, other }) => [one, other]),
    [
      [0, 1],
      [0, 3],
      [2, 3],
      [4, 5],
    ],
  );
  assert.deepEqual(clashes[0]?.files, ['f']);
  assert.deepEqual(clashes[1]?.files, ['new']);
  assert.deepEqual(clashes[2]?.files, ['g']);
  assert.ok(clashes[3]?.files.some((file) => file.startsWith('h')));
  assert.deepEqual(unknown, []);
  assert.deepEqual(objects(scratch), before, 'something was written');
});

test('what changes apart, is the same on both sides, or lies in the history of the other is none', async () => {
  using scratch = scratchRepository({ files: { f: lines('x'), g: 'g\n' } });
  const base = scratch.git('rev-parse', 'HEAD');
  const one = branch(scratch, base, { f: `first\n${lines('x')}` });
  const tips = [
    one,
    branch(scratch, base, { f: `${lines('x')}last\n` }),
    branch(scratch, base, { g: 'same\n' }),
    branch(scratch, base, { g: 'same\n', other: 'o\n' }),
    branch(scratch, one, { f: `first\n${lines('y')}` }),
  ];
  assert.deepEqual((await predicted(scratch, tips)).clashes, []);
});

test('two new names that differ only in case or in Unicode form are a conflict, as in merging', async () => {
  using scratch = scratchRepository({ files: { f: 'x\n' } });
  const base = scratch.git('rev-parse', 'HEAD');
  const tips = [
    branch(scratch, base, { 'Docs/one': '1\n' }),
    branch(scratch, base, { 'docs/two': '2\n' }),
    branch(scratch, base, { 'caf\u00e9': '1\n' }),
    branch(scratch, base, { 'cafe\u0301': '2\n' }),
  ];
  const { clashes } = await predicted(scratch, tips);
  assert.deepEqual(
    clashes.map(({ one, other, files }) => [one, other, files]),
    [
      [0, 1, ['Docs', 'docs']],
      [2, 3, ['cafe\u0301', 'caf\u00e9']],
    ],
  );
});

test('branches that share no history are in conflict, and the others are told of all the same', async () => {
  using scratch = scratchRepository({ files: { f: 'x\n' } });
  const base = scratch.git('rev-parse', 'HEAD');
  const tips = [branch(scratch, base, { f: 'one\n' }), branch(scratch, base, { f: 'two\n' })];
  scratch.git('checkout', '-q', '--orphan', 'alone');
  scratch.git('commit', '-q', '-m', 'alone');
  tips.push(scratch.git('rev-parse', 'HEAD'));
  const { clashes } = await predicted(scratch, tips);
  assert.deepEqual(
    clashes.map(({ one, other, files }) => [one, other, files]),
    [
      [0, 1, ['f']],
      [0, 2, []],
      [1, 2, []],
    ],
  );
});

const paths = ['a', 'b', 'd/a', 'd/b', 'e/a', 'new'] as const;
const change = fc.record({
  path: fc.constantFrom(...paths),
  text: fc.constantFrom(lines('x'), lines('y'), `top\n${lines('x')}`, `${lines('x')}end\n`, null),
});
const side = fc.array(change, { minLength: 1, maxLength: 3 });

test('for branches of any changes it says of each pair what git says of it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(side, { minLength: 3, maxLength: 4 }), async (sides) => {
      using scratch = scratchRepository({
        files: Object.fromEntries(['a', 'b', 'd/a', 'e/a'].map((path) => [path, lines('x')])),
      });
      const base = scratch.git('rev-parse', 'HEAD');
      const tips = sides.map((changes) =>
        branch(scratch, base, Object.fromEntries(changes.map(({ path, text }) => [path, text]))),
      );
      const { clashes } = await predicted(scratch, tips);
      const wanted: [number, number][] = [];
      for (const [one, tip] of tips.entries()) {
        for (const [other, second] of tips.entries()) {
          if (other <= one) continue;
          const options = ['-c', 'merge.directoryRenames=conflict'];
          const args = [...options, 'merge-tree', '--write-tree', tip, second];
          if (scratch.tryGit(scratch.root, ...args).code === 1) wanted.push([one, other]);
        }
      }
      assert.deepEqual(
        clashes.map(({ one, other }) => [one, other]),
        wanted,
      );
    }),
    { numRuns: 12 },
  );
});
