/** What every check stands on: the world as it is, the books kept of it, and how a breach is told. */
import type { Require } from './invariants.ts';
import type { Ledger } from './ledger.ts';
import type { World } from './world.ts';

export interface Ground {
  readonly world: World;
  readonly ledger: Ledger;
  readonly require: Require;
}
