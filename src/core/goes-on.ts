/** Whether a run can be left alone. Whoever follows one, in the foreground or beside a daemon, stops by the same rule. */
import { isPublishing } from './publish.ts';
import { countIn, workersIn } from './run-index.ts';
import { isRunLive, type RunState, type WorkerState } from './state.ts';

/** Whether something of the run is still to be done without anybody's word. */
export function goesOn(run: RunState): boolean {
  return run.state === 'running' || run.landing !== null || isPublishing(run);
}

/** Whether an agent works for the run, perhaps with a question that is not answered yet. */
export function hasAgents(run: RunState): boolean {
  return countIn(run, 'starting', 'active') > 0 || run.reviewing.length > 0;
}

/** Workers whose attempt or review somebody has said is to be stopped, and that is not over: without a loop nobody stops it. */
export function toBeStopped(run: RunState): readonly WorkerState[] {
  if (!isRunLive(run)) return [];
  const attempts = workersIn(run, 'starting', 'active').filter(
    ({ stop, attempt }) =>
      stop !== null && attempt?.phase !== 'ended' && attempt?.phase !== 'collected',
  );
  const reviewed = run.reviewing.flatMap((id) => run.workers.get(id) ?? []);
  return [...attempts, ...reviewed.filter(({ state }) => state !== 'reviewing')];
}
