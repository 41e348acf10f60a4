/** What a run knows of agents without quota whose place others may take: what each event changes of it. */
import type { EventOf } from '../events.ts';
import type { RunState } from '../state.ts';

type Known = Pick<RunState, 'turnedAway'>;

/** The change; empty when there is none. */
export function awayAfter(
  run: Known,
  event: EventOf<'worker.ready' | 'worker.pending'>,
): Partial<Known> {
  const { from } = event.data;
  const resumed = event.type === 'worker.ready' && from === 'paused';
  const retried = event.type === 'worker.pending' && event.data.by === 'user' && from !== 'paused';
  // A person who takes up the worker that was turned away thinks that there is quota again.
  const known = resumed || retried ? without(run, event.worker) : run.turnedAway;
  const away = event.type === 'worker.ready' ? event.data.away : undefined;
  if (away === undefined) return known === run.turnedAway ? {} : { turnedAway: known };
  const entry = { until: away.until, worker: event.worker ?? '' };
  return { turnedAway: { ...known, [away.agent]: entry } };
}

function without({ turnedAway }: Known, worker: string | undefined): RunState['turnedAway'] {
  const all = Object.entries(turnedAway);
  const left = all.filter(([, one]) => one.worker !== worker);
  return left.length === all.length ? turnedAway : Object.fromEntries(left);
}
