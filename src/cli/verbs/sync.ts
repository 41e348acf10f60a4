/** `czar sync`: the target, as it is now, enters the integration branch of a live run, on the tree whose gates passed. */
import type { Event } from '../../core/events.ts';
import { merging } from '../../core/schedule/queue.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import type { Place } from '../../daemon/place.ts';
import {
  isSynced,
  isSyncing,
  sync,
  syncOutcome,
  type SyncOrder,
  type SyncResult,
} from '../../daemon/sync.ts';
import { exits } from '../exit.ts';
import { openOwnLoop } from '../own-loop.ts';
import { findPlace } from '../find-place.ts';
import { chosenRun } from '../reading.ts';
import { insideAttempt, refuse } from '../steering.ts';
import { throughLoop } from '../through-loop.ts';
import type { CliContext, Verb } from '../verb.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .option(
        '--from <branch>',
        'branch to bring in; the one that the run started from if left out',
      )
      .addHelpText(
        'after',
        '\nThe branch is merged into integration off to the side; the checks of the run judge that tree, when it is new;' +
          '\nthen integration moves to it. A conflict or a red check changes nothing (exit 4). Workers that start later' +
          '\nsee it, and those under way when they are merged.',
      )
      .action(async (options: { from?: string }) => act(context, options.from));
  },
};

async function act(context: CliContext, from: string | undefined): Promise<void> {
  if (await insideAttempt(context, 'sync')) return;
  const place = findPlace(context);
  if (place === null) return;
  const state = openLogState(place);
  if (state === null)
    return context.fail({
      exit: exits.nothing,
      what: 'there is no run in this repository',
      next: 'czar run starts one',
    });
  const run = chosenRun(context, state);
  if (run === null) return;
  const target = from ?? run.target;
  if (target === null) {
    return context.fail({
      exit: exits.wrong,
      what: 'the run started from a detached HEAD, so there is no branch to bring in',
      next: 'czar sync --from BRANCH',
    });
  }
  if (run.landing === null && (await isSynced(place, run, target))) {
    if (context.options.json)
      return context.out.json({ v: 1, run: run.id, target, commit: run.tip, changed: false });
    return context.out.line(`Run ${run.id} has everything of ${target} already.`);
  }
  const result = await perform(context, place, { run: run.id, target });
  if (result !== null) report(context, run.id, result);
}

async function perform(
  context: CliContext,
  place: Place,
  order: SyncOrder,
): Promise<SyncResult | null> {
  const events: Event[] = [];
  const opened = await openOwnLoop(context, place, {
    verb: 'sync',
    only: isSyncing(order.run),
    // What another loop has half merged is that one's to carry through, or a run's.
    mayBegin: (state) => {
      const run = state.runs.get(order.run);
      const half = run === undefined ? null : merging(run);
      if (half === null) return true;
      context.fail({
        exit: exits.refused,
        what: `${half.id} is half merged, nothing was changed`,
        next: 'czar run goes on with it; then czar sync',
      });
      return false;
    },
    onCommit: (batch) => {
      events.push(...batch);
      for (const event of batch) {
        if (event.type === 'gate.started' && event.data.subject === 'land')
          context.out.note(`checking the combined tree (${event.data.commit.slice(0, 10)})`);
      }
    },
  });
  if (opened === null) return null;
  if ('owner' in opened) {
    return throughLoop(context, place, {
      owner: opened.owner,
      asked: { kind: 'sync', ...order },
      result: (all) => syncOutcome(all, order.run),
    });
  }
  await using loop = opened;
  // Awaited here: the loop is given back when this function ends.
  return await sync(loop, order, events);
}

function report(context: CliContext, run: string, result: SyncResult): void {
  switch (result.kind) {
    case 'synced': {
      const { target, commit } = result;
      if (context.options.json)
        return context.out.json({ v: 1, run, target, commit, changed: true });
      return context.out.line(`Run ${run} has ${target} as it is now: ${commit.slice(0, 10)}.`);
    }
    case 'refused':
      return context.fail({
        exit: exits.refused,
        what: `nothing was changed: ${result.reason.split('\n')[0] ?? ''}`,
        where: result.files.join(', ') || null,
      });
    case 'rejected':
      return refuse(context, result.rejection);
  }
}
