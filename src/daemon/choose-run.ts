/**
 * What `run` and `daemon start` are about to do, decided on the state as it lies in the log before anything of it goes on:
 * continue the live run, take up one that has ended, or start another. What stands in the way is a value, and then
 * nothing happens.
 */
import type { ConfigSources } from '../core/commands.ts';
import type { Plan } from '../core/plan.ts';
import { isRunLive, type RepositoryState, type RunState } from '../core/state.ts';
import type { Diagnostic } from '../plan/diagnostics.ts';
import { diffPlans } from '../plan/diff.ts';
import { agentProblem, loadPlan, type LoadedPlan } from '../plan/load.ts';
import { nearest } from '../plan/nearest.ts';
import { placeOf } from '../plan/source.ts';
import { scopeOf } from '../plan/scope.ts';
import type { Place } from './place.ts';
import { placeOfRun } from './place-of-run.ts';
import { differencesOf, planNow, type NoPlan } from './plan-changes.ts';

/** What was asked for. */
export interface Wanted {
  /** The run that is meant; null for the only live one, else the newest. */
  readonly run: string | null;
  /** Workers that were named; none means all. */
  readonly scope: readonly string[];
  /** Start another run. */
  readonly new: boolean;
  /** Try all failed workers of the run again. */
  readonly failed: boolean;
  /** What to do when the files are not the run's revision; null refuses, and says how they differ. */
  readonly changes: 'pinned' | 'amend' | null;
  readonly includeDirty: boolean;
  /** Whether each launch waits for a person's approval. */
  readonly approve: boolean;
  /** From where, beside the home, the configuration comes. */
  readonly sources: ConfigSources;
}

export type Choice =
  | {
      readonly kind: 'continue';
      readonly run: string;
      readonly retryFailed: boolean;
      /** With which scope the files become the run's next revision first; null when they do not. */
      readonly amend: { readonly scope: readonly string[] | null } | null;
    }
  | {
      readonly kind: 'start';
      readonly plan: Plan;
      /** Workers of a part of the plan files; null when it is all of them. */
      readonly scope: readonly string[] | null;
      readonly settings: { readonly base: string | null; readonly target: string | null };
      /** Where the branch of a worker is written out (`FILE:LINE`); null when it is nowhere. */
      readonly branchAt: (branch: string) => string | null;
    };

/** Why nothing begins. Sentences without full stops, as a verb prints them. */
export interface Refusal {
  readonly exit: 2 | 3 | 4;
  readonly what: string;
  readonly where: string | null;
  readonly next: string | null;
  /** How the files differ from the run's revision, when that is why. */
  readonly differences: readonly string[];
  /** What is wrong with the plan files, when that is why. */
  readonly diagnostics: readonly Diagnostic[];
}

export type Chosen =
  | { readonly ok: true; readonly choice: Choice; readonly notes: readonly string[] }
  | { readonly ok: false; readonly refusal: Refusal };

interface Asked {
  readonly place: Place;
  readonly state: RepositoryState;
  readonly wanted: Wanted;
}

/** A refusal with what there is to say of it. */
export function refusal(
  exit: Refusal['exit'],
  what: string,
  more: Partial<Omit<Refusal, 'exit' | 'what'>> = {},
): { readonly ok: false; readonly refusal: Refusal } {
  const none = { where: null, next: null, differences: [], diagnostics: [] };
  return { ok: false, refusal: { exit, what, ...none, ...more } };
}

/** What to do, or why nothing. */
export function choose(asked: Asked): Chosen {
  const chosen = chooseRun(asked);
  if (!chosen.ok || chosen.choice.kind !== 'continue' || !asked.wanted.includeDirty) return chosen;
  const { run: id } = chosen.choice;
  if (asked.state.runs.get(id)?.base.included !== undefined) return chosen;
  return refusal(
    4,
    `run ${id} goes on from the commit that it started with, without your uncommitted changes`,
    { next: 'czar run --new --include-dirty starts another run' },
  );
}

