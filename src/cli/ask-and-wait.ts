/**
 * A request whose effects the person waits for: by a loop of this process that does nothing else, or by the one that
 * lives, whose log is followed until they are done.
 */
import { ask } from '../api/client.ts';
import type { Steering } from '../core/commands.ts';
import type { Intent } from '../core/intents.ts';
import type { RepositoryState, RunState } from '../core/state.ts';
import { listenerOf } from '../daemon/holder.ts';
import { openLogState } from '../daemon/hold-log.ts';
import { openLoop } from '../daemon/open-loop.ts';
import type { Place } from '../daemon/place.ts';
import { isHeld } from '../daemon/read.ts';
import { redactSteering } from '../daemon/redactions.ts';
import { complete } from '../daemon/steer.ts';
import { exits } from './exit.ts';
import { findFacts } from './find-facts.ts';
import { refuse } from './steering.ts';
import type { CliContext } from './verb.ts';

interface Order {
  readonly asked: Steering;
  /** What a loop of this process performs. */
  readonly only: (intent: Intent) => boolean;
  /** Whether nothing of it is left to do, or to hope for. */
  readonly settled: (run: RunState) => boolean;
}

/** The run afterwards; null when it was refused or nobody could be asked, which has been said. */
export async function askAndWait(
  context: CliContext,
  place: Place,
  order: Order,
): Promise<RunState | null> {
  const facts = await findFacts(context, place);
  if (facts === null) return null;
  const asked = redactSteering(order.asked, context.env);
  const opened = await openLoop({
    facts,
    home: place.home,
    env: { ...context.env },
    now: context.now,
    only: order.only,
    admit: async () => true,
    onNotice: (line) => context.out.note(line),
    onCommit: () => {},
  });
  if ('refused' in opened) return null;
  if ('owner' in opened) return elsewhere(context, place, { ...order, asked }, opened.owner);
  await using loop = opened;
  for (const note of loop.notes) context.out.note(note);
  const request = await complete(loop.place, loop.loop.state, asked);
  if ('rejection' in request) return refused(context, request.rejection);
  const answer = await loop.loop.send({ ...request, by: 'user' });
  if (!answer.ok) return refused(context, answer.rejection);
  await loop.loop.until((state, idle) => {
    const run = state.runs.get(asked.run);
    return idle && (run === undefined || order.settled(run));
  });
  return loop.loop.state.runs.get(asked.run) ?? null;
}

/** Asks the loop that lives, and follows the log. */
async function elsewhere(
  context: CliContext,
  place: Place,
  { asked, settled }: Order,
  owner: Parameters<typeof listenerOf>[0],
): Promise<RunState | null> {
  const listener = listenerOf(owner);
  const reply = listener === null ? 'unreachable' : await ask(listener, asked);
  if (reply === 'unreachable') {
    context.fail({
      exit: exits.refused,
      what: 'another czar holds this repository and does not answer',
    });
    return null;
  }
  if (!reply.ok) return refused(context, reply.rejection);
  for (;;) {
    // Looked at first: what it did before it went is in the log.
    const alive = isHeld(place);
    const state: RepositoryState | null = openLogState(place);
    const run = state?.runs.get(asked.run);
    if (run !== undefined && settled(run)) return run;
    if (!alive) {
      context.fail({
        exit: exits.refused,
        what: 'the czar that was at it ended before it was done',
        next: 'the same command again carries it through',
      });
      return null;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function refused(context: CliContext, rejection: Parameters<typeof refuse>[1]): null {
  refuse(context, rejection);
  return null;
}
