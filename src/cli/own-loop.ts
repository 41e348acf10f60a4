/** A loop of one command, for just the effects that it needs. */
import type { Event } from '../core/events.ts';
import type { Intent } from '../core/intents.ts';
import type { RepositoryState } from '../core/state.ts';
import type { Owner } from '../daemon/holder.ts';
import { openLoop, type OpenLoop } from '../daemon/open-loop.ts';
import type { Place } from '../daemon/place.ts';
import { findFacts } from './find-facts.ts';
import type { CliContext } from './verb.ts';

/** The loop, or who has another one; null when there can be none, which has been said. */
export async function openOwnLoop(
  context: CliContext,
  place: Place,
  options: {
    /** What it is called for whoever finds the repository held meanwhile. */
    readonly verb: string;
    readonly only: (intent: Intent) => boolean;
    /** Whether the state allows it; says itself why not. */
    readonly mayBegin?: (state: RepositoryState) => boolean;
    readonly onCommit?: (events: readonly Event[]) => void;
  },
): Promise<OpenLoop | { readonly owner: Owner | null } | null> {
  const { verb, only, mayBegin = () => true, onCommit = () => {} } = options;
  const facts = await findFacts(context, place);
  if (facts === null) return null;
  const opened = await openLoop({
    facts,
    home: place.home,
    env: { ...context.env },
    now: context.now,
    verb,
    only,
    admit: async (state) => (mayBegin(state) ? true : null),
    onNotice: (line) => context.out.note(line),
    onCommit,
  });
  if ('refused' in opened) return null;
  if ('loop' in opened) for (const note of opened.notes) context.out.note(note);
  return opened;
}
