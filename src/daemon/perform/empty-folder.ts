/** The folder of a worker without a repository that its launch makes, since nothing else is to be prepared. */
import { existsSync, lstatSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { makeGeneratedFolder } from '../../process/generated-folder.ts';
import { definitionOf, type RunState } from '../../core/state.ts';
import { usualTree, type Workplace } from '../workplace.ts';

/** Makes the folder, absolute: at the usual place, or beside it when something is there. */
export function makeEmptyFolder(place: Workplace, run: RunState, worker: string): string {
  if (definitionOf(run, worker).workspace !== 'empty') throw new Error(`${worker} has no tree`);
  makeGeneratedFolder(join(place.git.home, 'worktrees'));
  const usual = usualTree(place, worker);
  const taken = lstatSync(usual, { throwIfNoEntry: false }) !== undefined;
  const dir = taken ? besideUsual(usual, run) : usual;
  mkdirSync(dir, { recursive: true });
  return taken ? realpathSync.native(dir) : join(realFolder(dirname(dir)), basename(dir));
}

/** Where a folder really is, as it was a moment ago. */
function realFolder(path: string): string {
  const now = performance.now();
  if (real?.path !== path || now - real.at >= trustMs)
    real = { path, at: now, folder: realpathSync.native(path) };
  return real.folder;
}

let real: { readonly path: string; readonly at: number; readonly folder: string } | null = null;
const trustMs = 1_000;

/** The folder that a launch made of which only the attempt's own records tell, relative to the checkout; none if gone. */
export function madeFolder(
  place: Workplace,
  run: RunState,
  { worker }: { readonly worker: string },
): { readonly worktree?: string } {
  if (run.workers.get(worker)?.worktree != null) return {};
  const usual = usualTree(place, worker);
  // What stood at the usual place before the launch still does.
  const dir = [besideUsual(usual, run), usual].find((one) => existsSync(one)) ?? usual;
  return { worktree: relative(place.git.root, existsSync(dir) ? realpathSync.native(dir) : dir) };
}

function besideUsual(usual: string, run: RunState): string {
  return `${usual}@${run.id}`;
}
