/**
 * One step of a working tree's life, as a process of its own: `node tree-step.ts PLACE STEP ATTEMPT`, where PLACE holds a
 * prepared mirror and STEP is `start` (load everything, do nothing), `make` (the tree of an attempt of a worker of that
 * number, from nothing) or `release` (give it back). `serve` gives back and makes the tree of the next attempt from it.
 */
import { clone } from '../../src/git/trees/clone.ts';
import { gitContext } from '../../src/git/context.ts';
import { readRef } from '../../src/git/refs.ts';

const [place = '', step = '', number = ''] = process.argv.slice(2);
const context = gitContext({ root: place, commonDir: place, home: `${place}/home` });
const worker = `w${number}`;
const dir = `${place}/home/worktrees/${worker}`;
const make = async (attempt: number, ref: string): Promise<void> => {
  const commit = (await readRef(context, ref)) ?? '';
  const identity = { name: 'bench', email: 'bench@localhost' };
  const order = { run: 'bench', worker, attempt, branch: `czar/bench/${worker}`, commit, dir };
  await clone.make(context, { ...order, identity, origin: null });
};
switch (step) {
  case 'start':
    break;
  case 'make':
    await make(1, 'refs/heads/main');
    break;
  case 'release':
    await clone.release(context, dir);
    break;
  case 'serve':
    await clone.release(context, dir);
    await make(2, 'refs/heads/work-000');
    break;
  default:
    throw new Error(`no step ${step}`);
}
