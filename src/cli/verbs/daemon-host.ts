/**
 * The daemon itself: opens the loop, listens, begins what is asked, and stays until every run is over (or waits, with
 * `--exit-when-waiting`), or until it is told to end. Its end stops no agent unless that is asked for.
 *
 * Loads all that it may need when it starts, so that replacing the package under it changes nothing.
 */
import type { Beginning } from '../../daemon/begin.ts';
import { guardianOf } from '../../daemon/holder.ts';
import { Notices } from '../../daemon/notices.ts';
import { openLoop } from '../../daemon/open-loop.ts';
import { refusedOf } from '../../daemon/not-pushed.ts';
import type { Place } from '../../daemon/place.ts';
import type { RepositoryFacts } from '../../daemon/repository.ts';
import { awaitsBeginning } from '../../daemon/start-daemon.ts';
import { boundDaemonLog } from '../../daemon/daemon-log.ts';
import { Pruning } from '../../upkeep/pruning.ts';
import { admit } from '../admit.ts';
import { DaemonLife } from './daemon-life.ts';
import { exitOf } from '../exit-of-run.ts';
import { exits, type ExitCode } from '../exit.ts';
import { handlersOf } from '../handlers.ts';
import { runDisplay, stallText } from '../run-display.ts';
import { ledByAnother, serveLoop } from '../serve-loop.ts';
import { mayPass } from '../may-pass.ts';
import { refuse } from '../steering.ts';
import type { CliContext } from '../verb.ts';
import type { Asking } from '../wanted.ts';

export interface HostOptions {
  readonly exitWhenWaiting?: boolean;
  readonly verbose?: boolean;
  /** Whether it was started by a guardian, which starts it again when it dies. */
  readonly guarded?: boolean;
}

/** Hosts the loop until it ends; false when nothing began, which has been said. `asking` is null under a guardian. */
export async function hostDaemon(
  context: CliContext,
  at: {
    readonly place: Place;
    readonly facts: RepositoryFacts;
    readonly asking: Asking | null;
    readonly options: HostOptions;
  },
): Promise<boolean> {
  const { place, facts, asking, options } = at;
  const exitWhenWaiting = options.exitWhenWaiting === true;
  const display = runDisplay(context, place.home.path, {
    verbose: options.verbose === true,
    refused: (run) => refusedOf(place, run),
  });
  const notices = new Notices();
  /** Runs that it led, for whoever started it in a terminal. */
  const led = new Set<string>();
  const guardian = options.guarded === true ? guardianOf(process.ppid) : null;
  const opened = await openLoop({
    facts,
    home: place.home,
    env: { ...context.env },
    now: context.now,
    daemon: { since: context.now(), guardian, exitWhenWaiting },
    onCommit: (events, state) => {
      for (const { run, type } of events)
        if (
          run !== undefined &&
          /^run\.(?:running|started|waiting|complete|failed|cancelled)$/.test(type)
        )
          led.add(run);
      display.show(events, state);
      if (options.guarded === true) boundDaemonLog(place);
    },
    onNotice: (line) => {
      context.out.note(line);
      notices.note(line);
    },
    onStall: (why) => {
      display.log(stallText(why));
      notices.stalled(why);
    },
    admit: async (state, git) => {
      if (asking === null) return nothing;
      const begun = await admit(context, { place, facts, asking, state, git });
      if (begun !== null) led.add(begun.run);
      return begun;
    },
    first: ({ requests }) => requests,
    held: options.guarded === true && context.env[awaitsBeginning] !== undefined,
  });
  if ('refused' in opened) return false;
  if ('owner' in opened) {
    // Under a guardian somebody else was first, and whoever started it asks that one.
    if (options.guarded === true) context.exit(exits.refused);
    else ledByAnother(context, opened.owner);
    return false;
  }
  await using loop = opened;
  if (loop.rejection !== null) {
    refuse(context, loop.rejection);
    return false;
  }
  for (const note of loop.notes) context.out.note(note);
  const life = new DaemonLife(loop.loop, { exitWhenWaiting, isAsked: asking !== null });
  const pruning = new Pruning(loop);
  const log = (line: string): void => {
    display.log(line);
    notices.log(line);
  };
  const { hear } = notices;
  const handlers = handlersOf(loop, { place, daemon: life, pruning, log, hear });
  const served = await serveLoop(context, loop, handlers);
  // What was asked when the loop started is in the log: the next one goes on with it.
  if (served === null) return true;
  await using _socket = served;
  await using _pruning = pruning;
  using _signals = life.endOnSignals();
  const { why, told } = await life.over();
  context.out.note(why);
  if (asking === null || told) return true;
  const { state } = loop.loop;
  const runs = [...led].flatMap((id) => state.runs.get(id) ?? []);
  for (const run of runs) display.summary(run, state);
  context.exit(worst(runs.map((run) => exitOf(run, false))));
  return true;
}

/** Hosts it under a guardian: what may be over at another try ends it as a death, after which it is started again. */
export async function hostGuarded(
  context: CliContext,
  at: Pick<Parameters<typeof hostDaemon>[1], 'place' | 'facts' | 'options'>,
): Promise<void> {
  try {
    await hostDaemon(context, { ...at, asking: null });
  } catch (error) {
    if (!mayPass(error)) throw error;
    context.fail({ exit: exits.failed, what: error.message, cause: error });
  }
}

/** Of several runs: one that waits for a person, else one that failed, else none of both. */
function worst(codes: readonly ExitCode[]): ExitCode {
  return [exits.waiting, exits.failed].find((code) => codes.includes(code)) ?? exits.done;
}

const nothing: Beginning = { run: '', requests: [], over: false, waits: false, notes: [] };
