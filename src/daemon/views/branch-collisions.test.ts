import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { test } from 'node:test';
import { scratchRepository } from '../../../test/support/git-fixture.ts';
import { branchCollisions } from './branch-collisions.ts';
import { locate, type Place } from '../place.ts';

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
  const before = await branchCollisions(place, names);
  assert.equal(before.own, null);
  assert.deepEqual([...before.written], [['feat', 'a branch named feat/x is in the way of feat']]);
  scratch.git('branch', 'czar');
  const { own } = await branchCollisions(place, []);
  assert.equal(own, 'a branch named czar is in the way of czar/<run>-integration');
});

test('where git knows no repository nothing is in the way', async () => {
  const root = mkdtempSync(join(tmpdir(), 'czar-no-git-'));
  try {
    mkdirSync(join(root, '.git'));
    assert.deepEqual(await branchCollisions(placeAt(root), ['feat']), {
      own: null,
      written: new Map(),
    });
  } finally {
    rmSync(root, { recursive: true });
  }
});
