/**
 * `czar run`: the loop in the foreground. Continues the live run or starts one, shows what happens, and ends when nothing
 * goes on by itself any more. Ctrl-C once lets agents finish, twice stops them with their work kept.
 */
import { serve } from '../api/serve.ts';
import type { Request } from '../core/commands.ts';
import type { RunBase } from '../core/events.ts';
import { sharedWithUser } from '../core/isolation.ts';
import { restlessRuns } from '../core/restless.ts';
import type { RepositoryState, RunState } from '../core/state.ts';
import { handleSteering } from '../daemon/handle-steering.ts';
import { newRun } from '../daemon/new-run.ts';
import { openLoop, type OpenLoop } from '../daemon/open-loop.ts';
import type { RepositoryFacts } from '../daemon/repository.ts';
import { choose, wrongOptions, type Choice, type RunOptions } from './choose-run.ts';
import { exits } from './exit.ts';
import { isObstructed } from './obstacle.ts';
import { runDisplay } from './run-display.ts';
import { findFacts } from './find-facts.ts';
import { findPlace } from './find-place.ts';
import { insideAttempt, refuse } from './steering.ts';
import type { CliContext, Verb } from './verb.ts';
import { counted } from '../report/figures.ts';

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[scope...]', 'workers to run, with those that they depend on; all when left out')
      .option('--new', 'start another run with the files as they are')
      .option('--failed', 'try all failed workers of the last run again')
      .option('--pinned', 'keep the plan of the run although files have changed')
      .option('--max-parallel <n>', 'agents at the same time, whatever the configuration says')
      .option('--include-dirty', 'let agents see the uncommitted changes of your checkout')
      .option('-m, --message <text>', 'write a worker file for this text first, then run')
      .option('--agent <name>', 'with -m: its agent')
      .option('--after <ids...>', 'with -m: what it depends on')
      .option('--owns <globs...>', 'with -m: what it may change')
      .option('--verify <command>', 'with -m: what checks it')
      .action(async (scope: string[], options: RunOptions) => run(context, scope, options));
  },
};

async function run(
  context: CliContext,
  scope: readonly string[],
  options: RunOptions,
): Promise<void> {
  if (insideAttempt(context)) return;
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
  const display = runDisplay(context, place.home.path);
  const opened = await openLoop({
    facts,
    home: place.home,
    env: { ...context.env },
    now: context.now,
    onCommit: (events, state) => display.show(events, state),
    onStall: (why) => display.stalled(why),
    admit: async (state, git) => {
      const choice = choose(context, { place, state, scope, options });
      const includeDirty = options.includeDirty === true;
      return begin(context, { choice, facts, state, git, includeDirty });
    },
  });
  if ('refused' in opened) return;
  if ('owner' in opened) {
    const pid = opened.owner?.pid;
    return context.fail({
      exit: exits.refused,
      what: 'a czar is running in this repository already',
      where: pid === undefined ? null : `pid ${pid}`,
      next: 'czar status shows what it does',
    });
  }
  await using loop = opened;
  for (const note of loop.notes) context.out.note(note);
  const served = await serve(loop.socket, (request) => handleSteering(loop, request));
  if ('refused' in served)
    return context.fail({
      exit: exits.refused,
      what: served.refused,
      next: 'move it away, or set XDG_RUNTIME_DIR to a folder of yours',
    });
  await using _socket = served;
  const { run: id, request } = loop.admitted;
  if (request !== null) {
    const answer = await loop.loop.send({ ...request, by: 'user' });
    if (!answer.ok) return refuse(context, answer.rejection);
  }
  await follow(context, { loop, run: id, display });
}

/** What the loop is asked for first; null when it only goes on. */
interface Beginning {
  readonly run: string;
  readonly request: Request | null;
}

/** Decides what begins; null when it is refused, which has been said. */
async function begin(
  context: CliContext,
  {
    choice,
    facts,
    ...at
  }: {
    choice: Choice | null;
    facts: RepositoryFacts;
    state: RepositoryState;
    git: Parameters<typeof newRun>[0]['git'];
    includeDirty: boolean;
  },
): Promise<Beginning | null> {
  if (choice === null) return null;
  if (choice.kind === 'continue') {
    const { run } = choice;
    return { run, request: choice.retryFailed ? { kind: 'retry-failed', run } : null };
  }
  const { plan, scope, settings } = choice;
  const made = await newRun({ ...at, facts, plan, scope, ...settings, now: context.now() });
  if (!made.ok) {
    refuse(context, made.rejection);
    return null;
  }
  const { request } = made;
  const shared = sharedWithUser(plan.policies);
  if (shared !== null) context.out.note(shared);
  for (const note of baseNotes(request.base, made.leftOut)) context.out.note(note);
  return { run: request.run, request };
}

/** What of the checkout agents see and what they do not, each one sentence. */
function baseNotes(
  { commit, dirty, included }: RunBase,
  leftOut: readonly { readonly path: string; readonly why: string }[],
): readonly string[] {
  const from = commit.slice(0, 10);
  if (included === undefined) {
    if (dirty === 0) return [];
    return [
      `${counted(dirty, 'file')} of your checkout ${dirty === 1 ? 'has' : 'have'} changes that no agent will see: the run starts from ${from}. --include-dirty shows them.`,
    ];
  }
  return [
    `Agents see ${counted(included, 'uncommitted file')} of your checkout too: the run starts from a snapshot, ${from}.`,
    ...leftOut.map(({ path, why }) => `Not in the snapshot: ${path}: ${why}`),
  ];
}

interface Following {
  readonly loop: OpenLoop;
  readonly run: string;
  readonly display: ReturnType<typeof runDisplay>;
}

/** Waits until nothing goes on by itself, or the user has enough. */
async function follow(context: CliContext, { loop, run: id, display }: Following): Promise<void> {
  let presses = 0;
  const press = (): void => {
    presses += 1;
    if (presses === 1 && loop.loop.stalled) {
      display.say(
        'The log cannot be written: czar ends now, agents go on. czar run takes them up.',
      );
      loop.loop.drain();
    } else if (presses === 1) {
      display.say(
        'Ctrl-C: nothing more is started; agents finish. Once more stops them, their work is kept.',
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
  return (
    draining || restlessRuns(state).every((run) => run.state !== 'running' && run.landing === null)
  );
}

function exitOf(run: RunState, interrupted: boolean): 0 | 1 | 5 | 130 {
  switch (run.state) {
    case 'complete':
      return exits.done;
    case 'failed':
    case 'cancelled':
      return exits.failed;
    case 'waiting':
    case 'paused':
      return interrupted ? exits.interrupted : exits.waiting;
    case 'running':
      return exits.interrupted;
  }
}
