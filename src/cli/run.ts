/**
 * `czar run`: the loop in the foreground. Continues the live run or starts one, shows what happens, and ends when nothing
 * goes on by itself any more. Ctrl-C once lets agents finish, twice stops them with their work kept.
 */
import { serve } from '../api/serve.ts';
import { isRunLive, type RepositoryState, type RunState } from '../core/state.ts';
import { handleSteering } from '../daemon/handle-steering.ts';
import { newRun } from '../daemon/new-run.ts';
import { openLoop, type OpenLoop } from '../daemon/open-loop.ts';
import { inspectRepository, type RepositoryFacts } from '../daemon/repository.ts';
import type { Plan } from '../core/plan.ts';
import { diffPlans } from '../plan/diff.ts';
import { agentProblem, loadPlan } from '../plan/load.ts';
import { scopeOf } from '../plan/scope.ts';
import { addWorker } from './add-worker.ts';
import { exits } from './exit.ts';
import { printDiagnostics } from './plan-files.ts';
import { refuseChanged } from './pinned.ts';
import { runDisplay } from './run-display.ts';
import { findPlace } from './find-place.ts';
import { insideAttempt, refuse } from './steering.ts';
import type { Place } from '../daemon/place.ts';
import type { CliContext, Verb } from './verb.ts';

interface RunOptions {
  readonly new?: boolean;
  readonly failed?: boolean;
  readonly pinned?: boolean;
  readonly message?: string;
  readonly agent?: string;
  readonly verify?: string;
  readonly owns?: string[];
  readonly after?: string[];
}