function chooseRun(asked: Asked): Chosen {
  const { state, wanted, place } = asked;
  const runs = [...state.runs.values()];
  const live = runs.filter(isRunLive);
  const elsewhere = live.find((run) => run.checkout !== place.checkout);
  if (elsewhere !== undefined) {
    const there = placeOfRun(place, elsewhere);
    const { id, checkout } = elsewhere;
    if (there === null)
      return refusal(4, `run ${id} is live in another checkout of this repository, which is gone`, {
        where: checkout === '' ? 'the main checkout' : checkout,
        next: `git worktree repair PATH, if it was moved; else czar cancel --run ${id} ends it`,
      });
    return refusal(4, `run ${id} is live in another checkout of this repository`, {
      where: there.root,
      next: `czar run there goes on with it; czar cancel --run ${id} ends it`,
    });
  }
  if (wanted.new) return start(asked);
  const named = wanted.run;
  if (named === null && live.length > 1) {
    return refusal(4, 'more than one run is live', {
      where: live.map((one) => one.id).join(', '),
      next: 'say which with --run ID',
    });
  }
  const run = named === null ? (live[0] ?? runs.at(-1)) : state.runs.get(named);
  if (named !== null && run === undefined) return refusal(3, `there is no run ${named}`);
  if (run === undefined) return start(asked);
  switch (run.state) {
    case 'cancelled':
      return wanted.failed ? nothingFailed(run) : start(asked);
    case 'complete':
      return wanted.failed ? nothingFailed(run) : afterComplete(asked, run);
    case 'failed':
      return run.checkout === place.checkout ? goOn(asked, run) : failedElsewhere(asked, run);
    case 'running':
    case 'waiting':
    case 'paused':
      return goOn(asked, run);
  }
}

function go(
  run: RunState,
  {
    retryFailed = false,
    amend = null,
    notes = [],
  }: {
    readonly retryFailed?: boolean;
    readonly amend?: Extract<Choice, { kind: 'continue' }>['amend'];
    readonly notes?: readonly string[];
  } = {},
): Chosen {
  return { ok: true, choice: { kind: 'continue', run: run.id, retryFailed, amend }, notes };
}

/** Its trees, and what its agents left in them, are where it was started: here they would be made anew without it. */
function failedElsewhere({ place }: Asked, run: RunState): Chosen {
  const there = placeOfRun(place, run);
  const what = `run ${run.id} ended with failures in another checkout of this repository`;
  const another = 'czar run --new starts another run here';
  if (there === null) return refusal(4, `${what}, which is gone`, { next: another });
  const next = `czar run --failed there tries what failed again; ${another}`;
  return refusal(4, what, { where: there.root, next });
}

/** `--failed` for a run that did not end with failures. */
function nothingFailed(run: RunState): Chosen {
  const cancelled = run.state === 'cancelled';
  return refusal(
    4,
    cancelled ? `run ${run.id} was cancelled` : `nothing has failed in run ${run.id}`,
    {
      next: `${cancelled ? 'czar retry WORKER takes a worker up again; ' : ''}czar run --new starts another run`,
    },
  );
}

/** A complete run is done with, unless something else is asked for now. */
function afterComplete(asked: Asked, run: RunState): Chosen {
  const { scope } = asked.wanted;
  const covered = scope.length > 0 ? outside(asked, run).length === 0 : run.scope === null;
  if (!covered || differencesOf(asked.place, run, asked.wanted.sources).length > 0)
    return start(asked);
  return go(run, {
    notes: [
      `Run ${run.id} is complete. czar land brings it home; czar run --new runs the plan again.`,
    ],
  });
}

/** Continues a live run, or takes up one that ended with failures. */
function goOn(asked: Asked, run: RunState): Chosen {
  const { place, wanted } = asked;
  const others = outside(asked, run);
  // An amendment can take in only what the files have.
  const typo = others.length > 0 ? unknownIn(asked, others) : null;
  if (typo !== null) return typo;
  if (others.length > 0 && wanted.changes !== 'amend') {
    return refusal(
      4,
      `run ${run.id} goes on without ${others.join(', ')}: its plan stays as it is`,
      {
        next: `--amend takes it into the run; czar run --new ${wanted.scope.join(' ')} starts another one`,
      },
    );
  }
  const scope = run.scope === null ? null : [...run.scope, ...others];
  const now =
    wanted.changes === 'pinned' ? null : planNow(place, { ...run, scope }, wanted.sources);
  if (now !== null && 'problem' in now) {
    // What is written wrongly is to be put right; what is gone is another plan.
    return now.diagnostics.some((one) => one.severity === 'error')
      ? invalid(now)
      : changed(run, [now.problem]);
  }
  const differences = now === null ? [] : diffPlans(run.plan, now.plan);
  if (differences.length > 0 && wanted.changes !== 'amend') return changed(run, differences);
  if (run.state === 'failed' && !wanted.failed) {
    return refusal(4, `run ${run.id} ended with failures`, {
      where: run.reason,
      next: 'czar run --failed tries what failed again; czar run --new starts another run',
    });
  }
  const failures = [...run.workers.values()].some((worker) => worker.state === 'failed');
  const retryFailed = wanted.failed && (failures || run.state === 'failed');
  return go(run, { retryFailed, amend: differences.length > 0 ? { scope } : null });
}

