/**
 * `czar run`: the loop in the foreground. Continues the live run or starts one, shows what happens, and ends when nothing
 * goes on by itself any more. Ctrl-C once lets agents finish, twice stops them with their work kept. Where a daemon
 * lives, it is asked instead, and what it does is shown.
 */
import { goesOn } from '../../core/goes-on.ts';
import { restlessRuns } from '../../core/restless.ts';
import type { RepositoryState } from '../../core/state.ts';
import { Notices } from '../../daemon/notices.ts';
import { openLoop, type OpenLoop } from '../../daemon/open-loop.ts';
import { refusedOf } from '../../daemon/not-pushed.ts';
import type { Place } from '../../daemon/place.ts';
import { lastSeq } from '../../daemon/views/read.ts';
import type { RepositoryFacts } from '../../daemon/repository.ts';
import { daemonOf } from '../../daemon/holder.ts';
import { Pruning } from '../../upkeep/pruning.ts';
import { admit } from '../admit.ts';
import { configSources } from '../config-sources.ts';
import { exits } from '../exit.ts';
import { exitOf } from '../exit-of-run.ts';
import { findFacts } from '../find-facts.ts';
import { findPlace } from '../find-place.ts';
import { handlersOf } from '../handlers.ts';
import { hearNotices } from '../hear-notices.ts';
import { isObstructed } from '../obstacle.ts';
import { runDisplay, type RunDisplay } from '../run-display.ts';
import { ledByAnother, serveLoop } from '../serve-loop.ts';
import { insideAttempt, refuse } from '../steering.ts';
import { beginThroughDaemon } from '../through-daemon.ts';
import type { CliContext, Verb } from '../verb.ts';
import {
  askingFor,
  defineBeginning,
  wrongOptions,
  type Asking,
  type BeginOptions,
} from '../wanted.ts';
import { watchRun } from './watch-run.ts';

interface RunOptions extends BeginOptions {
  readonly verbose?: boolean;
}

export const verb: Verb = {
  define(command, context) {
    defineBeginning(command)
      .option('--verbose', 'also say what changes no state')
      .action(async (scope: string[], options: RunOptions) => run(context, scope, options));
  },
};

async function run(
  context: CliContext,
  scope: readonly string[],
  options: RunOptions,
): Promise<void> {
  if (await insideAttempt(context, 'run')) return;
  const wrong = wrongOptions(options, scope);
  if (wrong !== null)
    return context.fail({ exit: exits.wrong, what: wrong, next: 'czar help run' });
  const place = findPlace(context);
  if (
    place === null ||
    isObstructed(context, place, { folders: ['workers', 'worktrees', 'runs', 'logs'], state: true })
  )
    return;
  const facts = await findFacts(context, place);
  if (facts === null) return;
  const asking = await askingFor(context, place, scope, options);
  if (asking === null) return;
  const display = runDisplay(context, place.home.path, {
    verbose: options.verbose === true,
    refused: (run) => refusedOf(place, run),
  });
  const begun = await beginSomewhere(context, { place, facts, asking, display });
  if (!begun) asking.undo();
}

interface At {
  readonly place: Place;
  readonly facts: RepositoryFacts;
  readonly asking: Asking;
  readonly display: RunDisplay;
}

/** Goes on with a run as its plan stands, until nothing of it goes on by itself. Whether anything began. */
export async function goOn(
  context: CliContext,
  place: Place,
  { run: id, display }: { readonly run: string; readonly display: RunDisplay },
): Promise<boolean> {
  const facts = await findFacts(context, place);
  if (facts === null) return false;
  const wanted = {
    run: id,
    scope: [],
    new: false,
    failed: false,
    changes: 'pinned' as const,
    includeDirty: false,
    approve: false,
    sources: configSources(context),
  };
  return beginSomewhere(context, { place, facts, asking: { wanted, undo: () => {} }, display });
}

