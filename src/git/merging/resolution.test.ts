import assert from 'node:assert/strict';
import test from 'node:test';
import { commitOn, gitRun, type GitRun } from '../../../test/support/git-worker.ts';
import { compareResolution } from './resolution.ts';

const start = { 'a.txt': 'one\ntwo\nthree\n', 'b.txt': 'b\n' };

/** The other side brings lines; ours conflicts with it. */
async function conflict(): Promise<GitRun & { readonly was: string; readonly theirs: string }> {
  const r = await gitRun(start);
  const integration = commitOn(r, r.base, {
    'a.txt': 'one\n  theirs\ntwo\nof them\nthree\n',
    'new.txt': 'all\nnew\n\n',
  });
  const was = commitOn(r, r.base, { 'a.txt': 'one\nours\ntwo\nthree\n' });
  return { ...r, was, theirs: integration };
}

const resolutions: readonly [string, Record<string, string | null>, readonly unknown[]][] = [
  ['that keeps both sides', { 'a.txt': 'one\nours\n  theirs\ntwo\nof them\nthree\n' }, []],
  [
    'that takes ours',
    { 'a.txt': 'one\nours\ntwo\nthree\n' },
    [{ path: 'a.txt', lines: ['  theirs', 'of them'], more: 0 }],
  ],
  [
    'that moves and indents a line of theirs, and leaves another out',
    { 'a.txt': 'one\nours\nif so\n    theirs\ntwo\nthree\n' },
    [{ path: 'a.txt', lines: ['of them'], more: 0 }],
  ],
  [
    'that deletes a file of theirs: its empty lines are not named',
    { 'a.txt': 'one\nours\n  theirs\ntwo\nof them\nthree\n', 'new.txt': null },
    [{ path: 'new.txt', lines: ['all', 'new'], more: 0 }],
  ],
  [
    'that removes lines that stood there before',
    { 'a.txt': 'ours\n  theirs\nof them\n', 'b.txt': null },
    [],
  ],
];

for (const [name, files, removed] of resolutions) {
  test(`a resolution ${name}`, async () => {
    using r = await conflict();
    // As a rebase leaves it, and as a merge: what counts is what the branch holds.
    const tip = commitOn(r, r.theirs, files);
    const merged = commitOn(r, r.theirs, files, r.was);
    for (const each of [tip, merged]) {
      const found = await compareResolution(r.context, {
        was: r.was,
        tip: each,
        integration: r.theirs,
      });
      assert.deepEqual(found, { kind: 'compared', onto: r.theirs, removed });
    }
  });
}

test('a branch that does not hold what it conflicted with has resolved nothing', async () => {
  using r = await conflict();
  const tip = commitOn(r, r.was, { 'a.txt': 'one\nmore of ours\ntwo\nthree\n' });
  assert.deepEqual(await compareResolution(r.context, { was: r.was, tip, integration: r.theirs }), {
    kind: 'none',
  });
});

test('what integration gets after the resolution is not looked for in it', async () => {
  using r = await conflict();
  const tip = commitOn(r, r.theirs, { 'a.txt': 'one\nours\n  theirs\ntwo\nof them\nthree\n' });
  const integration = commitOn(r, r.theirs, { 'b.txt': 'later\n' });
  const found = await compareResolution(r.context, { was: r.was, tip, integration });
  assert.deepEqual(found, { kind: 'compared', onto: r.theirs, removed: [] });
});

test('of many lines some are named and the rest counted', async () => {
  using r = await gitRun({ 'a.txt': 'a\n' });
  const many = Array.from({ length: 30 }, (_, at) => `line ${at}\n`).join('');
  const integration = commitOn(r, r.base, { 'a.txt': many });
  const was = commitOn(r, r.base, { 'a.txt': 'ours\n' });
  const tip = commitOn(r, integration, { 'a.txt': 'ours\n' });
  const found = await compareResolution(r.context, { was, tip, integration });
  assert.ok(found.kind === 'compared');
  assert.deepEqual(
    found.removed.map(({ lines, more }) => [lines.length, more]),
    [[20, 10]],
  );
});
