/** The push that follows a landing, for whoever landed: it is waited for, or asked for once more. */
import { ask } from '../api/client.ts';
import type { RunState } from '../core/state.ts';
import { listenerOf } from '../daemon/holder.ts';
import { openLogState, readEvents } from '../daemon/hold-log.ts';
import type { LandOrder } from '../daemon/land.ts';
import { isPushDue, pushAgain, refusedOf } from '../daemon/not-pushed.ts';
import type { Place } from '../daemon/place.ts';
import { isHeld } from '../daemon/views/read.ts';
import { openOwnLoop } from './own-loop.ts';
import type { CliContext } from './verb.ts';

const lookMs = 100;

/** Pushes what did not reach the remote before: here, or by the loop that lives. */
export async function pushLeft(
  context: CliContext,
  place: Place,
  { run, order }: { readonly run: RunState; readonly order: LandOrder },
): Promise<void> {
  const opened = await openOwnLoop(context, place, {
    verb: 'land',
    only: (intent) => intent.run === order.run && intent.kind === 'push',
  });
  if (opened === null) return;
  if (!('owner' in opened)) {
    await using loop = opened;
    pushAgain(loop, order.run);
    await loop.loop.until((_state, idle) => idle);
    return;
  }
  // What was only not reached it tries by itself.
  if (Object.keys(refusedOf(place, run)).length === 0) return;
  const before = openLogState(place)?.seq ?? 0;
  const listener = listenerOf(opened.owner);
  const reply = listener === null ? 'unreachable' : await ask(listener, { kind: 'land', ...order });
  // Whoever is at it pushes nothing on request: what is left is said all the same.
  if (reply === 'unreachable' || !reply.ok) return;
  const answered = (): boolean =>
    readEvents(place, {
      after: before,
      run: order.run,
      types: ['refs.pushed', 'effect.failed'],
    }).some(
      (event) =>
        event.type === 'refs.pushed' ||
        (event.type === 'effect.failed' && event.data.effect === 'push'),
    );
  await lookUntil(place, answered);
}

/** Resolves when a loop that lives has tried to push what has landed, or has gone. */
export async function pushed(place: Place, run: RunState): Promise<void> {
  await lookUntil(place, () => {
    const now = openLogState(place)?.runs.get(run.id);
    return now === undefined || !isPushDue(now);
  });
}

async function lookUntil(place: Place, reached: () => boolean): Promise<void> {
  for (;;) {
    // Looked at first: what it did before it went is in the log.
    const alive = isHeld(place);
    if (reached() || !alive) return;
    await new Promise((resolve) => setTimeout(resolve, lookMs));
  }
}
