/** Stops what a person has just said is to be stopped, where no loop lives that does it: by a loop for that alone. */
import { toBeStopped } from '../core/goes-on.ts';
import type { Intent } from '../core/intents.ts';
import type { RunState } from '../core/state.ts';
import type { Place } from '../daemon/place.ts';
import { placeOfRun } from '../daemon/place-of-run.ts';
import { openOwnLoop } from './own-loop.ts';
import { streamEnd } from './reading.ts';
import type { CliContext } from './verb.ts';

const kinds: ReadonlySet<Intent['kind']> = new Set(['stop', 'collect', 'teardown', 'end-review']);

/**
 * Ends the attempts and reviews and brings their work home. Gives the run as it then is; 'led' when another loop has come
 * meanwhile, which does it. Ctrl-C leaves it to the next loop.
 */
export async function stopHere(
  context: CliContext,
  place: Place,
  { run, verb }: { readonly run: RunState; readonly verb: string },
): Promise<RunState | 'led'> {
  const names = toBeStopped(run).map(({ id }) => id);
  const meant = new Set(names);
  // Its agents' files are there, and nowhere else could it be told how they ended.
  const at = placeOfRun(place, run);
  if (at === null) return run;
  using end = streamEnd(context);
  context.out.note(`Stopping ${names.join(', ')}.`);
  const opened = await openOwnLoop(context, at, {
    verb,
    only: (intent) =>
      intent.run === run.id &&
      (intent.kind === 'publish' ||
        (kinds.has(intent.kind) && 'worker' in intent && meant.has(intent.worker ?? ''))),
  });
  if (opened === null) return run;
  if ('owner' in opened) return 'led';
  await using loop = opened;
  const interrupted = new Promise<void>((resolve) => {
    end.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([loop.loop.until((_state, idle) => idle), interrupted]);
  return loop.loop.state.runs.get(run.id) ?? run;
}
