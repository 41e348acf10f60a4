/** A run keeps its plan revision: a person says so, or takes the files in, when they have changed since. */
import type { Request } from '../../core/commands.ts';
import { decide } from '../../core/decide.ts';
import { changed } from '../../daemon/choose-run.ts';
import { openLogState } from '../../daemon/hold-log.ts';
import { differencesOf } from '../../daemon/plan-changes.ts';
import { configSources } from '../config-sources.ts';
import { chosenRun } from '../reading.ts';
import { findPlace } from '../find-place.ts';
import { refuse, steer } from '../steering.ts';
import type { CliContext } from '../verb.ts';
import { sayRefusal, settlesChanges } from '../wanted.ts';

/**
 * Whether the command may go on: the files are those of the run, or `pinned` leaves the run its own, or `amend` takes
 * them in first, so that `then` is done with them. False when it was refused, which has been said.
 */
export async function settlesPlan(
  context: CliContext,
  { pinned = false, amend = false }: { readonly pinned?: boolean; readonly amend?: boolean },
  then: (run: string) => Request,
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
  // What would be refused anyhow changes no plan.
  const decision = decide(state, { ...then(run.id), by: 'user' }, context.now());
  if (!decision.ok) {
    refuse(context, decision.rejection);
    return false;
  }
  if (amend || (await settlesChanges(context, differences)))
    return steer(context, (id) => ({ kind: 'amend', run: id, sources }), null);
  sayRefusal(context, changed(run, differences).refusal);
  return false;
}
