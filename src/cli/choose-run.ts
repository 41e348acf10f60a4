/**
 * What `czar run` is about to do, decided on the state as it lies in the log before anything of it goes on: continue the
 * live run, take up one that has ended, or start another. What stands in the way is said here, and then nothing happens.
 */
import type { Plan } from '../core/plan.ts';
import { isRunLive, type RepositoryState, type RunState } from '../core/state.ts';
import type { Place } from '../daemon/place.ts';
import type { ConfigSources } from '../plan/config-layers.ts';
import { agentProblem, loadPlan } from '../plan/load.ts';
import { scopeOf } from '../plan/scope.ts';
import { addWorker } from './add-worker.ts';
import { configSources } from './config-sources.ts';
import { exits } from './exit.ts';
import { differencesOf, refuseChanged } from './pinned.ts';
import { printDiagnostics } from './plan-files.ts';
import type { CliContext } from './verb.ts';

export interface RunOptions {
  readonly new?: boolean;
  readonly failed?: boolean;
  readonly pinned?: boolean;
  readonly maxParallel?: string;
  readonly includeDirty?: boolean;
  readonly message?: string;
  readonly agent?: string;
  readonly verify?: string;
  readonly owns?: string[];
  readonly after?: string[];
}

export type Choice =
  | { readonly kind: 'continue'; readonly run: string; readonly retryFailed: boolean }
  | {
      readonly kind: 'start';
      readonly plan: Plan;
      /** Workers of a part of the plan files; null when it is all of them. */
      readonly scope: readonly string[] | null;
      readonly settings: { readonly base: string | null; readonly target: string | null };
    };

interface Asked {
  readonly place: Place;
  readonly state: RepositoryState;
  /** Workers that were named; none means all. */
  readonly scope: readonly string[];
  readonly options: RunOptions;
}

/** Which options contradict each other or would have no effect, in one sentence; null when all of them count. */
export function wrongOptions(options: RunOptions, scope: readonly string[]): string | null {
  const given = (...names: readonly (keyof RunOptions)[]): string | null => {
    const name = names.find((one) => options[one] !== undefined);
    return name === undefined ? null : `--${name}`;
  };
  const goesOn = given('failed', 'pinned');
  if (options.new !== undefined && goesOn !== null)
    return `--new starts another run, ${goesOn} goes on with one`;
  if (options.includeDirty !== undefined && goesOn !== null)
    return `--include-dirty counts when a run starts, ${goesOn} goes on with one`;
  if (options.message === undefined) {
    const about = given('agent', 'after', 'owns', 'verify');
    return about === null ? null : `${about} says something about the worker of -m: it needs -m`;
  }
  if (scope.length > 0) return `-m runs the worker that it writes: ${scope.join(', ')} is too much`;
  return goesOn === null ? null : `-m starts a run, ${goesOn} goes on with one`;
}

/** What to do; null when it is refused, which has been said. */
export function choose(context: CliContext, asked: Asked): Choice | null {
  const choice = chosen(context, asked);
  if (choice?.kind !== 'continue' || asked.options.includeDirty !== true) return choice;
  const run = asked.state.runs.get(choice.run);
  if (run?.base.included !== undefined) return choice;
  context.fail({
    exit: exits.refused,
    what: `run ${choice.run} goes on from the commit that it started with, without your uncommitted changes`,
    next: 'czar run --new --include-dirty starts another run',
  });
  return null;
}

