import assert from 'node:assert/strict';
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fingerprint } from '../../../test/support/git-fixture.ts';
import { commitOn, gitRun, identity, run } from '../../../test/support/git-worker.ts';
import type { GitRun } from '../../../test/support/git-worker.ts';
import { asOtherUser, skip } from '../../../test/support/other-user.ts';
import { buildLanding, commitLanding, recoverLanding } from './land.ts';

async function built(r: GitRun, work: Readonly<Record<string, string | null>>, ...more: string[]) {
  const onto = r.scratch.git('rev-parse', 'main');
  const tip = commitOn(r, r.base, work, ...more);
  const order = { run, target: 'main', onto, tip, mode: 'merge', date: 1_800_000_000_000 } as const;
  const made = await buildLanding(r.context, { ...order, message: 'Land the run', identity });
  if (made.kind !== 'built') throw new Error(JSON.stringify(made));
  return { run, target: 'main', onto, commit: made.commit };
}

const folder = { 'd/x': 'x\n', 'd/sub/y': 'y\n', 'other.txt': 'o\n' };
/** The folder becomes a file. */
const replaced = { 'd/x': null, 'd/sub/y': null, d: 'a file now\n' };

function ignore(r: GitRun): void {
  writeFileSync(join(r.scratch.commonDir, 'info/exclude'), '.env\nnode_modules/\n');
}

test('ignored files in a folder that a file replaces refuse a landing by their names, and stay', async () => {
  using r = await gitRun(folder);
  const landing = await built(r, replaced);
  ignore(r);
  r.scratch.write({ 'd/.env': 'SECRET\n', 'd/sub/.env': 'S\n', 'd/node_modules/m/i.js': 'm\n' });
  const before = fingerprint(r.scratch.root);
  assert.deepEqual(await commitLanding(r.context, landing), {
    kind: 'refused',
    reason: 'the target is checked out with untracked files in the way',
    files: ['d/.env', 'd/node_modules', 'd/sub/.env'],
  });
  assert.deepEqual(fingerprint(r.scratch.root), before);
  for (const path of ['d/.env', 'd/sub/.env', 'd/node_modules'])
    rmSync(join(r.scratch.root, path), { recursive: true });
  assert.deepEqual(await commitLanding(r.context, landing), {
    kind: 'landed',
    commit: landing.commit,
  });
  assert.equal(readFileSync(join(r.scratch.root, 'd'), 'utf8'), 'a file now\n');
});

test('an interrupted landing leaves such files alone too when they came meanwhile', async () => {
  using r = await gitRun(folder);
  const landing = await built(r, replaced);
  ignore(r);
  await r.killedAt('land:after-cas', (context) => commitLanding(context, landing));
  r.scratch.write({ 'd/.env': 'SECRET\n' });
  assert.deepEqual(await recoverLanding(r.context), { kind: 'recovered', notUpdated: ['d'] });
  assert.equal(readFileSync(join(r.scratch.root, 'd/.env'), 'utf8'), 'SECRET\n');
});

const program = `
  import { commitLanding } from ${JSON.stringify(join(import.meta.dirname, 'land.ts'))};
  const [context, landing] = JSON.parse(process.argv[1]);
  console.log(JSON.stringify(await commitLanding(context, landing)));`;

test(
  'folders that the user may not write refuse a landing by their names, and nothing changes',
  { skip },
  async (t) => {
    using r = await gitRun({ 'a.txt': 'a\n', 'd/x': 'x\n', 'e/y': 'y\n' });
    const landing = await built(r, { 'a.txt': 'landed\n', 'd/x': 'landed\n', 'new/n': 'n\n' });
    const { root, dir } = r.scratch;
    const mode = (to: number) => ['d', 'e'].forEach((name) => chmodSync(join(root, name), to));
    mode(0o555);
    t.after(() => existsSync(dir) && mode(0o755));
    const before = fingerprint(root);
    assert.deepEqual(asOtherUser(dir, { program, argument: [r.context, landing] }), {
      kind: 'refused',
      reason: 'the target is checked out with folders that must change and that you may not write',
      files: ['d'],
    });
    assert.deepEqual(fingerprint(root), before);
    mode(0o755);
    const landed = await commitLanding(r.context, landing);
    assert.deepEqual(landed, { kind: 'landed', commit: landing.commit });
  },
);

test('a file that becomes a folder, and a folder that is made, need no more than the folder above', async () => {
  using r = await gitRun({ f: 'f\n', 'a.txt': 'a\n' });
  const landing = await built(r, { f: null, 'f/in': 'i\n', 'n/e/w': 'w\n' });
  mkdirSync(join(r.scratch.root, 'n'));
  const landed = await commitLanding(r.context, landing);
  assert.deepEqual(landed, { kind: 'landed', commit: landing.commit });
  assert.equal(r.scratch.git('status', '--porcelain'), '');
});

test(
  'folders of git that the user may not write refuse a landing by their names, and nothing changes',
  { skip },
  async (t) => {
    using r = await gitRun({ 'a.txt': 'a\n' });
    const landing = await built(r, { 'a.txt': 'landed\n' });
    const { root, dir, commonDir } = r.scratch;
    for (const name of ['objects', 'refs', 'refs/heads', '']) {
      const folder = join(commonDir, name);
      chmodSync(folder, 0o555);
      t.after(() => existsSync(folder) && chmodSync(folder, 0o755));
      const before = fingerprint(root);
      const reason = `you may not write in ${folder}, where git must: let yourself write there, then land again`;
      const refused = asOtherUser(dir, { program, argument: [r.context, landing] });
      assert.deepEqual(refused, { kind: 'refused', reason, files: [] });
      assert.deepEqual(fingerprint(root), before);
      chmodSync(folder, 0o755);
    }
    const landed = await commitLanding(r.context, landing);
    assert.deepEqual(landed, { kind: 'landed', commit: landing.commit });
  },
);
