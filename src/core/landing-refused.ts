/** A landing, or a sync, that is given up: nothing was moved. */
import type { NewEvent } from './events.ts';
import type { RunState } from './state.ts';

/** Its event; `reason` is one sentence, more lines are what was found. */
export function landingRefused(
  { id, landing }: Pick<RunState, 'id' | 'landing'>,
  why: { readonly reason: string; readonly files: readonly string[] },
): NewEvent {
  const { reason, files } = why;
  const sync = landing?.sync === true ? ({ sync: true } as const) : {};
  return { type: 'land.refused', run: id, data: { reason, files, ...sync } };
}