function chosen(context: CliContext, asked: Asked): Choice | null {
  const { state, options, place } = asked;
  const runs = [...state.runs.values()];
  const live = runs.filter(isRunLive);
  const elsewhere = live.find((run) => run.checkout !== place.checkout);
  if (elsewhere !== undefined) {
    context.fail({
      exit: exits.refused,
      what: `run ${elsewhere.id} is live in another checkout of this repository`,
      where: elsewhere.checkout === '' ? 'the main checkout' : elsewhere.checkout,
      next: 'czar run there goes on with it; czar cancel --run ends it',
    });
    return null;
  }
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
    const added = addWorker(context, place, { ...options, text: options.message });
    return added === null ? null : start(context, { ...asked, scope: [added] });
  }
  if (options.new === true) return start(context, asked);
  const named = context.options.run;
  if (named === null && live.length > 1) {
    context.fail({
      exit: exits.refused,
      what: 'more than one run is live',
      where: live.map((one) => one.id).join(', '),
      next: 'say which with --run ID',
    });
    return null;
  }
  const run = named === null ? (live[0] ?? runs.at(-1)) : state.runs.get(named);
  if (named !== null && run === undefined) {
    context.fail({ exit: exits.nothing, what: `there is no run ${named}` });
    return null;
  }
  if (run === undefined) return start(context, asked);
  switch (run.state) {
    case 'cancelled':
      return options.failed === true ? nothingFailed(context, run) : start(context, asked);
    case 'complete':
      return options.failed === true
        ? nothingFailed(context, run)
        : afterComplete(context, asked, run);
    case 'failed':
    case 'running':
    case 'waiting':
    case 'paused':
      return goOn(context, asked, run);
  }
}

/** `--failed` for a run that did not end with failures. */
function nothingFailed(context: CliContext, run: RunState): null {
  const cancelled = run.state === 'cancelled';
  context.fail({
    exit: exits.refused,
    what: cancelled ? `run ${run.id} was cancelled` : `nothing has failed in run ${run.id}`,
    next: `${cancelled ? 'czar retry WORKER takes a worker up again; ' : ''}czar run --new starts another run`,
  });
  return null;
}

/** A complete run is done with, unless something else is asked for now. */
function afterComplete(context: CliContext, asked: Asked, run: RunState): Choice | null {
  const covered = asked.scope.length > 0 ? outside(asked, run).length === 0 : run.scope === null;
  if (!covered || differencesOf(asked.place, run, runSources(context, asked.options)).length > 0)
    return start(context, asked);
  context.out.note(
    `Run ${run.id} is complete. czar land brings it home; czar run --new runs the plan again.`,
  );
  return { kind: 'continue', run: run.id, retryFailed: false };
}

/** Continues a live run, or takes up one that ended with failures. */
function goOn(context: CliContext, asked: Asked, run: RunState): Choice | null {
  const { place, options, scope } = asked;
  const others = outside(asked, run);
  if (others.length > 0) {
    context.fail({
      exit: exits.refused,
      what: `run ${run.id} goes on without ${others.join(', ')}: its plan stays as it is`,
      next: `czar run --new ${scope.join(' ')} starts another run`,
    });
    return null;
  }
  const differences =
    options.pinned === true ? [] : differencesOf(place, run, runSources(context, options));
  if (differences.length > 0) {
    refuseChanged(context, { run: run.id, differences });
    return null;
  }
  if (run.state === 'failed' && options.failed !== true) {
    context.fail({
      exit: exits.refused,
      what: `run ${run.id} ended with failures`,
      where: run.reason,
      next: 'czar run --failed tries what failed again; czar run --new starts another run',
    });
    return null;
  }
  const failures = [...run.workers.values()].some((worker) => worker.state === 'failed');
  const retryFailed = options.failed === true && (failures || run.state === 'failed');
  return { kind: 'continue', run: run.id, retryFailed };
}

/** Where the configuration of a run comes from, its own options the strongest. */
function runSources(context: CliContext, { maxParallel }: RunOptions): ConfigSources {
  return configSources(context, maxParallel === undefined ? [] : [`max_parallel=${maxParallel}`]);
}

/** Workers that were named and are not of the run. */
function outside({ scope }: Asked, run: RunState): readonly string[] {
  return scope.filter((id) => !run.workers.has(id));
}

/** A run of the files as they are. */
function start(context: CliContext, { place, scope, options }: Asked): Choice | null {
  const loaded = loadPlan({ ...place, sources: runSources(context, options) });
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
  return {
    kind: 'start',
    plan: scoped.plan,
    scope: scope.length === 0 ? null : scoped.plan.workers.map((worker) => worker.id),
    settings: loaded.settings,
  };
}
