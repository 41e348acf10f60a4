/** `czar land`: the run's integration branch enters the target branch, on the tree whose gates passed. */
import type { Event } from '../../core/events.ts';
import { mergedName } from '../../core/publish.ts';
import type { RunState } from '../../core/state.ts';
import { previewLanding } from '../../daemon/views/preview-landing.ts';
import {
  isLanding,
  land,
  landedAs,
  notUpdatedYet,
  outcome,
  type LandOrder,
  type LandResult,
} from '../../daemon/land.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import { notPushedOf, pushAgain } from '../../daemon/not-pushed.ts';
import type { Place } from '../../daemon/place.ts';
import { exits } from '../exit.ts';
import { plural } from '../plan-files.ts';
import { chosenRun } from '../reading.ts';
import { openOwnLoop } from '../own-loop.ts';
import { findPlace } from '../find-place.ts';
import { pushed, pushLeft } from '../land-push.ts';
import { landPull } from './land-pull.ts';
import { insideAttempt, refuse } from '../steering.ts';
import { throughLoop } from '../through-loop.ts';
import type { CliContext, Verb } from '../verb.ts';
import { watchPull } from './watch-pull.ts';
import { notPushed, notPushedLines } from '../../report/not-pushed.ts';
import { notUpdatedLines } from '../../report/not-updated.ts';

interface LandOptions {
  readonly into?: string;
  readonly mode: string;
  readonly partial?: boolean;
  readonly dryRun?: boolean;
  readonly pr?: boolean;
  readonly watch?: boolean;
}

export const verb: Verb = {
  define(command, context) {
    command
      .option(
        '--into <branch>',
        'branch to land on; the one that the run started from when left out',
      )
      .option('--mode <mode>', 'merge, squash or ff', 'merge')
      .option('--partial', 'land what has been merged although the run is not complete')
      .option('--dry-run', 'say what would land, change nothing')
      .option(
        '--pr',
        'push what is merged and open a pull request with the closing report, through gh or glab',
      )
      .option(
        '--watch',
        'follow the pull request until it is merged or closed; what checks and reviewers say goes back to whose work it is',
      )
      .action(async (options: LandOptions) => landVerb(context, options));
  },
};

async function landVerb(context: CliContext, options: LandOptions): Promise<void> {
  if (await insideAttempt(context, 'land')) return;
  const mode = modeOf(options.mode);
  if (mode === null) {
    return context.fail({
      exit: exits.wrong,
      what: `there is no mode ${options.mode}`,
      next: '--mode merge, squash or ff',
    });
  }
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
  const target = options.into ?? run.target;
  if (target === null) {
    return context.fail({
      exit: exits.wrong,
      what: 'the run started from a detached HEAD, so there is no branch to land on',
      next: 'czar land --into BRANCH',
    });
  }
  const partial = options.partial === true;
  if (options.dryRun === true && (options.pr === true || options.watch === true)) {
    return context.fail({
      exit: exits.wrong,
      what: '--dry-run says what would land here, not what a pull request does',
      next: 'leave it out, or --pr and --watch',
    });
  }
  const watch = options.watch === true;
  if (
    options.pr === true &&
    !(await landPull(context, place, { run: run.id, target, partial, watch }))
  )
    return;
  if (watch) return watchPull(context, place, run.id);
  if (options.pr === true) return;
  const order: LandOrder = { run: run.id, target, mode, partial };
  if (options.dryRun === true) return preview(context, place, run, order);
  const commit = await landedAs(place, run, target);
  if (commit !== null) {
    if (Object.keys(notPushedOf(place, run.id)).length > 0)
      await pushLeft(context, place, { run, order });
    const left = await notUpdatedYet(place, run, target);
    const notUpdated = left.length === 0 ? {} : { notUpdated: left };
    const result = { kind: 'landed', target, commit, ...notUpdated } as const;
    return report(context, place, { run, result, before: true });
  }
  const result = await perform(context, place, order);
  if (result === null) return;
  if (result.kind === 'landed') await pushed(place, run);
  report(context, place, { run, result, before: false });
}

