/** `czar create-worktree`: the working tree of a worker, before its first attempt. Starts nobody. */
import { resolve } from 'node:path';
import { isRunLive, type RunState } from '../../core/state.ts';
import { tendKey } from '../../core/tended-trees.ts';
import { triesAllowed } from '../../core/trouble.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import { admit } from '../admit.ts';
import { askAndWait } from '../ask-and-wait.ts';
import { exits } from '../exit.ts';
import { findPlace } from '../find-place.ts';
import { chosenRun } from '../reading.ts';
import { runPlace } from '../run-place.ts';
import { insideAttempt, refuse } from '../steering.ts';
import { askingFor } from '../wanted.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('<worker>', 'the worker whose tree it is')
      .addHelpText(
        'after',
        '\nThe tree stands on the worker’s branch, cut from what is merged now. Its first attempt works in it as it is,' +
          '\nunless something was merged since: then what is in it is kept, and a new tree made. Without a live run, a run' +
          '\nbegins, in which nobody starts before czar run or czar daemon start.',
      )
      .action(async (worker: string) => act(context, worker));
  },
};

async function act(context: CliContext, worker: string): Promise<void> {
  if (await insideAttempt(context, 'create-worktree')) return;
  const place = findPlace(context);
  if (place === null) return;
  const state = openLogState(place);
  const live = state !== null && [...state.runs.values()].some(isRunLive);
  const chosen = live || context.options.run !== null ? chosenRun(context, state ?? none) : null;
  if (chosen === null && (live || context.options.run !== null)) return;
  const there = chosen === null ? place : runPlace(context, place, chosen);
  if (there === null) return;
  const asking = await askingFor(context, place, [], { new: true });
  if (asking === null) return;
  let named = chosen?.id ?? '';
  const done = await askAndWait(context, there, {
    ...(chosen !== null ? {} : { begin: async (at) => admit(context, { place, ...at, asking }) }),
    asked: (begun) => {
      named = chosen?.id ?? begun ?? '';
      return [{ kind: 'make-tree', run: named, worker }];
    },
    only: ({ run, kind }) =>
      run === named && (kind === 'prepare-run' || kind === 'tend-tree' || kind === 'publish'),
    settled: (now) => {
      const run = now.runs.get(named);
      return run === undefined || !isTending(run, worker) || troubleOf(run, worker) !== null;
    },
  });
  if (done === null) return;
  const [rejection = null] = done.asked.map((one) => one.rejection);
  if (rejection !== null) return refuse(context, rejection);
  const run = done.state.runs.get(named);
  const made = run?.workers.get(worker);
  const trouble = run === undefined ? null : troubleOf(run, worker);
  if (trouble !== null || made?.worktree == null) {
    return context.fail({
      exit: exits.failed,
      what: `the tree of ${worker} could not be made: ${trouble ?? 'its run did not begin'}`,
      next: 'czar doctor tells more',
    });
  }
  const { worktree, branch } = made;
  // Relative to the checkout that it is in, where that is this one.
  const path = there === place ? worktree : resolve(there.root, worktree);
  if (context.options.json)
    return context.out.json({ v: 1, run: named, worker, path, branch: branch ?? '' });
  context.out.line(path);
  context.out.note(`on the branch ${branch ?? ''}`);
  if (chosen === null) context.out.note(`run ${named} has begun; czar run goes on with it`);
}

const none = { seq: 0, epoch: 0, runs: new Map<string, RunState>() };

function isTending(run: RunState, worker: string): boolean {
  return run.tending.some((one) => one.worker === worker);
}

/** Why the tree is not made after several tries; null while there is hope. */
function troubleOf(run: RunState, id: string): string | null {
  const worker = run.workers.get(id);
  if (worker === undefined) return null;
  const keys = [tendKey(run, worker, 'made'), `${run.id}/prepare-run:`];
  const found = keys.flatMap((key) => run.troubles[key] ?? []);
  return found.find(({ tries }) => tries >= triesAllowed)?.error ?? null;
}
