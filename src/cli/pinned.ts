/** A run keeps its plan revision: a person says so, or takes the files in, when they have changed since. */
import { changed } from '../daemon/choose-run.ts';
import { openLogState } from '../daemon/hold-log.ts';
import { differencesOf } from '../daemon/plan-changes.ts';
import { configSources } from './config-sources.ts';
import { chosenRun } from './reading.ts';
import { findPlace } from './find-place.ts';
import { steer } from './steering.ts';
import type { CliContext } from './verb.ts';
import { sayRefusal, settlesChanges } from './wanted.ts';

/**
 * Whether the command may go on: the files are those of the run, or `pinned` leaves the run its own, or `amend` takes
 * them in first. False when it was refused, which has been said.
 */
export async function settlesPlan(
  context: CliContext,
  { pinned = false, amend = false }: { readonly pinned?: boolean; readonly amend?: boolean },
): Promise<boolean> {
  if (pinned) return true;
  const place = findPlace(context);
  if (place === null) return false;
  const state = openLogState(place);
  if (state === null) return true;
  const run = chosenRun(context, state);
  if (run === null) return false;
  const sources = configSources(context);
  const differences = differencesOf(place, run, sources);
  if (differences.length === 0) return true;
  if (amend || (await settlesChanges(context, differences)))
    return steer(context, (id) => ({ kind: 'amend', run: id, sources }), null);
  sayRefusal(context, changed(run, differences).refusal);
  return false;
}
