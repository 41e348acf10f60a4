import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { scratchRepository } from '../../../test/support/git-fixture.ts';
import { branchCollisions } from './branch-collisions.ts';
import { locate, type Place } from '../place.ts';

const nowhere = { base: null, target: null };

function placeAt(root: string): Place {
  const place = locate({ from: root, czarDir: null, cwd: root });
  if ('error' in place) throw new Error(place.error);
  return place;
}

test('a branch named czar is in the way of every run, and a folder of branches of a written one', async () => {
  using scratch = scratchRepository();
  scratch.git('branch', 'feat/x');
  scratch.git('branch', 'mine');
  const place = placeAt(scratch.root);
  const names = ['feat', 'mine', 'mine/b', 'mine/b/c', 'free', 'Free'];
  const before = await branchCollisions(place, names, nowhere);
  assert.equal(before.own, null);
  assert.deepEqual([...before.written], [['feat', 'a branch named feat/x is in the way of feat']]);
  scratch.git('branch', 'czar');
  const { own } = await branchCollisions(place, [], nowhere);
  assert.equal(own, 'a branch named czar is in the way of czar/<run>-integration');
});

test('a branch that runs start from or land on, or that is checked out, is not for a worker to move', async () => {
  using scratch = scratchRepository();
  for (const name of ['base', 'release', 'mine']) scratch.git('branch', name);
  const current = scratch.git('branch', '--show-current').trim();
  const names = ['base', 'release', 'mine', current, 'gone'];
  const settings = { base: 'base', target: 'release' };
  const { kept } = await branchCollisions(placeAt(scratch.root), names, settings);
  assert.deepEqual(Object.fromEntries(kept), {
    base: { why: 'is the base of runs', forNow: false },
    release: { why: 'is where runs land', forNow: false },
    [current]: { why: 'is checked out', forNow: true },
  });
});

test('where git knows no repository nothing is in the way', async () => {
  const root = mkdtempSync(join(tmpdir(), 'czar-no-git-'));
  try {
    mkdirSync(join(root, '.git'));
    assert.deepEqual(await branchCollisions(placeAt(root), ['feat'], nowhere), {
      own: null,
      written: new Map(),
      kept: new Map(),
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});
