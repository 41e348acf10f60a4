/** What the remote has not yet of a run, as the log tells, and the push of it that a person asks for once more. */
import { pushKey, stillRefused, unpushed } from '../core/push.ts';
import type { RunState } from '../core/state.ts';
import type { Journal } from '../journal/journal.ts';
import { openLogState, readEvents } from './hold-log.ts';
import type { Loop } from './loop.ts';
import type { Place } from './place.ts';

const types = ['refs.pushed'] as const;

/** Branches (full names) that the remote refused, or that could not be brought to it so far, each with the reason. */
export function notPushedOf(place: Place, id: string): Readonly<Record<string, string>> {
  const run = openLogState(place)?.runs.get(id);
  if (run === undefined) return {};
  const why = run.troubles[pushKey(run)]?.error ?? 'it could not be tried yet';
  const open = Object.keys(unpushed(run)).map((ref) => [ref, why] as const);
  return { ...refusedOf(place, run), ...Object.fromEntries(open) };
}

/** Those that the remote refused alone. */
export function refusedOf(place: Place, run: RunState): Readonly<Record<string, string>> {
  return stillRefused(run, readEvents(place, { run: run.id, types }));
}

/** Whether a push of the run waits for its first try. */
export function isPushDue(run: RunState): boolean {
  return Object.keys(unpushed(run)).length > 0 && run.troubles[pushKey(run)] === undefined;
}

/** Has the loop push what the remote refused; says how many branches that are. */
export function pushAgain(
  { loop, journal }: { readonly loop: Loop; readonly journal: Pick<Journal, 'read'> },
  id: string,
): number {
  const run = loop.state.runs.get(id);
  if (run === undefined) return 0;
  const refs = Object.keys(stillRefused(run, journal.read({ run: id, types })));
  loop.pushes.ask(id, refs);
  return refs.length;
}
