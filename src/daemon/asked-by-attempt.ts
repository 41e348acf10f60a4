/**
 * Whether a process belongs to an attempt of this repository: agents report, they do not steer. Found by walking up from
 * it, by the report file that every attempt carries in its environment, or by the process of a live attempt on record.
 *
 * Stops mistakes, not malice: a process that left both its parents and its environment is not found.
 */
import { join, relative, sep } from 'node:path';
import type { ProcessIdentity } from '../core/events.ts';
import { isLive } from '../core/lifecycle.ts';
import { restlessRuns } from '../core/restless.ts';
import type { RepositoryState } from '../core/state.ts';
import { bootId } from '../process/identity.ts';
import { lineage, variableOf } from '../process/lineage.ts';
import type { Place } from './place.ts';

/** The attempt, or the review, that a process belongs to. */
export interface Asker {
  readonly worker: string;
  readonly attempt: number;
}

/** What an agent is told that asks for anything but a report. */
export const agentsDoNotSteer = {
  what: 'a running attempt cannot steer a run',
  next: 'czar emit ask "…" asks a person',
} as const;

/** The attempt of this place that the process belongs to, or null. Without a state only by the environment. */
export function attemptAround(
  pid: number,
  at: { readonly home: Place['home']; readonly state: RepositoryState | null },
): Asker | null {
  const runs = join(at.home.path, 'runs');
  const live = at.state === null ? [] : liveProcesses(at.state);
  const boot = bootId();
  for (const row of lineage(pid)) {
    const report = variableOf(row.pid, 'CZAR_REPORT_FILE');
    const marked = report === null ? null : placeIn(runs, report);
    if (marked !== null) return marked;
    const found = live.find(
      ({ process }) =>
        process.pid === row.pid && process.start === row.start && process.boot === boot,
    );
    if (found !== undefined) return { worker: found.worker, attempt: found.attempt };
  }
  return null;
}

function liveProcesses(
  state: RepositoryState,
): readonly (Asker & { readonly process: ProcessIdentity })[] {
  return restlessRuns(state).flatMap((run) =>
    [...run.workers.values()].flatMap((worker) =>
      isLive(worker.state) && worker.attempt?.process != null
        ? [{ worker: worker.id, attempt: worker.attempt.n, process: worker.attempt.process }]
        : [],
    ),
  );
}

/** Worker and attempt of a file `RUN/WORKER/N/report`, or of a review's, in the folder of runs; null for any other. */
function placeIn(runs: string, file: string): Asker | null {
  const [run, worker, attempt, ...rest] = relative(runs, file).split(sep);
  if (run === '..' || worker === undefined || rest.length !== 1) return null;
  const number = /^(?:review-)?([1-9]\d*)$/.exec(attempt ?? '')?.[1];
  return number === undefined ? null : { worker, attempt: Number(number) };
}
