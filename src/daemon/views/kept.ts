/** The door through which the command line sees what was kept. */
import type { LeftOut } from '../../core/events.ts';
import { leftOutOf } from '../../core/left-out.ts';
import { gitContext, type GitContext } from '../../git/context.ts';
import type { Place } from '../place.ts';
import { withReader } from './read.ts';

export { leftOutText } from '../../core/left-out.ts';
export type { LeftOut } from '../../core/events.ts';
export { listKept, restoreKept, showKept, type KeptEntry } from '../../git/collecting/kept.ts';

/** The repository of a place, for looking at what is in the mirror. */
export function contextOf(place: Place): GitContext {
  return gitContext({ root: place.root, commonDir: place.commonDir, home: place.home.path });
}

/** Files that were left out of kept refs, by ref, as the log has it; none when the log cannot be read. */
export async function leftOutByRef(place: Place): Promise<ReadonlyMap<string, readonly LeftOut[]>> {
  const found = await withReader(place, (reader) => reader.load());
  if (!found.ok) return new Map();
  const workers = [...found.value.runs.values()].flatMap((run) => [...run.workers.values()]);
  const kept = workers.flatMap((worker) => worker.kept);
  return new Map(kept.map((one) => [one.ref, leftOutOf([one])]));
}