/** In the daemon where one lives, else here. Whether anything began. */
async function beginSomewhere(context: CliContext, at: At): Promise<boolean> {
  const { place, asking, display } = at;
  if (daemonOf(place) === null) {
    const here = await beginHere(context, at);
    if (here !== 'daemon') return here;
  }
  const after = await lastSeq(place);
  using _heard = await hearNotices(context, place, display);
  const begun = await beginThroughDaemon(context, place, asking.wanted);
  if (begun === null) return false;
  if (begun === 'gone') return beginSomewhere(context, at);
  await watchRun(context, place, { run: begun.run, after, display });
  return true;
}

/** Opens the loop, begins and follows; `daemon` when one has the repository meanwhile. */
async function beginHere(
  context: CliContext,
  { place, facts, asking, display }: At,
): Promise<boolean | 'daemon'> {
  const opened = await openLoop({
    facts,
    home: place.home,
    env: { ...context.env },
    now: context.now,
    onCommit: (events, state) => display.show(events, state),
    onNotice: (line) => context.out.note(line),
    onStall: (why) => display.stalled(why),
    admit: async (state, git) => admit(context, { place, facts, state, git, asking }),
    first: ({ requests }) => requests,
  });
  if ('refused' in opened) return false;
  if ('owner' in opened) {
    if (opened.owner?.daemon !== undefined) return 'daemon';
    ledByAnother(context, opened.owner);
    return false;
  }
  await using loop = opened;
  if (loop.rejection !== null) {
    refuse(context, loop.rejection);
    return false;
  }
  for (const note of loop.notes) context.out.note(note);
  const pruning = new Pruning(loop);
  // Nobody attaches to a run in the foreground: what it says is said here.
  const { hear } = new Notices();
  const handlers = handlersOf(loop, { place, daemon: null, pruning, log: display.log, hear });
  const served = await serveLoop(context, loop, handlers);
  // What was asked when the loop started is in the log: the next one goes on with it.
  if (served === null) return true;
  await using _socket = served;
  await using _pruning = pruning;
  const { run: id } = loop.admitted;
  await follow(context, { loop, run: id, display });
  return true;
}

interface Following {
  readonly loop: OpenLoop;
  readonly run: string;
  readonly display: RunDisplay;
}

/** Waits until nothing goes on by itself, or the user has enough. */
async function follow(context: CliContext, { loop, run: id, display }: Following): Promise<void> {
  let presses = 0;
  const press = (signal: NodeJS.Signals): void => {
    presses += 1;
    if (presses === 1 && loop.loop.stalled) {
      display.say(
        'The log cannot be written: czar ends now, agents go on. czar run takes them up.',
      );
      loop.loop.drain();
    } else if (presses === 1) {
      display.say(
        `${signal === 'SIGINT' ? 'Ctrl-C' : signal}: nothing more is started; agents finish. Once more stops them, their work is kept.`,
      );
      loop.loop.drain();
    } else if (presses === 2) {
      display.say('Stopping agents; their work is kept.');
      loop.loop.stop();
    }
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, press);
  try {
    using _shown = display.follow(id, () => loop.loop.state);
    await loop.loop.until((state, idle) => {
      const draining = presses > 0;
      // Nothing that agents do can be written down now: the next loop finds it.
      return (draining && loop.loop.stalled) || isOver(state, { idle, draining });
    });
  } finally {
    for (const signal of signals) process.off(signal, press);
  }
  const run = loop.loop.state.runs.get(id);
  if (run === undefined) return;
  display.summary(run, loop.loop.state);
  context.exit(exitOf(run, presses > 0));
}

/** Whether this loop has nothing left to do: no run goes on by itself, or it was told to end and no agent lives. */
function isOver(
  state: RepositoryState,
  { idle, draining }: { readonly idle: boolean; readonly draining: boolean },
): boolean {
  if (!idle) return false;
  return draining || !restlessRuns(state).some(goesOn);
}
