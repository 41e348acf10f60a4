/** Where a run's home and trees are: in the checkout that it was started from, which may be another one than this. */
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { RunState } from '../core/state.ts';
import type { Place } from './place.ts';

/** The repository as the checkout of the run has it; null when that is gone. */
export function placeOfRun(place: Place, { checkout }: Pick<RunState, 'checkout'>): Place | null {
  const root = rootOf(place, checkout);
  if (root === null || !existsSync(join(root, '.git'))) return null;
  if (checkout === place.checkout) return place;
  const { home } = place;
  const path = join(root, home.name);
  return { ...place, root, checkout, home: { ...home, path, exists: existsSync(path) } };
}

/** Whether the repository has, or had, more checkouts than this one. */
export function mayBeElsewhere({ checkout, commonDir }: Place): boolean {
  return checkout !== '' || existsSync(join(commonDir, 'worktrees'));
}

/** Top of a checkout of the repository, by its name in the log; null when it is gone. */
export function rootOf(place: Place, checkout: string): string | null {
  if (checkout === place.checkout) return place.root;
  if (checkout === '')
    return basename(place.commonDir) === '.git' ? dirname(place.commonDir) : null;
  try {
    const named = readFileSync(join(place.commonDir, checkout, 'gitdir'), 'utf8').trim();
    return dirname(resolve(place.commonDir, checkout, named));
  } catch {
    return null;
  }
}
