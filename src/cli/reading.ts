/**
 * What the reading verbs share: the repository, its log, the run and the worker that are meant. Loads no more than
 * reading needs, since these are the verbs that are typed most.
 */
import { isRunLive, type RepositoryState, type RunState, type WorkerState } from '../core/state.ts';
import type { Place } from '../daemon/place.ts';
import { mayBeElsewhere, placeOfRun } from '../daemon/place-of-run.ts';
import { withReader, type Reader } from '../daemon/views/read.ts';
import { nearest } from '../plan/nearest.ts';
import { exits } from './exit.ts';
import { findPlaceAlone } from './find-place.ts';
import type { CliContext } from './verb.ts';

/**
 * Hands the log of the repository to `use`, and the place of the run that is meant: its home and trees may be in another
 * checkout. Says what is wrong when there is none.
 */
export async function reading(
  context: CliContext,
  use: (reader: Reader, place: Place) => void | Promise<void>,
): Promise<void> {
  const place = findPlaceAlone(context);
  if (place === null) return;
  const read = await withReader(place, (reader) => {
    if (reader.note !== null) context.out.note(reader.note);
    const at = mayBeElsewhere(place) ? meantPlace(context, reader, place) : place;
    return at === place ? use(reader, place) : use(reader.at(at), at);
  });
  if (read.ok) return;
  if (read.problem.kind === 'no-log') noRun(context);
  else context.fail({ exit: exits.refused, what: read.problem.what, next: read.problem.next });
}

function meantPlace(context: CliContext, reader: Reader, place: Place): Place {
  const named = context.options.run;
  const runs = [...reader.loadCurrent(named).runs.values()];
  const run = runs.find(({ id }) => id === named) ?? runs.find(isRunLive) ?? runs.at(-1);
  return (run === undefined ? null : placeOfRun(place, run)) ?? place;
}

/** The run that is meant: `--run`, the only live one, else the newest; null when that is not clear, which has been said. */
export function chosenRun(context: CliContext, state: RepositoryState): RunState | null {
  const named = context.options.run;
  const runs = [...state.runs.values()];
  if (named !== null) {
    const found = state.runs.get(named);
    if (found !== undefined) return found;
    context.fail({
      exit: exits.nothing,
      what: `there is no run ${named}`,
      next:
        runs.length === 0 ? 'czar run starts one' : `runs: ${runs.map((run) => run.id).join(', ')}`,
    });
    return null;
  }
  const live = runs.filter(isRunLive);
  if (live.length > 1) {
    context.fail({
      exit: exits.refused,
      what: 'more than one run is live',
      where: live.map((run) => run.id).join(', '),
      next: 'say which with --run ID',
    });
    return null;
  }
  const chosen = live[0] ?? runs.at(-1);
  if (chosen === undefined) noRun(context);
  return chosen ?? null;
}

/** The worker of that id; null when the run has none, which has been said. */
export function chosenWorker(context: CliContext, run: RunState, id: string): WorkerState | null {
  const found = run.workers.get(id);
  if (found !== undefined) return found;
  const near = nearest(id, run.workers.keys());
  context.fail({
    exit: exits.nothing,
    what: `run ${run.id} has no worker ${JSON.stringify(id)}`,
    next: near === null ? 'czar status lists its workers' : `did you mean ${near}?`,
  });
  return null;
}

/** Hands run and worker to `use`. */
export async function readingWorker(
  context: CliContext,
  id: string,
  use: (found: {
    readonly reader: Reader;
    readonly place: Place;
    readonly state: RepositoryState;
    readonly run: RunState;
    readonly worker: WorkerState;
  }) => void | Promise<void>,
): Promise<void> {
  await reading(context, async (reader, place) => {
    const state = reader.loadCurrent(context.options.run);
    const run = chosenRun(context, state);
    const worker = run === null ? null : chosenWorker(context, run, id);
    if (run !== null && worker !== null) await use({ reader, place, state, run, worker });
  });
}

/**
 * A signal that ends a stream: Ctrl-C (the verb then exits with 130) or a reader of stdout that went away (then
 * quietly). Disposing it gives Ctrl-C back to the system.
 */
export function streamEnd(context: CliContext): { readonly signal: AbortSignal } & Disposable {
  const interrupted = new AbortController();
  const interrupt = (): void => {
    context.exit(exits.interrupted);
    interrupted.abort();
  };
  process.once('SIGINT', interrupt);
  return {
    signal: AbortSignal.any([interrupted.signal, context.closed]),
    [Symbol.dispose]: () => process.off('SIGINT', interrupt),
  };
}

/** Minutes that the local clock is ahead of UTC. */
export function clockOffset(now: number): number {
  return -new Date(now).getTimezoneOffset();
}

function noRun(context: CliContext): void {
  context.fail({
    exit: exits.nothing,
    what: 'there is no run in this repository',
    next: 'czar run starts one',
  });
}
