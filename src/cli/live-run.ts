/** Whether a run of the repository is live: it keeps the plan that it started with, so plan verbs ask first. */
import { isRunLive } from '../core/state.ts';
import { openLogState } from '../daemon/hold-log.ts';
import { locate } from '../daemon/place.ts';

/** The id of a run that has not ended, or null. `root` is absolute. */
export function liveRun(root: string): string | null {
  const place = locate({ from: root, czarDir: null, cwd: root });
  const state = 'error' in place ? null : openLogState(place);
  return [...(state?.runs.values() ?? [])].find(isRunLive)?.id ?? null;
}
