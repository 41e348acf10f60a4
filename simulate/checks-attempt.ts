/** What every event of an attempt must be true to: its tree, its end, its silence, and what was read of it. */
import type { Event } from '../src/core/events.ts';
import { folderOf, type AttemptFolder } from './attempts.ts';
import type { RunBook, WorkerBook } from './books.ts';
import type { Ground } from './ground.ts';

export function checkTree(
  ground: Ground,
  run: RunBook,
  worker: WorkerBook,
  event: Extract<Event, { type: 'attempt.prepared' }>,
): void {
  const { require, world } = ground;
  const tree = world.treeOf(run.id, worker.id);
  require('S14', tree?.attempt === worker.attempt, () => `the tree of ${worker.id} is not there`);
  if (worker.definition.workspace === 'empty' || worker.continues) return;
  for (const edge of worker.definition.edges) {
    const on = run.workers.get(edge.on);
    if (edge.kind !== 'output' || on?.state !== 'complete' || on.merged === null) continue;
    const { commit } = on.merged;
    require('P7', world.git.isAncestor(commit, event.data.base), () =>
      `the tree of ${worker.id} at ${event.data.base} lacks ${commit} of ${edge.on}`);
  }
}

export function checkEnd(
  ground: Ground,
  run: RunBook,
  worker: WorkerBook,
  event: Extract<Event, { type: 'attempt.ended' }>,
): void {
  const { require, world } = ground;
  const { end } = event.data;
  const folder = folderOf(world, { run: run.id, worker: worker.id, attempt: worker.attempt });
  const limit = worker.definition.timeoutMs;
  if (end.how === 'stopped' && end.why === 'timeout') {
    // A loop that starts has only the wall clock to go by.
    const sure = world.jumps === 0 || world.loops === folder.startedUnder;
    const ran = world.mono - folder.startedAt;
    require('P6', limit !== null && (!sure || ran >= limit), () =>
      `attempt ${folder.key} reached its limit of ${limit} after ${ran}`);
  }
  require('S19', !folder.alive, () =>
    `attempt ${folder.key} is over in the log (${end.how}) and lives`);
  require('S19', end.how !== 'exited' ||
    (folder.status === 'exited' && folder.code === end.code), () =>
    `attempt ${folder.key} exited in the log only`);
  require('S19', end.how !== 'lost' || folder.status !== 'exited' || folder.stopped !== null, () =>
    `attempt ${folder.key} is lost in the log and its exit is on record`);
}

export function checkCollected(ground: Ground, run: RunBook, worker: WorkerBook): void {
  const { require, world } = ground;
  const folder = folderOf(world, { run: run.id, worker: worker.id, attempt: worker.attempt });
  require('S19', !folder.alive, () => `attempt ${folder.key} is collected and lives`);
  if (!folder.pruned) checkRead(ground, worker, folder);
  const tree = world.treeOf(run.id, worker.id);
  if (tree === undefined || worker.definition.workspace === 'empty') return;
  const lost = [...tree.made].find((commit) => !world.git.isHeld(commit));
  require('S7', lost === undefined, () => `commit ${lost} of ${worker.id} is held by nothing`);
}

/** Every line that it wrote counts once. */
function checkRead({ require }: Ground, worker: WorkerBook, folder: AttemptFolder): void {
  const lines = [...folder.said, ...folder.printed];
  const spent = lines.reduce((sum, one) => sum + (one?.kind === 'usage' ? one.usage.input : 0), 0);
  require('P3', worker.counted === spent, () =>
    `attempt ${folder.key} used ${spent} and the log has ${worker.counted}`);
  const bad = folder.said.filter((one) => one === null).length;
  require('P3', worker.refused === bad, () =>
    `attempt ${folder.key} wrote ${bad} bad lines and the log has ${worker.refused}`);
}

/** Silence ends an attempt only where its worker says so, and only when it lasted. */
export function checkStall({ require, world }: Ground, run: RunBook, worker: WorkerBook): void {
  const { stall } = worker.definition;
  const folder = folderOf(world, { run: run.id, worker: worker.id, attempt: worker.attempt });
  const silent = Math.max(folder.silence, world.mono - folder.sign.mono);
  const waits = [...worker.asks.values()].some(({ answer }) => answer === null);
  const due = stall?.restart === true && silent >= stall.afterMs && !waits;
  require('P17', due, () =>
    `${folder.key} is ended for a silence of ${silent}${waits ? ' while it asks' : ''}`);
  world.coverage.hit('end', 'stalled');
}
