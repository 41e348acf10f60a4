import assert from 'node:assert/strict';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint } from '../../../test/support/git-fixture.ts';
import { commitOn, gitRun, identity, run } from '../../../test/support/git-worker.ts';
import type { GitRun } from '../../../test/support/git-worker.ts';
import { defaultSecretPatterns } from '../collecting/capture.ts';
import type { GitContext } from '../context.ts';
import { buildLanding, commitLanding, landingProblem } from './land.ts';
import { takeSnapshot } from '../collecting/snapshot.ts';

const files = { 'a.txt': 'a\n', 'b.txt': 'b\n', 'gone.txt': 'g\n', 'other.txt': 'o\n' };

/** A checkout with changes, a run that started from them and went on, and its landing. */
async function landing(): Promise<{
  r: GitRun;
  commit: string;
  land: (context?: GitContext) => ReturnType<typeof commitLanding>;
  problem: () => ReturnType<typeof landingProblem>;
}> {
  const r = await gitRun(files);
  const onto = r.base;
  r.scratch.write({ 'a.txt': 'mine\n', 'b.txt': 'mine\n', 'new.txt': 'n\n', 'passing.txt': 'p\n' });
  rmSync(join(r.scratch.root, 'gone.txt'));
  r.scratch.git('add', 'b.txt', 'passing.txt');
  const taken = await takeSnapshot(r.context, {
    run,
    head: onto,
    gitDir: r.scratch.commonDir,
    rules: { maxFileBytes: 1000, secretPatterns: defaultSecretPatterns },
    identity,
  });
  if (taken.kind !== 'snapshot') throw new Error(JSON.stringify(taken));
  // The agent goes on from two of them, takes one back, which then is no part of the landing, and leaves the others.
  const tip = commitOn(r, taken.commit, {
    'a.txt': 'mine, then the agent’s\n',
    'b.txt': 'mine, then the agent’s\n',
    'passing.txt': null,
    'made.txt': 'm\n',
  });
  const order = { run, target: 'main', onto, tip, mode: 'merge', date: 1_800_000_000_000 } as const;
  const made = await buildLanding(r.context, { ...order, message: 'Land the run', identity });
  if (made.kind !== 'built') throw new Error(JSON.stringify(made));
  const { commit } = made;
  const move = { run, target: 'main', onto, commit };
  return {
    r,
    commit,
    land: (context = r.context) => commitLanding(context, move),
    problem: () => landingProblem(r.context, move),
  };
}

function assertLanded(r: GitRun, note: string): void {
  assert.equal(r.scratch.git('status', '--porcelain'), 'A  passing.txt', note);
  assert.equal(readFileSync(join(r.scratch.root, 'a.txt'), 'utf8'), 'mine, then the agent’s\n');
  assert.equal(readFileSync(join(r.scratch.root, 'new.txt'), 'utf8'), 'n\n');
  for (const name of ['gone.txt', '.git/index.lock'])
    assert.equal(existsSync(join(r.scratch.root, name)), false, `${name} ${note}`);
}

test('changes that a run started from are not in the way of its landing while they are as they were', async () => {
  const { r, commit, land, problem } = await landing();
  using _ = r;
  const before = fingerprint(r.scratch.root);
  assert.deepEqual(await problem(), { kind: 'free' });
  assert.deepEqual(fingerprint(r.scratch.root), before, 'asking changes nothing');
  assert.deepEqual(await land(), { kind: 'landed', commit });
  assertLanded(r, 'landed');
  r.scratch.git('fsck', '--strict');
});

test('a landing over such changes that is killed at any point is carried through', async () => {
  for (const point of ['land:after-cas', 'land:after-files']) {
    const { r, commit, land } = await landing();
    using _ = r;
    await r.killedAt(point, land);
    assert.deepEqual(await land(), { kind: 'landed', commit }, point);
    assertLanded(r, point);
  }
});

test('a file that was changed again, or staged otherwise, is in the way, and the refusal changes nothing', async () => {
  const again: readonly (readonly [string, (r: GitRun) => void])[] = [
    ['a.txt', (r) => r.scratch.write({ 'a.txt': 'mine, and more\n' })],
    ['new.txt', (r) => r.scratch.write({ 'new.txt': 'other\n' })],
    [
      'b.txt',
      (r) => {
        r.scratch.write({ 'b.txt': 'staged alone\n' });
        r.scratch.git('add', 'b.txt');
        r.scratch.write({ 'b.txt': 'mine\n' });
      },
    ],
  ];
  const { r, commit, land } = await landing();
  using _ = r;
  for (const [path, change] of again) {
    change(r);
    const before = fingerprint(r.scratch.root);
    const refused = await land();
    assert.equal(refused.kind, 'refused', path);
    if (refused.kind === 'refused') assert.deepEqual(refused.files, [path]);
    assert.deepEqual(fingerprint(r.scratch.root), before);
    r.scratch.write({ 'a.txt': 'mine\n', 'b.txt': 'mine\n', 'new.txt': 'n\n' });
  }
  r.scratch.git('add', 'b.txt');
  r.scratch.write({ 'other.txt': 'not of the run\n' });
  assert.deepEqual(await land(), { kind: 'landed', commit });
  assert.equal(r.scratch.git('status', '--porcelain').trim(), 'M other.txt\nA  passing.txt');
});
