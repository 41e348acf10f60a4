/** Whether a run can be left alone. Whoever follows one, in the foreground or beside a daemon, stops by the same rule. */
import { isPublishing } from './publish.ts';
import { countIn } from './run-index.ts';
import type { RunState } from './state.ts';

/** Whether something of the run is still to be done without anybody's word. */
export function goesOn(run: RunState): boolean {
  return run.state === 'running' || run.landing !== null || isPublishing(run);
}

/** Whether an agent works for the run, perhaps with a question that is not answered yet. */
export function hasAgents(run: RunState): boolean {
  return countIn(run, 'starting', 'active') > 0 || run.reviewing.length > 0;
}