export const verb: Verb = {
  define(command, context) {
    command
      .argument('[scope...]', 'workers to run, with those that they depend on; all when left out')
      .option('--new', 'start another run with the files as they are')
      .option('--failed', 'try all failed workers of the last run again')
      .option('--pinned', 'keep the plan of the run although files have changed')
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
  const place = findPlace(context);
  if (place === null) return;
  const found = await inspectRepository({ directory: place.root });
  if (found.kind === 'failed') return context.fail({ exit: exits.failed, what: found.error });
  if (found.kind === 'refused') return context.fail({ exit: exits.refused, what: found.reason });

  const display = runDisplay(context, place.home.path);
  const opened = await openLoop({
    facts: found.facts,
    home: place.home,
    env: { ...context.env },
    now: context.now,
    onCommit: (events, state) => display.show(events, state),
  });
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
  await using _socket = await serve(loop.socket, (request) => handleSteering(loop, request));
  const id = await begin(context, { place, facts: found.facts, loop, scope, options });
  if (id === null) return;
  await follow(context, { loop, run: id, display });
}

interface Beginning {
  readonly place: Place;
  readonly facts: RepositoryFacts;
  readonly loop: OpenLoop;
  readonly scope: readonly string[];
  readonly options: RunOptions;
}

/** The run to follow: continued, taken up again, or new. Null when there is none, which has been said. */
async function begin(context: CliContext, beginning: Beginning): Promise<string | null> {
  const { loop, options } = beginning;
  const { state } = loop.loop;
  const runs = [...state.runs.values()];
  const live = runs.filter(isRunLive);
  if (options.message !== undefined) {
    if (live.length > 0) {
      context.fail({
        exit: exits.refused,
        what: 'a run is live, and its plan stays as it is',
        where: live[0]?.id ?? null,
        next: 'czar run without -m continues it',
      });
      return null;
    }
    const added = addWorker(context, beginning.place, { ...options, text: options.message });
    if (added === null) return null;
    return start(context, { ...beginning, scope: [added] });
  }
  if (options.new === true) return start(context, beginning);
  const named = context.options.run;
  const chosen =
    named === null
      ? live.length === 1
        ? live[0]
        : live.length === 0
          ? runs.at(-1)
          : undefined
      : state.runs.get(named);
  if (named !== null && chosen === undefined) {
    context.fail({ exit: exits.nothing, what: `there is no run ${named}` });
    return null;
  }
  if (live.length > 1 && chosen === undefined) {
    context.fail({
      exit: exits.refused,
      what: 'more than one run is live',
      where: live.map((one) => one.id).join(', '),
      next: 'say which with --run ID',
    });
    return null;
  }
  if (chosen === undefined || chosen.state === 'cancelled') return start(context, beginning);
  return goOn(context, beginning, chosen);
}

/** Continues a live run, or takes up one that has ended. */
async function goOn(
  context: CliContext,
  beginning: Beginning,
  chosen: RunState,
): Promise<string | null> {
  const { place, loop, options } = beginning;
  const { plan } = loadPlan({ root: place.root, home: place.home });
  const differences =
    plan === null ? ['the files are not a valid plan now'] : diffPlans(chosen.plan, plan);
  if (chosen.state === 'complete') {
    if (differences.length > 0) return start(context, beginning);
    context.out.note(
      `Run ${chosen.id} is complete. czar land brings it home; czar run --new runs the plan again.`,
    );
    return chosen.id;
  }
  if (differences.length > 0 && options.pinned !== true) {
    refuseChanged(context, { run: chosen.id, differences });
    return null;
  }
  if (chosen.state !== 'failed') return chosen.id;
  if (options.failed !== true) {
    context.fail({
      exit: exits.refused,
      what: `run ${chosen.id} ended with failures`,
      where: chosen.reason,
      next: 'czar run --failed tries what failed again; czar run --new starts another run',
    });
    return null;
  }
  const answer = await loop.loop.send({ kind: 'retry-failed', run: chosen.id, by: 'user' });
  if (answer.ok) return chosen.id;
  refuse(context, answer.rejection);
  return null;
}

/** Starts a run of the files as they are. */
async function start(context: CliContext, beginning: Beginning): Promise<string | null> {
  const { place, facts, loop, scope } = beginning;
  const plan = readPlan(context, place, scope);
  if (plan === null) return null;
  const { settings, value } = plan;
  const { git } = loop.place;
  const made = await newRun({
    git,
    facts,
    plan: value,
    ...settings,
    state: loop.loop.state,
    now: context.now(),
  });
  if (!made.ok) {
    refuse(context, made.rejection);
    return null;
  }
  const dirty = facts.dirty.length;
  if (dirty > 0) {
    context.out.note(
      `${dirty} ${dirty === 1 ? 'file' : 'files'} of your checkout ${dirty === 1 ? 'has' : 'have'} changes that no agent will see: the run starts from ${made.request.base.commit.slice(0, 10)}.`,
    );
  }
  const answer = await loop.loop.send({ ...made.request, by: 'user' });
  if (answer.ok) return made.request.run;
  refuse(context, answer.rejection);
  return null;
}

function readPlan(
  context: CliContext,
  place: Place,
  scope: readonly string[],
): {
  readonly value: Plan;
  readonly settings: { readonly base: string | null; readonly target: string | null };
} | null {
  const loaded = loadPlan({ root: place.root, home: place.home });
  const { plan } = loaded;
  if (plan === null) {
    if (loaded.found === 0 && !loaded.diagnostics.some((one) => one.severity === 'error')) {
      context.fail({
        exit: exits.nothing,
        what: `there is no worker in ${place.home.name}/workers`,
        next: 'czar worker new ID writes one',
      });
      return null;
    }
    printDiagnostics(context.out.error, loaded.diagnostics);
    context.fail({
      exit: exits.wrong,
      what: 'the plan is not valid, nothing was started',
      next: 'czar validate shows every problem',
    });
    return null;
  }
  const scoped = scopeOf(plan, scope);
  if ('unknown' in scoped) {
    context.fail({
      exit: exits.wrong,
      what: `there is no worker ${scoped.unknown}`,
      next: 'czar plan show lists them',
    });
    return null;
  }
  const problem = agentProblem(scoped.plan);
  if (problem !== null) {
    context.fail({
      exit: exits.wrong,
      what: problem,
      next: 'czar plan show names every worker’s agent',
    });
    return null;
  }
  for (const one of loaded.diagnostics) {
    context.out.note(`${one.file}:${one.line}: warning: ${one.message}`);
  }
  return { value: scoped.plan, settings: loaded.settings };
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
    if (presses === 1) {
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
    await loop.loop.until((state, idle) => isOver(state, { idle, draining: presses > 0 }));
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
    draining ||
    [...state.runs.values()].every((run) => run.state !== 'running' && run.landing === null)
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
