/** The door through which the command line sees what was kept. */
import { gitContext, type GitContext } from '../git/context.ts';
import type { Place } from './place.ts';

export { listKept, restoreKept, showKept, type KeptEntry } from '../git/kept.ts';

/** The repository of a place, for looking at what is in the mirror. */
export function contextOf(place: Place): GitContext {
  return gitContext({ root: place.root, commonDir: place.commonDir, home: place.home.path });
}