async function perform(
  context: CliContext,
  place: Place,
  order: LandOrder,
): Promise<LandResult | null> {
  const events: Event[] = [];
  const opened = await openOwnLoop(context, place, {
    verb: 'land',
    only: isLanding(order.run),
    onCommit: (batch) => {
      events.push(...batch);
      for (const event of batch) {
        if (event.type === 'gate.started')
          context.out.note(`checking the tree that would land (${event.data.commit.slice(0, 10)})`);
        if (event.type === 'effect.failed')
          context.out.note(`not yet: ${event.data.error} (try ${event.data.tries})`);
      }
    },
  });
  if (opened === null) return null;
  if ('owner' in opened) {
    return throughLoop(context, place, {
      owner: opened.owner,
      asked: { kind: 'land', ...order },
      result: (events) => outcome(events, order.run),
    });
  }
  await using loop = opened;
  // A person is here: what the remote refused is tried again.
  pushAgain(loop, order.run);
  // Awaited here: the loop is given back when this function ends.
  return await land(loop, order, events);
}

async function preview(
  context: CliContext,
  place: Place,
  run: RunState,
  order: LandOrder,
): Promise<void> {
  const seen = await previewLanding(place, run, order);
  if (seen.kind === 'refused') {
    return context.fail({
      exit: exits.refused,
      what: seen.reason,
      where: seen.files.join(', ') || null,
    });
  }
  if (context.options.json) {
    const { gatesOpen, ...others } = seen;
    return context.out.json({ v: 1, ...others, gates_open: gatesOpen });
  }
  context.out.line(
    `Would land ${seen.commits} commits of run ${run.id} on ${order.target} (${order.mode}).`,
  );
  context.out.block(seen.stat);
  if (seen.open.length > 0) context.out.line(`Not complete: ${seen.open.join(', ')}`);
  context.out.line(
    seen.gates === 0
      ? 'No gate judges the tree.'
      : seen.gatesOpen === 0
        ? `Its tree has been judged by ${plural(seen.gates, 'check')} already.`
        : `Not run: ${plural(seen.gatesOpen, 'check')} of the tree, which must pass before it lands.`,
  );
}

function report(
  context: CliContext,
  place: Place,
  of: { readonly run: RunState; readonly result: LandResult; readonly before: boolean },
): void {
  const { run, result, before } = of;
  switch (result.kind) {
    case 'landed': {
      // It has landed all the same.
      const unsent = notPushedOf(place, run.id);
      if (context.options.json) {
        const { notUpdated, ...others } = result;
        const left = notUpdated === undefined ? {} : { not_updated: notUpdated };
        const open = notPushed(unsent);
        const not = open.length === 0 ? {} : { not_pushed: open };
        return context.out.json({ v: 1, run: run.id, ...others, ...left, ...not });
      }
      context.out.line(
        `Run ${run.id} ${before ? 'had landed' : 'landed'} on ${result.target} as ${result.commit.slice(0, 10)}.`,
      );
      for (const line of notUpdatedLines(result.notUpdated ?? [])) context.out.note(line);
      for (const line of notPushedLines(unsent)) context.out.note(line);
      return;
    }
    case 'refused':
      return context.fail({
        exit: exits.refused,
        what: `nothing was landed: ${result.reason.split('\n')[0] ?? ''}`,
        where: result.files.join(', ') || null,
        next: afterRefusal(run, result),
      });
    case 'rejected':
      return refuse(context, result.rejection);
  }
}

/** What to do about files in the way; null when there are none. */
function afterRefusal(
  run: RunState,
  { reason, files }: Extract<LandResult, { kind: 'refused' }>,
): string | null {
  if (files.length === 0) return null;
  if (reason.endsWith('may not write')) return 'let yourself write there, then land again';
  // Neither czar sync nor another czar land would settle that.
  const [, target] = /^the run conflicts with (.+)$/.exec(reason) ?? [];
  return target === undefined
    ? 'merge or move these, then land again'
    : `git merge ${mergedName(run)} on ${target}, where you settle it by hand and commit`;
}

function modeOf(text: string): LandOrder['mode'] | null {
  return text === 'merge' || text === 'squash' || text === 'ff' ? text : null;
}
