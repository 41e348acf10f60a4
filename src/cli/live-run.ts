/** Whether a run of the repository is live: it keeps the plan that it started with, so plan verbs ask first. */
import type { Place } from './plan-files.ts';

/** The id of a run of this repository that has not ended, or null. */
export async function liveRun(_place: Place): Promise<string | null> {
  return await Promise.resolve(null);
}
