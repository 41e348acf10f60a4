/**
 * Requests whose effects the person waits for: by a loop of this process that does nothing else, or by the one that
 * lives, whose log is followed until they are done.
 */
import { ask } from '../api/client.ts';
import type { Rejection, Steering } from '../core/commands.ts';
import type { Intent } from '../core/intents.ts';
import type { RepositoryState } from '../core/state.ts';
import type { begin, Beginning } from '../daemon/begin.ts';
import { listenerOf, type Owner } from '../daemon/holder.ts';
import { openLogState } from '../daemon/hold-log.ts';
import { openLoop } from '../daemon/open-loop.ts';
import type { Place } from '../daemon/place.ts';
import { isHeld } from '../daemon/views/read.ts';
import { redactSteering } from '../daemon/redactions.ts';
import { complete } from '../daemon/steer.ts';
import { exits } from './exit.ts';
import { heldBy } from './held-by.ts';
import { findFacts } from './find-facts.ts';
import type { CliContext } from './verb.ts';

interface Order {
  /** What begins first, in a loop of this process; null from it refuses, which has been said. Nothing when left out. */
  readonly begin?: (
    at: Pick<Parameters<typeof begin>[0], 'facts' | 'state' | 'git'>,
  ) => Promise<Beginning | null>;
  /** What is asked; of the run that began, if one did. */
  readonly asked: (begun: string | null) => readonly Steering[];
  /** What a loop of this process performs. */
  readonly only: (intent: Intent) => boolean;
  /** Whether nothing of it is left to do, or to hope for; asked about what was accepted. */
  readonly settled: (state: RepositoryState, asked: Steering) => boolean;
}

export interface Waited {
  readonly state: RepositoryState;
  /** What was asked, each with why it was refused; null when it was not. */
  readonly asked: readonly {
    readonly request: Steering;
    readonly rejection: Rejection | null;
  }[];
}

/** What became of it; null when nobody could be asked, which has been said. */
export async function askAndWait(
  context: CliContext,
  place: Place,
  order: Order,
): Promise<Waited | null> {
  const facts = await findFacts(context, place);
  if (facts === null) return null;
  const requests = (begun: string | null): readonly Steering[] =>
    order.asked(begun).map((one) => redactSteering(one, context.env));
  const nothing: Pick<Beginning, 'run' | 'requests'> = { run: '', requests: [] };
  const opened = await openLoop({
    facts,
    home: place.home,
    env: { ...context.env },
    now: context.now,
    only: order.only,
    admit: async (state, git) =>
      order.begin === undefined ? nothing : order.begin({ facts, state, git }),
    first: (admitted) => admitted.requests,
    onNotice: (line) => context.out.note(line),
    onCommit: () => {},
  });
  if ('refused' in opened) return null;
  if ('owner' in opened)
    return elsewhere(context, place, { ...order, requests: requests(null) }, opened.owner);
  await using loop = opened;
  for (const note of loop.notes) context.out.note(note);
  const { run } = loop.admitted;
  // What an earlier process left half done comes first.
  await loop.loop.until((_state, idle) => idle);
  const asked: Waited['asked'][number][] = [];
  for (const one of requests(run === '' ? null : run)) {
    const request = await complete(loop.place, loop.loop.state, one);
    const answer =
      'rejection' in request ? request : await loop.loop.send({ ...request, by: 'user' });
    asked.push({ request: one, rejection: answer.ok ? null : answer.rejection });
  }
  await loop.loop.until((state, idle) => idle && isDone(order, state, asked));
  return { state: loop.loop.state, asked };
}

/** Asks the loop that lives, and follows the log. */
async function elsewhere(
  context: CliContext,
  place: Place,
  order: Pick<Order, 'settled'> & { readonly requests: readonly Steering[] },
  owner: Owner | null,
): Promise<Waited | null> {
  const listener = listenerOf(owner);
  const asked: Waited['asked'][number][] = [];
  for (const request of order.requests) {
    const reply = listener === null ? 'unreachable' : await ask(listener, request);
    if (reply === 'unreachable') {
      context.fail(heldBy(owner));
      return null;
    }
    asked.push({ request, rejection: reply.ok ? null : reply.rejection });
  }
  for (;;) {
    // Looked at first: what it did before it went is in the log.
    const alive = isHeld(place);
    const state = openLogState(place);
    if (state !== null && isDone(order, state, asked)) return { state, asked };
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

function isDone(
  { settled }: Pick<Order, 'settled'>,
  state: RepositoryState,
  asked: Waited['asked'],
): boolean {
  return asked.every(({ request, rejection }) => rejection !== null || settled(state, request));
}