/** The files give no plan that a run could go on with. */
export function invalid({ problem, diagnostics }: NoPlan): ReturnType<typeof refusal> {
  if (areFlags(diagnostics)) return refusal(2, wrongFlags, { diagnostics });
  const next = '--pinned goes on with the plan of the run; czar validate shows every problem';
  return refusal(2, problem, { next, diagnostics });
}

const wrongFlags = 'what the command line sets is not valid';

/** Whether the command line alone is wrong: its flags stand where a file's name does. */
function areFlags(diagnostics: readonly Diagnostic[]): boolean {
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  return errors.length > 0 && errors.every(({ file }) => file.startsWith('--set'));
}

/** The files are not the run's revision any more, and nobody has said which of the two counts. */
export function changed(
  run: Pick<RunState, 'id'>,
  differences: readonly string[],
): ReturnType<typeof refusal> {
  return refusal(4, `the plan has changed since run ${run.id} began`, {
    next: '--amend takes the files as they are into the run; --pinned goes on with its plan',
    differences,
  });
}

/** Workers that were named and are not of the run. */
function outside({ wanted }: Asked, run: RunState): readonly string[] {
  return wanted.scope.filter((id) => !run.workers.has(id));
}

/** That a named worker stands in no file; null when all do, or when the files give no plan to say so by. */
function unknownIn(
  { place, wanted }: Asked,
  ids: readonly string[],
): ReturnType<typeof refusal> | null {
  const { plan } = loadPlan({ root: place.root, home: place.home, sources: wanted.sources });
  const unknown = ids.find((id) => plan?.workers.every((worker) => worker.id !== id));
  return plan === null || unknown === undefined ? null : noWorker(plan, unknown);
}

function noWorker({ workers }: Plan, id: string): ReturnType<typeof refusal> {
  const near = nearest(
    id,
    workers.map((worker) => worker.id),
  );
  return refusal(3, `there is no worker ${id}`, {
    next: near === null ? 'czar plan show lists them' : `did you mean ${near}?`,
  });
}

/** A run of the files as they are. */
function start({ place, wanted: { scope, sources } }: Asked): Chosen {
  const loaded = loadPlan({ root: place.root, home: place.home, sources });
  const { plan, diagnostics } = loaded;
  if (plan === null) {
    if (loaded.found === 0 && !diagnostics.some((one) => one.severity === 'error')) {
      return refusal(3, `there is no worker in ${place.home.name}/workers`, {
        next: 'czar worker new ID writes one',
      });
    }
    if (areFlags(diagnostics)) return refusal(2, wrongFlags, { diagnostics });
    return refusal(2, 'the plan is not valid, nothing was started', {
      next: 'czar validate shows every problem',
      diagnostics,
    });
  }
  const scoped = scopeOf(plan, scope);
  if ('unknown' in scoped) return noWorker(plan, scoped.unknown);
  const problem = agentProblem(scoped.plan);
  if (problem !== null)
    return refusal(2, problem, { next: 'czar plan show names every worker’s agent' });
  return {
    ok: true,
    choice: {
      kind: 'start',
      plan: scoped.plan,
      scope: scope.length === 0 ? null : scoped.plan.workers.map((worker) => worker.id),
      settings: loaded.settings,
      branchAt: (name) => {
        const at = loaded.branches.find(({ branch }) => branch === name)?.at();
        if (at === undefined) return null;
        return `${at.source.file}:${placeOf(at.source, at.range.start, at.range.end).line}`;
      },
    },
    notes: diagnostics.map(warningText),
  };
}

function warningText({ file, line, message, hint }: LoadedPlan['diagnostics'][number]): string {
  return `${file}:${line}: warning: ${message}${hint === null ? '' : ` (${hint})`}`;
}
