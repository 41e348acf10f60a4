/** Refs that go: what may be deleted, read from the book and from git alone. */
import type { Ground } from './ground.ts';
import { isLive, type RunBook } from './books.ts';
import { prunedKey } from './ledger.ts';

interface Removed {
  readonly place: 'mirror' | 'user';
  readonly ref: string;
  readonly from: string;
}

/** A ref went: what was kept, to the name that it has once it is dropped; anything else by a prune that said so before. */
export function checkRemoved({ world, ledger, require }: Ground, removed: Removed): void {
  const { place, ref, from } = removed;
  const [, , kind = '', id = ''] = ref.split('/');
  const workers = [...ledger.runs.values()].flatMap((run) => [...run.workers.values()]);
  const dropped = workers.flatMap((worker) => worker.dropped);
  if (kind === 'kept' && dropped.some((one) => one.ref === ref.replace('/kept/', '/dropped/'))) {
    world.coverage.hit('end', 'kept ref dropped');
    return;
  }
  const where = place === 'user' ? 'repository' : 'mirror';
  const epoch = ledger.pruned.get(prunedKey({ in: where, ref, commit: from }));
  require('P19', epoch !== undefined, () => `${ref} of the ${where} goes and nothing said so`);
  const run = ledger.run(id) ?? [...ledger.runs.values()].find((one) => ref.includes(one.id));
  // One that was overtaken may still delete what it named: whoever took the run up since has read that.
  const overtaken = epoch !== ledger.epoch;
  require('P19', run !== undefined && (overtaken || isOver(run)), () =>
    `${ref} goes and its run is ${run?.state}`);
  const wanted = kind !== 'dropped' && kind !== 'kept';
  // What leads only to what a person dropped goes with it.
  const held =
    world.git.isReachable(from) || dropped.some((one) => world.git.isAncestor(from, one.commit));
  require('P19', !wanted || held, () => `${ref} goes and nothing else leads to ${from}`);
  world.coverage.hit('end', `pruned ${kind}`);
}

function isOver(run: RunBook): boolean {
  return (
    ['complete', 'failed', 'cancelled'].includes(run.state) &&
    run.landing === null &&
    run.tending.size === 0 &&
    ![...run.workers.values()].some((one) => isLive(one))
  );
}
