/** What the loop that lives is asked to move: this process follows the log until it has, or has refused. */
import { ask } from '../api/client.ts';
import type { Rejection, Steering } from '../core/commands.ts';
import type { Event } from '../core/events.ts';
import { listenerOf, type Owner } from '../daemon/holder.ts';
import { openLogState, readEvents } from '../daemon/hold-log.ts';
import type { Place } from '../daemon/place.ts';
import { isHeld } from '../daemon/views/read.ts';
import { exits } from './exit.ts';
import { heldBy } from './held-by.ts';
import type { CliContext } from './verb.ts';

type Ended =
  | { readonly kind: 'refused'; readonly reason: string; readonly files: readonly string[] }
  | { readonly kind: 'rejected'; readonly rejection: Rejection };

/** How it ended, as `result` reads it from the events; null when nobody could be asked, which has been said. */
export async function throughLoop<Result>(
  context: CliContext,
  place: Place,
  order: {
    readonly owner: Owner | null;
    readonly asked: Extract<Steering, { kind: 'land' | 'sync' }>;
    readonly result: (events: readonly Event[]) => Result | null;
  },
): Promise<Result | Ended | null> {
  const { asked } = order;
  const before = openLogState(place)?.seq ?? 0;
  const listener = listenerOf(order.owner);
  const reply = listener === null ? 'unreachable' : await ask(listener, asked);
  if (reply === 'unreachable') {
    context.fail(heldBy(order.owner));
    return null;
  }
  if (!reply.ok) return { kind: 'rejected', rejection: reply.rejection };
  const types = ['run.landed', 'run.synced', 'land.refused'] as const;
  for (;;) {
    // Looked at first: what it did before it went is in the log.
    const alive = isHeld(place);
    const result = order.result(readEvents(place, { after: before, run: asked.run, types }));
    if (result !== null) return result;
    if (openLogState(place)?.runs.get(asked.run)?.landing === null)
      return { kind: 'refused', reason: 'it ended without a result', files: [] };
    if (!alive) {
      context.fail({
        exit: exits.refused,
        what: 'the czar that was at it ended before it was done',
        next: `czar ${asked.kind} again carries it through`,
      });
      return null;
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
