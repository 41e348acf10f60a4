/** What a simulation may break on purpose, to see that its checks would notice. */
import type { Perform, Rules } from '../src/daemon/loop.ts';
import type { inboxEntries } from '../src/report/inbox.ts';
import type { Journal } from '../src/journal/journal.ts';
import type { Pruning } from '../src/upkeep/pruning.ts';
import type { World } from './world.ts';

export interface Mutation {
  readonly rules?: Rules;
  readonly perform?: (inner: Perform, world: World) => Perform;
  readonly journal?: (inner: Journal) => Journal;
  /** What keeps requests from a run of which something is being deleted. */
  readonly inTheWay?: Pruning['inTheWay'];
  readonly inbox?: typeof inboxEntries;
}
